"""Containers under a real Airflow: tasks that are killed, and campaigns that are cancelled."""

from __future__ import annotations

import contextlib
import os
import shutil
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from oppflow.local.client import AirflowClient
from oppflow.local.home import USER, Home
from oppflow.local.stack import Stack
from tests.airflow.conftest import LiveAirflow
from tests.support.campaigns import BAD_MODELS, MODELS
from tests.support.containers import IMAGE, containers, remove_all, simulating, why_no_containers
from tests.support.processes import eventually

DEPLOYMENT = f"test-{uuid.uuid4().hex[:8]}"
NOWHERE = "registry.invalid/nobody/nothing:1"
STOPPED_WITHIN = 10.0  # seconds


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A deployment of its own, whose tasks start containers; nothing of it is left."""
    if why := why_no_containers():
        pytest.skip(why)
    folder = tmp_path_factory.mktemp("containers")
    before = dict(os.environ)
    os.environ.update(
        {
            "OPPFLOW_HOME": str(folder / "airflow"),
            "OPPFLOW_RESULTS": str(folder / "results"),
            "OPPFLOW_WORK": str(folder / "work"),
            "OPPFLOW_STORE_URL": (folder / "store").as_uri(),
            "OPPFLOW_MODEL_ROOTS": f"{MODELS}:{BAD_MODELS}:{folder}",
            "OPPFLOW_RUNNER": "docker",
            "OPPFLOW_IMAGES": f"{IMAGE},{NOWHERE}",
            "OPPFLOW_DEPLOYMENT": DEPLOYMENT,
        }
    )
    yield folder
    os.environ.clear()
    os.environ.update(before)
    remove_all(DEPLOYMENT)


@pytest.fixture(scope="module")
def airflow(environment: Path) -> Iterator[LiveAirflow]:
    home = Home.of_project()
    quick = {"AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "10"}
    stack = Stack.start(home, overrides=quick)
    try:
        with contextlib.closing(AirflowClient(stack.url, USER, home.password())) as client:
            client.wait_for_dag()
            yield LiveAirflow(stack, client, environment)
    finally:
        stack.stop()


def simulate_tasks(airflow: LiveAirflow, run_id: str) -> list[dict[str, Any]]:
    return [t for t in airflow.client.task_instances(run_id) if t["task_id"] == "simulate"]


def process_of(airflow: LiveAirflow, task: dict[str, Any]) -> psutil.Process:
    """The process that executes a task instance, by the title that Airflow gives it."""
    for process in airflow.processes():
        with contextlib.suppress(psutil.Error):
            if process.cmdline()[:1] == [f"airflow worker -- {task['id']}"]:
                return process
    raise AssertionError("no process executes the task")


def start(airflow: LiveAirflow, **conf: Any) -> tuple[str, psutil.Process]:
    """Trigger a campaign of one batch; its DAG run's ID, and its task, once that simulates."""
    run_id = airflow.client.trigger({"runs_per_task": 4, "reuse_results": False, **conf})
    eventually(lambda: simulating(DEPLOYMENT))
    (task,) = simulate_tasks(airflow, run_id)
    return run_id, process_of(airflow, task)


def test_a_campaign_is_green_and_leaves_nothing_on_the_engine(airflow: LiveAirflow) -> None:
    """Every run is a task with an operator of Docker's; its container has its labels."""
    run_id = airflow.client.trigger({"model": "mm1", "config": "Short", "run_filter": "0,3"})
    container = eventually(lambda: simulating(DEPLOYMENT))
    labels = container[0]["Labels"]  # type: ignore[index]
    assert labels["oppflow.dag_id"] == "simulation_campaign"
    assert labels["oppflow.run_id"] == run_id
    assert labels["oppflow.task_id"] == "simulate"
    assert labels["oppflow.map_index"] in ("0", "1")
    assert labels["oppflow.attempt"] == "1"
    ended = airflow.wait(run_id)
    assert ended.green
    assert ended.manifest.data["outcomes"] == {"done": 2}
    assert ended.manifest.data["environment"]["kind"] == "image"
    operators = {task["operator_name"] for task in simulate_tasks(airflow, run_id)}
    assert operators == {"DockerSimulateOperator"}
    assert containers(DEPLOYMENT) == []


