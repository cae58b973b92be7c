"""A campaign at one moment: what its DAG run, the store and the results folder tell together."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import polars as pl

from oppflow.campaign import Outcome
from oppflow.deployment import Deployment
from oppflow.errors import StoreError
from oppflow.plan import PackedCampaign, Plan
from oppflow.progress import KIND as PROGRESS
from oppflow.progress import progress_key
from oppflow.results import CampaignResults
from oppflow.stages.pack import CAMPAIGN, campaign_key
from oppflow.stages.simulate import run_record_key
from oppflow.web.collector import no_collections
from oppflow.web.results import RunsTable, read_runs_table
from oppflow.web.runs_frame import (
    PlannedRuns,
    planned_runs,
    recorded_runs,
    with_progress,
    with_results,
)
from oppflow.web.states import BAD
from oppflow.web.text import shown

log = logging.getLogger(__name__)

_MESSAGES_READ = 500
"""Records of failed runs that are read to tell why; after the campaign ended, a table has all."""

Json = dict[str, Any]


@dataclass(frozen=True)
class DagRunFacts:
    """What Airflow tells of a campaign's DAG run.

    ``tasks`` counts task instances by state; ``planned`` is when `resolve_runs` ended.
    """

    dag_id: str
    run_id: str
    state: str
    queued: datetime | None
    started: datetime | None
    ended: datetime | None
    user: str
    conf: Mapping[str, Any]
    tasks: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    planned: str = ""

    @property
    def is_over(self) -> bool:
        """Whether nothing of it runs any more."""
        return self.state in ("success", "failed")


@dataclass(frozen=True)
class CampaignState:
    """All that the page needs of a campaign.

    ``packed`` is None while, or because, there is no campaign behind the DAG run; ``runs`` is a
    table of `oppflow.web.runs_frame`, None while there is no plan. ``lines`` are the last lines of
    runs at work, by run number. ``trouble`` says, for a person, what could not be read. ``version``
    differs whenever something else does.
    """

    facts: DagRunFacts
    packed: PackedCampaign | None
    planned: PlannedRuns | None
    runs: pl.DataFrame | None
    lines: Mapping[int, list[str]]
    trouble: str
    version: str
    collected: bool = False
    messages: Mapping[int, tuple[int, str]] = field(default_factory=dict)
    batches: Mapping[int, Json] = field(default_factory=dict)

    def results(self, deployment: Deployment) -> CampaignResults | None:
        """The campaign's results, which may not be there yet."""
        if self.packed is None or self.packed.request.plan_only:
            return None
        return deployment.results_root.for_readers().campaign(self.packed.results)


