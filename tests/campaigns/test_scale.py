"""Many runs: few round trips, few tasks, few bytes; and a plan without a simulation."""

from __future__ import annotations

import json
import logging
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from oppflow.batching import MOST_TASKS
from oppflow.deployment import Deployment
from oppflow.plan import Plan
from oppflow.stages.resolve import resolve_runs
from oppflow.store import Store
from tests.support.campaigns import make_deployment, pack, run_campaign
from tests.support.processes import simulations

MANY = {"repeat": "2500"}  # of mm1's four loads
_COUNTED = ("put", "put_record", "put_records", "get_records", "missing", "open")


class CountingStore:
    """Counts the calls that reach a real store."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.calls: Counter[str] = Counter()

    def __getattr__(self, name: str) -> Any:
        if name in _COUNTED:
            self.calls[name] += 1
        return getattr(self._store, name)


@pytest.fixture
def counted(tmp_path: Path) -> Deployment:
    made = make_deployment(tmp_path, cores=2, slots=1)
    return replace(made, store=CountingStore(made.store))  # type: ignore[arg-type]


def test_ten_thousand_runs_are_planned_in_few_round_trips(counted: Deployment) -> None:
    """In at most 200 tasks, of which Airflow gets to know some bytes each."""
    packed = pack(counted, model="mm1", config="Short", options=MANY)
    counted.store.calls.clear()  # type: ignore[attr-defined]
    batches = resolve_runs(counted, packed)
    assert sum(batch["runs"] for batch in batches) == 10_000
    assert len(batches) <= MOST_TASKS
    assert sum(counted.store.calls.values()) < 10  # type: ignore[attr-defined]
    assert len(json.dumps(batches)) < 200 * len(batches)
    assert len(json.dumps(packed.as_json())) < 5000


def test_a_run_takes_one_round_trip(counted: Deployment) -> None:
    """Its archive and its records go to the store together."""
    run_campaign(counted, model="mm1", config="Short", runs_per_task=8)
    calls = counted.store.calls  # type: ignore[attr-defined]
    assert calls["put"] == 8 + 2  # the model's sources and its build, too
    assert calls["put_records"] == 1  # the plan and its batches
    # Of the campaign, the build, the history, and what the batch publishes once a second.
    assert calls["put_record"] <= 3 + 4


def test_durations_of_earlier_runs_make_the_batches(deployment: Deployment) -> None:
    """Short runs share a task once they are known to be short."""
    first = run_campaign(deployment, model="mm1", config="Short")
    second = run_campaign(deployment, model="mm1", config="Short", reuse_results=False)
    assert len(first.batches) == 8
    assert len(second.batches) == 1
    assert second.outcomes == {"done": 8}
    data = deployment.store.get_records("plan", [second.packed.campaign])
    plan = Plan.from_json(data[second.packed.campaign])
    expected = {planned.run.number: planned.expected or 0 for planned in plan.runs}
    (batch,) = plan.batches
    assert sorted(batch, key=lambda number: -expected[number]) == list(batch)


def test_a_history_that_makes_no_sense_is_none(deployment: Deployment) -> None:
    """An earlier version's, say."""
    first = run_campaign(deployment, model="mm1", config="Short")
    from oppflow.stages.resolve import HISTORY, history_key

    key = history_key(first.packed)
    deployment.store.put_record(HISTORY, key, {"runs": {"load=0.3,#0": "odd"}})
    again = run_campaign(deployment, model="mm1", config="Short", reuse_results=False)
    assert len(again.batches) == 8


def test_an_earlier_failure_is_a_reason(deployment: Deployment) -> None:
    """The run is executed again, and the plan says why."""
    for _ in range(2):
        finished = run_campaign(deployment, model="fails", config="General")
    assert set(finished.reasons) == {"earlier attempt failed"}


class TestPlanOnly:
    def test_it_simulates_and_builds_nothing(
        self, deployment: Deployment, caplog: pytest.LogCaptureFixture
    ) -> None:
        """The log tells every run and how long it would take; no folder is taken."""
        run_campaign(deployment, model="mm1", config="Short", run_filter="0..3")
        caplog.clear()
        with caplog.at_level(logging.INFO):
            planned = run_campaign(
                deployment, model="mm1", config="Short", plan_only=True, results="later"
            )
        assert planned.green, planned.errors
        assert planned.batches == []
        assert planned.built == {"built": [], "reused": []}
        assert not planned.folder.path.exists()
        assert "4 to execute in 1 task, 4 reused" in caplog.text
        assert "CPU time, going by earlier runs" in caplog.text
        assert caplog.text.count(": executed, new run") == 4
        assert run_campaign(deployment, model="mm1", config="Short", results="later").green

    def test_what_cannot_be_planned_is_red(self, deployment: Deployment) -> None:
        """As a campaign would be."""
        planned = run_campaign(deployment, model="mm1", config="Nothere", plan_only=True)
        assert not planned.green
        assert "No such config" in str(planned.errors["resolve_runs"])


def test_two_campaigns_that_need_the_same_runs(
    deployment: Deployment, own_model: Callable[[str], Path]
) -> None:
    """At once: both get all files, whole, and each run's are equal."""
    own_model("mm1")

    def campaign(_: int) -> Any:
        return run_campaign(deployment, model="my_mm1", config="Short", runs_per_task=4)

    with ThreadPoolExecutor(2) as pool:
        one, other = pool.map(campaign, range(2))
    assert one.green, one.errors
    assert other.green, other.errors
    assert one.files() == other.files()
    assert not simulations(deployment.settings.work_dir)