@pytest.mark.parametrize("victim", [lambda task: task, psutil.Process.parent],
                         ids=["task", "supervisor"])  # fmt: skip
def test_a_killed_task_is_retried_and_goes_on_with_its_container(
    airflow: LiveAirflow, victim: Callable[[psutil.Process], psutil.Process]
) -> None:
    """No run is lost, and none is executed twice: there was one container."""
    run_id, task = start(
        airflow, model="mm1", config="Short", run_filter="0..3",
        options={"*.customers": 150_000},
    )  # fmt: skip
    (container,) = simulating(DEPLOYMENT)
    victim(task).kill()
    ended = airflow.wait(run_id)
    assert ended.green
    runs = ended.manifest.data["runs"]
    assert {run["outcome"] for run in runs} == {"done"}
    (again,) = simulate_tasks(airflow, run_id)
    assert again["try_number"] == 2
    assert "Taking over the container" in ended.log("simulate", 0)
    started = min(run["started"] for run in runs)
    assert started.split(".")[0] >= _created(container)
    assert containers(DEPLOYMENT) == []


def running(deployment: str, task_id: str) -> list[dict[str, Any]]:
    """The containers of a task that run right now."""
    found = containers(deployment)
    mine = [one for one in found if one["Labels"].get("oppflow.task_id") == task_id]
    return [one for one in mine if one["State"] == "running"]


def _created(container: dict[str, Any]) -> str:
    from datetime import datetime, timezone

    moment = datetime.fromtimestamp(container["Created"], tz=timezone.utc)
    return moment.isoformat().removesuffix("+00:00")


def test_nothing_of_a_cancelled_campaign_runs_ten_seconds_later(airflow: LiveAirflow) -> None:
    """Though its only run would never have ended."""
    run_id, _ = start(airflow, model="mm1", config="Endless")
    airflow.client.cancel(run_id)
    eventually(lambda: not simulating(DEPLOYMENT), within=STOPPED_WITHIN)
    assert not airflow.wait(run_id).green


def test_what_a_dead_task_left_goes_with_the_next_campaign(airflow: LiveAirflow) -> None:
    """Its campaign was cancelled before it could be tried again."""
    run_id, task = start(airflow, model="mm1", config="Endless")
    task.kill()
    airflow.client.cancel(run_id)
    airflow.wait(run_id)
    assert len(simulating(DEPLOYMENT)) == 1
    assert airflow.run(model="mm1", config="Short", run_filter="0").green
    assert containers(DEPLOYMENT) == []


def test_a_build_ends_with_its_campaign(airflow: LiveAirflow) -> None:
    """Its container would not notice that its task is gone."""
    model = Path(shutil.copytree(MODELS / "mm1", airflow.folder / "slow"))
    (model / "Makefile").write_text("all:\n\tsleep 600\n")
    run_id = airflow.client.trigger({"model": "slow", "config": "Short"})
    eventually(lambda: running(DEPLOYMENT, "build_model"))
    eventually(lambda: airflow.client.xcom(run_id, "resolve_runs"))
    airflow.client.cancel(run_id)
    eventually(lambda: not running(DEPLOYMENT, "build_model"), within=STOPPED_WITHIN)


def test_a_missing_image_is_told_at_once(airflow: LiveAirflow) -> None:
    """By the first task, without a traceback and without retries."""
    ended = airflow.run(model="mm1", config="Short", image=NOWHERE)
    assert not ended.green
    (task,) = [task for task in ended.tasks if task["task_id"] == "pack_model"]
    assert task["try_number"] == 1
    told = ended.log("pack_model")
    assert f"{NOWHERE} is not on the container engine, and cannot be pulled" in told
    assert "make images" in told
    assert "Traceback" not in told
