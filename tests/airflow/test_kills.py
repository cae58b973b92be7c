"""Killed tasks and supervisors, and cancelled campaigns: nothing is lost, nothing is left."""

from __future__ import annotations

import psutil
import pytest

from tests.airflow.conftest import Ended, LiveAirflow
from tests.support.processes import at_work, eventually, simulated_run, simulations, workers

GONE_WITHIN = 5.0  # seconds
STOPPED_WITHIN = 10.0


def start_batch(airflow: LiveAirflow) -> str:
    """Trigger a batch of four runs; its DAG run's ID, once the second run is under way."""
    run_id = airflow.client.trigger(
        {
            "model": "mm1",
            "config": "Short",
            "run_filter": "0..3",
            "runs_per_task": 4,
            "reuse_results": False,
            "options": {"*.customers": 150_000},
        }
    )
    eventually(lambda: any(simulated_run(p) == 1 for p in simulations(airflow.work_dir)))
    return run_id


def check_complete(ended: Ended) -> None:
    """Green, every run exactly once, by a second attempt of the batch."""
    assert ended.green
    runs = ended.manifest.data["runs"]
    assert [run["number"] for run in runs] == [0, 1, 2, 3]
    assert {run["outcome"] for run in runs} == {"done"}
    assert [run["attempts"] for run in runs] == [1, 2, 2, 2]
    tries = [task["try_number"] for task in ended.tasks if task["task_id"] == "simulate"]
    assert tries == [2]


@pytest.mark.parametrize("generations", [1, 2], ids=["task", "supervisor"])
def test_a_killed_task_or_supervisor_is_retried_and_loses_nothing(
    airflow: LiveAirflow, generations: int
) -> None:
    """After 5 s no process of it is left; the retry ends in a green campaign."""
    run_id = start_batch(airflow)
    (worker,) = workers(airflow.work_dir)
    victim = worker
    for _ in range(generations):
        victim = psutil.Process(victim.ppid())
    before = at_work(airflow.work_dir)
    victim.kill()
    _, alive = psutil.wait_procs(before, timeout=GONE_WITHIN)
    assert alive == []
    check_complete(airflow.wait(run_id))


def test_a_killed_worker_is_retried(airflow: LiveAirflow) -> None:
    """Its simulations die with it, and the task says that the machine was at fault."""
    run_id = start_batch(airflow)
    (worker,) = workers(airflow.work_dir)
    simulating = simulations(airflow.work_dir)
    worker.kill()
    _, alive = psutil.wait_procs(simulating, timeout=GONE_WITHIN)
    assert alive == []
    check_complete(airflow.wait(run_id))


def test_nothing_of_a_cancelled_campaign_runs_ten_seconds_later(airflow: LiveAirflow) -> None:
    """Marking the DAG run failed ends its simulations, however long they would have taken."""
    run_id = airflow.client.trigger({"model": "mm1", "config": "Endless"})
    eventually(lambda: simulations(airflow.work_dir))
    airflow.client.cancel(run_id)
    eventually(lambda: not at_work(airflow.work_dir), within=STOPPED_WITHIN)
    assert not airflow.wait(run_id).green
