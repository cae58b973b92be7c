"""A real Airflow for the tests: scheduler, API server and DAG processor, with LocalExecutor."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest

from oppflow.local.client import AirflowClient
from oppflow.local.home import USER, Home
from oppflow.local.stack import Stack
from oppflow.manifest import Manifest
from tests.support.campaigns import BAD_MODELS, MODELS
from tests.support.processes import eventually

ENDED = ("success", "failed")
VIEWER = "vera"
"""A user who may look at everything, and do nothing."""


@dataclass
class LiveAirflow:
    """A running Airflow, a client that is signed in, and where its deployment keeps things."""

    stack: Stack
    client: AirflowClient
    folder: Path

    @property
    def work_dir(self) -> Path:
        return self.folder / "work"

    def run(self, **conf: Any) -> Ended:
        """Trigger a campaign and wait for its end."""
        return self.wait(self.client.trigger(conf))

    def wait(self, run_id: str, *, within: float = 180) -> Ended:
        eventually(lambda: self.client.dag_run(run_id)["state"] in ENDED, within=within)
        return Ended(self, run_id)

    def processes(self) -> list[psutil.Process]:
        parts = [psutil.Process(part.pid) for part in self.stack.parts.values()]
        return parts + [child for part in parts for child in part.children(recursive=True)]


@dataclass
class Ended:
    """A campaign that has ended."""

    airflow: LiveAirflow
    run_id: str

    @property
    def green(self) -> bool:
        return self.airflow.client.dag_run(self.run_id)["state"] == "success"

    @property
    def tasks(self) -> list[dict[str, Any]]:
        return list(self.airflow.client.task_instances(self.run_id))

    def states(self, task_id: str) -> list[str]:
        return [task["state"] for task in self.tasks if task["task_id"] == task_id]

    @property
    def results(self) -> Path:
        packed: Mapping[str, Any] = self.airflow.client.xcom(self.run_id, "pack_model")
        return self.airflow.folder / "results" / packed["results"]

    @property
    def manifest(self) -> Manifest:
        return Manifest.read(self.results / "manifest.json")

    def log(self, task_id: str, map_index: int = -1) -> str:
        task = next(
            task
            for task in self.tasks
            if task["task_id"] == task_id and task["map_index"] == map_index
        )
        lines = self.airflow.client.log(self.run_id, task_id, task["try_number"], map_index)
        return "\n".join(line.text for line in lines)


@pytest.fixture(scope="package")
def deployment_environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Everything of the deployment below one folder, for this process and its children."""
    folder = tmp_path_factory.mktemp("deployment")
    (folder / "models").mkdir()
    (folder / "nightly").mkdir()
    changes = {
        "OPPFLOW_HOME": str(folder / "airflow"),
        "OPPFLOW_RESULTS": str(folder / "results"),
        "OPPFLOW_WORK": str(folder / "work"),
        "OPPFLOW_STORE_URL": (folder / "store").as_uri(),
        "OPPFLOW_MODEL_ROOTS": f"{MODELS}:{BAD_MODELS}:{folder / 'models'}",
        "OPPFLOW_NIGHTLY": str(folder / "nightly"),
        "OPPFLOW_RUNNER": "process",
    }
    before = dict(os.environ)
    os.environ.update(changes)
    yield folder
    os.environ.clear()
    os.environ.update(before)


@pytest.fixture(scope="package")
def airflow(deployment_environment: Path) -> Iterator[LiveAirflow]:
    home = Home.of_project()
    # A killed supervisor is noticed by its missing heartbeats; the default takes a minute.
    overrides = {
        "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "10",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": f"{USER}:admin,{VIEWER}:viewer",
    }
    stack = Stack.start(home, overrides=overrides)
    try:
        with contextlib.closing(AirflowClient(stack.url, USER, home.password())) as client:
            client.wait_for_dag()
            yield LiveAirflow(stack, client, deployment_environment)
    finally:
        stack.stop()
