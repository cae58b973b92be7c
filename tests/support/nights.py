"""Nights of a nightly campaign in this process: what its DAG does, without Airflow."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any

from oppflow.comparison import NightTerms
from oppflow.deployment import Deployment
from oppflow.errors import OppflowError
from oppflow.plan import PackedCampaign
from oppflow.stages.compare import compare_night
from oppflow.stages.nights import check_changed, note_failure
from oppflow.stages.pack import Identity, pack_model
from oppflow.stages.report import TaskStates
from tests.support.campaigns import Finished, defaults, run_packed

DAG_ID = "nightly_test"
FIRST = datetime(2026, 11, 1, 2, tzinfo=timezone.utc)

MODEL = {"model": "my_mm1", "config": "Tonight", "run_filter": "$load < 0.6"}
ANYWAY = NightTerms(skip_unchanged=False)

Edit = Callable[[str, str], None]
"""Replaces a text in one of the model's files."""


@dataclass
class Night:
    """What a night told, and the campaign that it was, if it got so far."""

    told: dict[str, Any]
    campaign: Finished | None = None

    @property
    def verdict(self) -> str:
        return str(self.told["verdict"])

    @property
    def comparison(self) -> dict[str, Any]:
        """With the last good night."""
        return next(one for one in self.told["comparisons"] if one["reference"] == "last")

    @property
    def pinned(self) -> dict[str, Any]:
        return next(one for one in self.told["comparisons"] if one["reference"] == "pinned")

    @property
    def changed(self) -> set[str]:
        """The names of scalars that are told to have changed."""
        return {change["name"] for change in self.comparison["changes"]}

    @property
    def report(self) -> str:
        assert self.campaign is not None
        return self.campaign.folder.report.read_text(encoding="utf-8")


def run_night(
    deployment: Deployment,
    number: int,
    *,
    terms: NightTerms | None = None,
    by_hand: bool = False,
    with_report: bool = False,
    **parameters: Any,
) -> Night:
    """The night of the first of November, plus ``number`` days.

    Raises:
        UnchangedError: nothing has changed since the last good one.
    """
    terms = terms or NightTerms()
    started = FIRST + timedelta(days=number)
    identity = Identity(DAG_ID, f"night-{number}", started, datetime.now(timezone.utc))
    facts: Any = {
        "dag_id": DAG_ID,
        "run_id": identity.run_id,
        "started": started.isoformat(timespec="seconds"),
        "by_hand": by_hand,
    }
    given = {**defaults(), "runs_per_task": 100, **parameters}

    def check(packed: PackedCampaign) -> None:
        if not by_hand:
            check_changed(deployment, packed, terms)

    try:
        packed = pack_model(deployment, identity, given, {}, check=check)
    except OppflowError as error:
        note_failure(deployment, DAG_ID, identity.run_id, error)
        states = {"pack_model": {"failed": 1}}
        return Night(compare_night(deployment, None, states, terms, **facts))
    told: dict[str, Any] = {}

    def compare(states: TaskStates) -> None:
        told.update(compare_night(deployment, packed, states, terms, **facts))

    return Night(
        told, run_packed(deployment, packed, before_report=compare, with_report=with_report)
    )


def in_manifest(night: Night) -> dict[str, Any]:
    """What its manifest tells of the comparison."""
    assert night.campaign is not None
    return dict(night.campaign.manifest.data["comparison"])
