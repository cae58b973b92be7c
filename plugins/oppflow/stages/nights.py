"""Which nights of a nightly campaign were good: a record in the store, and a file in each folder.

The record is what every host reads and what outlives a restart. A store may forget it (Redis with a
retention), so each good night's folder has a ``night.json`` as well, from which it is made again.
"""

from __future__ import annotations

import contextlib
import json
import logging
from collections.abc import Iterator
from dataclasses import dataclass

from oppflow.comparison import Night, NightTerms
from oppflow.deployment import Deployment
from oppflow.errors import OppflowError, StoreError
from oppflow.keys import digest
from oppflow.plan import PackedCampaign

log = logging.getLogger(__name__)

NIGHTS = "nights"
"""The store's kind of record that holds a nightly campaign's last good nights, by DAG ID."""

FAILURE = "failure"
"""The store's kind of record that holds why a DAG run's first task failed."""

_REMEMBERED = 20


class UnchangedError(Exception):
    """Nothing that results depend on has changed since the last good night; no mistake."""


@dataclass(frozen=True)
class Nights:
    """The good nights of one nightly campaign."""

    deployment: Deployment
    dag_id: str

    def last_good(self, started: str, results: str = "") -> Night | None:
        """The newest good night up to ``started`` whose results are there, but not ``results``.

        So a night that is cleared is compared with what it was compared with before.
        """
        earlier = self._earlier(self._recorded(), started, results)
        return earlier or self._earlier(list(self._in_folders()), started, results)

    def remember(self, night: Night) -> None:
        """Make a night a good one: later ones are compared with it."""
        results = self.deployment.results(night.results)
        folder = results.folder
        folder.write_json(folder.night, night.as_json())
        folder.clean()
        results.publish()
        others = [other for other in self._recorded() if other.results != night.results]
        nights = sorted([*others, night], key=lambda one: one.started)[-_REMEMBERED:]
        value = {"nights": [one.as_json() for one in nights]}
        self.deployment.store.put_record(NIGHTS, self.dag_id, value)

    def forget(self, results: str) -> None:
        """Have a night be none of the good ones: it was cleared, and failed this time."""
        forgotten = self.deployment.results(results)
        forgotten.remove(forgotten.folder.night.name)
        nights = self._recorded()
        left = [night.as_json() for night in nights if night.results != results]
        if len(left) < len(nights):
            self.deployment.store.put_record(NIGHTS, self.dag_id, {"nights": left})

    def _recorded(self) -> list[Night]:
        record = self.deployment.store.get_records(NIGHTS, [self.dag_id]).get(self.dag_id)
        with contextlib.suppress(TypeError, KeyError):  # a record of another version is none
            return [Night.from_json(data) for data in (record or {}).get("nights", [])]
        return []

    def _in_folders(self) -> Iterator[Night]:
        for campaign, text in self.deployment.results_root.documents("night.json"):
            with contextlib.suppress(ValueError, TypeError):
                night = Night.from_json(json.loads(text))
                if night.dag_id == self.dag_id and night.results == campaign:
                    yield night

    def _earlier(self, nights: list[Night], started: str, results: str) -> Night | None:
        fit = [one for one in nights if one.started <= started and one.results != results]
        newest_first = sorted(fit, key=lambda one: one.started, reverse=True)
        for gone, night in enumerate(newest_first):
            kept = self.deployment.results(night.results)
            if kept.has(kept.folder.scalars_table.name):
                if gone:
                    log.info("%d later good nights have no results any more.", gone)
                return night
        return None


def night_inputs(packed: PackedCampaign, terms: NightTerms) -> str:
    """The digest of all that a night's results and verdict depend on, but the night before.

    Trees with every file, what executes them, the parameters, and how nights are compared.
    """
    request = {k: v for k, v in vars(packed.request).items() if k != "results"}
    return digest(
        {
            "trees": [[tree.place, tree.archive] for tree in packed.trees],
            "ini_dir": packed.ini_dir,
            "environment": packed.environment,
            "request": request,
            "criteria": vars(terms.criteria),
            "pinned": terms.pinned,
        }
    )


def check_changed(deployment: Deployment, packed: PackedCampaign, terms: NightTerms) -> None:
    """Return if there is something to simulate tonight.

    Raises:
        UnchangedError: nothing has changed since the last good night; the message says which.
    """
    if not terms.skip_unchanged or packed.unsteady or packed.request.plan_only:
        return
    # Not itself, if somebody cleared it: they want it done again.
    last = Nights(deployment, packed.dag_id).last_good(packed.started, packed.results)
    if last is None or last.inputs != night_inputs(packed, terms):
        return
    commit = f" (commit {packed.model.commit[:12]})" if packed.model.commit else ""
    raise UnchangedError(
        f"Neither model{commit} nor projects, image or parameters have changed since the good "
        f"night of {last.started}, whose results are in {last.results}: nothing is simulated. "
        f"The verdict stays: {last.verdict}."
    )


def note_failure(deployment: Deployment, dag_id: str, run_id: str, error: OppflowError) -> None:
    """Keep why the first task failed, for the task that tells of the night."""
    with contextlib.suppress(StoreError):  # then the store is what failed
        deployment.store.put_record(FAILURE, f"{dag_id}/{run_id}", {"message": error.message})


def noted_failure(deployment: Deployment, dag_id: str, run_id: str) -> str:
    """What `note_failure` kept, or nothing."""
    key = f"{dag_id}/{run_id}"
    record = deployment.store.get_records(FAILURE, [key]).get(key) or {}
    return str(record.get("message", ""))
