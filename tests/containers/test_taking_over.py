"""An attempt dies, and the next one goes on with its container: nothing is lost or done twice."""

from __future__ import annotations

import logging
import pickle
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from oppflow.deployment import Deployment
from oppflow.plan import PackedCampaign
from oppflow.runners.docker import paths
from oppflow.runners.docker.connection import connect
from oppflow.runners.docker.package import empty_files
from oppflow.settings import PROJECT_ROOT
from oppflow.stages.build import build_model
from oppflow.stages.resolve import resolve_runs
from oppflow.stages.simulate import run_record_key, simulate_batch
from tests.support.campaigns import pack
from tests.support.containers import containers, inspect, simulating
from tests.support.processes import eventually

TASK = PROJECT_ROOT / "tests" / "support" / "batch_task.py"
RUNS = 4


@pytest.fixture
def packed(deployment: Deployment) -> PackedCampaign:
    """A campaign whose only batch has four runs of a second or so."""
    campaign = pack(
        deployment, model="mm1", config="Short", run_filter="0..3", runs_per_task=RUNS,
        options={"*.customers": 60_000},
    )  # fmt: skip
    resolve_runs(deployment, campaign)
    build_model(deployment, campaign)
    return campaign


def records(deployment: Deployment, packed: PackedCampaign) -> dict[int, dict[str, Any]]:
    """The runs' records, by number."""
    keys = [run_record_key(packed, number) for number in range(RUNS)]
    found = deployment.store.get_records("run", keys)
    return {record["number"]: record for record in found.values()}


@contextmanager
def task(deployment: Deployment, packed: PackedCampaign, folder: Path) -> Iterator[Any]:
    """A process that executes the batch, until a run of it is recorded."""
    known = folder / "task.pickle"
    known.write_bytes(pickle.dumps((deployment.settings, packed.as_json())))
    command = [sys.executable, str(TASK), str(known), "0"]
    environment = {"PYTHONPATH": str(PROJECT_ROOT / "plugins"), "PATH": "/usr/bin:/bin",
                   "AIRFLOW_HOME": str(folder / "airflow")}  # fmt: skip
    with subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL) as process:
        try:
            eventually(lambda: records(deployment, packed))
            yield process
        finally:
            process.kill()


@pytest.fixture
def orphan(deployment: Deployment, packed: PackedCampaign, tmp_path: Path) -> str:
    """The container of a task that was killed after its first run."""
    with task(deployment, packed, tmp_path) as process:
        process.kill()
    (container,) = simulating(deployment.settings.deployment)
    return str(container["Id"])


def ended(container: str) -> bool:
    return inspect(container)["State"]["Status"] == "exited"


def test_a_container_goes_on_when_its_task_is_killed_and_the_next_attempt_takes_over(
    deployment: Deployment,
    packed: PackedCampaign,
    orphan: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """No run is executed twice: each keeps the times of its only execution."""
    caplog.set_level(logging.INFO)
    before = records(deployment, packed)
    assert simulate_batch(deployment, packed, 0, attempt=2) == {"done": RUNS}
    after = records(deployment, packed)
    assert "which runs" in caplog.text
    assert before.items() <= after.items()
    starts = sorted(record["started"] for record in after.values())
    assert len(set(starts)) == RUNS
    assert containers(deployment.settings.deployment) == []


def test_what_a_container_did_to_its_end_is_taken_from_it(
    deployment: Deployment,
    packed: PackedCampaign,
    orphan: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The engine kept all that it said, and all files that nobody took."""
    caplog.set_level(logging.INFO)
    eventually(lambda: ended(orphan))
    finished = inspect(orphan)["State"]["FinishedAt"]
    assert simulate_batch(deployment, packed, 0, attempt=2) == {"done": RUNS}
    assert "which has ended" in caplog.text
    assert max(record["ended"] for record in records(deployment, packed).values()) < finished
    assert containers(deployment.settings.deployment) == []


def test_what_was_killed_is_started_anew(
    deployment: Deployment,
    packed: PackedCampaign,
    orphan: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """With the runs that have no record yet."""
    caplog.set_level(logging.INFO)
    subprocess.run(["docker", "kill", orphan], check=True, capture_output=True)
    eventually(lambda: ended(orphan))
    before = records(deployment, packed)
    assert simulate_batch(deployment, packed, 0, attempt=2) == {"done": RUNS}
    assert "which an earlier attempt left" in caplog.text
    assert before.items() <= records(deployment, packed).items()
    assert containers(deployment.settings.deployment) == []


def test_a_run_whose_stored_result_is_lost_is_taken_from_its_container_again(
    deployment: Deployment, packed: PackedCampaign, orphan: str
) -> None:
    """Nobody has given its room back yet."""
    (first,) = list(records(deployment, packed).values())[:1]
    deployment.store.delete(first["archive"])
    assert simulate_batch(deployment, packed, 0, attempt=2) == {"done": RUNS}
    assert records(deployment, packed)[first["number"]]["started"] == first["started"]


def test_a_run_whose_result_is_nowhere_is_executed_again(
    deployment: Deployment, packed: PackedCampaign, orphan: str
) -> None:
    """Its file was taken out of the container already: its word is not enough."""
    (first,) = list(records(deployment, packed).values())[:1]
    deployment.store.delete(first["archive"])
    with connect() as engine:
        engine.put(orphan, paths.OUTPUT, [empty_files([f"run-{first['number']}.tar"])])
    with pytest.raises(Exception, match="1 runs left no record"):
        simulate_batch(deployment, packed, 0, attempt=2)
    assert simulate_batch(deployment, packed, 0, attempt=3) == {"done": RUNS}