class StateReader:
    """Reads the state of campaigns, with as much of the state before as still holds."""

    def __init__(self, deployment: Deployment) -> None:
        self._deployment = deployment
        self._store = deployment.store

    def read(
        self, facts: DagRunFacts, handed_on: Mapping[str, Any] | None, before: CampaignState | None
    ) -> CampaignState:
        """The state now; ``handed_on`` is what the task `pack_model` returned, for want of better.

        A store that cannot be reached leaves what Airflow and the results folder tell.
        """
        try:
            packed = self._packed(facts) or _parsed(handed_on)
            return self._read(facts, packed, before)
        except StoreError as error:
            log.warning("The campaign page cannot read the store: %s", error)
            return self._without_store(facts, _parsed(handed_on), f"{error}")

    def _packed(self, facts: DagRunFacts) -> PackedCampaign | None:
        key = campaign_key(facts.dag_id, facts.run_id)
        return _parsed(self._store.get_records(CAMPAIGN, [key]).get(key))

    def _read(
        self, facts: DagRunFacts, packed: PackedCampaign | None, before: CampaignState | None
    ) -> CampaignState:
        if packed is None:
            return _state(facts, None)
        if before is not None and (
            before.packed is None or before.packed.campaign != packed.campaign
        ):
            before = None
        table = self._results(facts, packed)
        planned = self._planned(facts, packed, before)
        if planned is not None and table is not None:
            return _from_results(facts, packed, planned, table, "")
        if planned is not None:
            return self._live(facts, packed, planned, before)
        trouble = _missing_plan(facts)
        if table is not None:
            return _from_results(facts, packed, recorded_runs(table.runs()), table, trouble)
        return _state(facts, packed, trouble=trouble)

    def _planned(
        self, facts: DagRunFacts, packed: PackedCampaign, before: CampaignState | None
    ) -> PlannedRuns | None:
        """The plan, read again only if it was made again: it is the largest of the records."""
        if (
            before is not None
            and facts.planned == before.facts.planned != ""
            and not before.trouble
        ):
            return before.planned
        with no_collections():
            data = self._store.get_records("plan", [packed.campaign]).get(packed.campaign)
            return None if data is None else planned_runs(Plan.from_json(data))

    def _live(
        self,
        facts: DagRunFacts,
        packed: PackedCampaign,
        planned: PlannedRuns,
        before: CampaignState | None,
    ) -> CampaignState:
        by_index = self._progress(packed, planned, before)
        batches = [by_index[index] for index in sorted(by_index)]
        version = _digest([_told(facts), batches])
        if before is not None and before.version == version:
            return before
        is_over = facts.is_over and not packed.request.plan_only
        frame = with_progress(planned, batches, is_over=is_over)
        messages = self._messages(packed, frame, before)
        if messages:
            told = {number: text for number, (_, text) in messages.items()}
            texts = pl.col("run").replace_strict(told, default="", return_dtype=pl.String)
            frame = frame.with_columns(texts.alias("message"))
        lines = {
            int(number): [shown(line) for line in run["lines"]]
            for batch in batches
            for number, run in batch["running"].items()
        }
        return CampaignState(facts, packed, planned, frame, lines, "", version, messages=messages)

    def _progress(
        self, packed: PackedCampaign, planned: PlannedRuns, before: CampaignState | None
    ) -> dict[int, Json]:
        """The progress of every batch, by map index: of those that are through, read once."""
        known = before.batches if before is not None and before.planned is planned else {}
        through = {
            index: batch
            for index, batch in known.items()
            if _is_through(batch, planned.batches[index])
        }
        keys = {
            progress_key(packed.campaign, index): index
            for index in range(len(planned.batches))
            if index not in through
        }
        found = self._store.get_records(PROGRESS, list(keys))
        return {**through, **{keys[key]: batch for key, batch in found.items()}}

    def _messages(
        self, packed: PackedCampaign, frame: pl.DataFrame, before: CampaignState | None
    ) -> dict[int, tuple[int, str]]:
        """Attempt and message of the runs that are not good: each read once an attempt."""
        known = before.messages if before is not None else {}
        bad = frame.filter(pl.col("state").is_in(BAD), pl.col("attempts").is_not_null())
        rows = bad.select("run", "attempts").head(_MESSAGES_READ).rows()
        found = {
            run: known[run] for run, attempts in rows if run in known and known[run][0] == attempts
        }
        keys = {
            run_record_key(packed, run): (run, tries) for run, tries in rows if run not in found
        }
        for key, record in self._store.get_records("run", list(keys)).items():
            run, attempts = keys[key]
            found[run] = (attempts, shown(str(record.get("message", ""))))
        return found

    def _results(self, facts: DagRunFacts, packed: PackedCampaign) -> RunsTable | None:
        """The table of a campaign that has ended; before that, it may be of an earlier try."""
        if not facts.is_over or packed.request.plan_only:
            return None
        results = self._deployment.results_root.for_readers().campaign(packed.results)
        try:
            results.fetch(results.folder.runs_table.name)
        except StoreError as error:  # then what was fetched before, or what the store tells
            log.warning("The campaign page cannot read the results: %s", error)
        return read_runs_table(results.folder.runs_table)

    def _without_store(
        self, facts: DagRunFacts, packed: PackedCampaign | None, trouble: str
    ) -> CampaignState:
        table = self._results(facts, packed) if packed else None
        if packed is None or table is None:
            return _state(facts, packed, trouble=trouble)
        return _from_results(facts, packed, recorded_runs(table.runs()), table, trouble)


def _is_through(batch: Json, size: int) -> bool:
    """Whether all runs ended in a way that no further attempt changes."""
    ended = batch["ended"].values()
    return len(ended) == size and all(Outcome(outcome).is_final for outcome, *_ in ended)


def _state(
    facts: DagRunFacts, packed: PackedCampaign | None, *, trouble: str = ""
) -> CampaignState:
    version = _digest([_told(facts), packed.campaign if packed else "", trouble])
    return CampaignState(facts, packed, None, None, {}, trouble, version)


def _from_results(
    facts: DagRunFacts,
    packed: PackedCampaign,
    planned: PlannedRuns,
    table: RunsTable,
    trouble: str,
) -> CampaignState:
    frame = with_results(planned, table.frame)
    version = _digest([_told(facts), trouble, int(frame.hash_rows().sum())])
    return CampaignState(facts, packed, planned, frame, {}, trouble, version, collected=True)


def _missing_plan(facts: DagRunFacts) -> str:
    if not facts.is_over and not facts.tasks.get("resolve_runs", {}).get("success"):
        return ""  # not there yet
    if facts.tasks.get("resolve_runs", {}).get("success"):
        return (
            "The store does not hold the campaign's plan any more: what is shown comes from the "
            "results folder, as far as there is one."
        )
    return "The campaign has no plan: resolve_runs did not succeed. Its log says why."


def _parsed(data: Mapping[str, Any] | None) -> PackedCampaign | None:
    try:
        return PackedCampaign.from_json(data) if data else None
    except (LookupError, TypeError, ValueError):
        log.warning("A campaign's record cannot be read: it may be of another version.")
        return None


def _told(facts: DagRunFacts) -> list[Any]:
    tasks = {task: dict(states) for task, states in facts.tasks.items()}
    return [facts.state, str(facts.started), str(facts.ended), facts.planned, tasks]


def _digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:20]


def results_stamp(results: CampaignResults) -> str:
    """What changes when the campaign's results do."""
    folder = results.folder
    return _digest(results.stamp(folder.scalars_table.name, folder.runs_table.name))
