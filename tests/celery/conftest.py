"""Several machines on one: Celery workers with work folders of their own, on real servers."""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import pytest

from oppflow.local.client import AirflowClient
from oppflow.local.home import USER, Home, environment
from oppflow.local.stack import Stack, airflow_command
from tests.airflow.conftest import LiveAirflow
from tests.support.campaigns import MODELS
from tests.support.postgres_server import NO_POSTGRES, postgres_is_there, running_postgres
from tests.support.processes import eventually
from tests.support.redis_server import NO_REDIS, redis_is_there, running_redis

HOSTS = ("one", "two", "three")
SLOTS = 2
"""How many simulations each of them executes at once."""


@dataclass
class Host:
    """A Celery worker that knows nothing of the others: its own work folder, its own name."""

    name: str
    queues: str
    folder: Path
    environment: dict[str, str]
    process: psutil.Popen = field(init=False)

    @property
    def work_dir(self) -> Path:
        return self.folder / "work"

    @property
    def output(self) -> Path:
        return self.folder / "output"

    def start(self) -> None:
        """Start it, and wait until it takes work."""
        self.folder.mkdir(exist_ok=True)
        words = [*airflow_command(), "celery", "worker", "--skip-serve-logs", "--queues"]
        words += [self.queues, "--concurrency", str(SLOTS), "--celery-hostname", self.name]
        own = {"OPPFLOW_HOST": self.name, "OPPFLOW_WORK": str(self.work_dir)}
        with self.output.open("ab") as output:
            self.process = psutil.Popen(
                words, env={**self.environment, **own}, stdout=output, stderr=subprocess.STDOUT
            )
        eventually(lambda: b" ready." in self.output.read_bytes(), within=120)

    def die(self) -> None:
        """What a power failure does: all of its processes end at once, unasked."""
        everything = [self.process, *self.process.children(recursive=True)]
        for process in everything:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        psutil.wait_procs(everything, timeout=10)
        self.output.write_bytes(b"")

    def trees(self) -> list[Path]:
        """The models that it has unpacked."""
        folder = self.work_dir / "trees"
        return [path for path in folder.iterdir() if not path.name.startswith(".")]


@dataclass
class Lab:
    """The machines, and the Airflow that they work for."""

    airflow: LiveAirflow
    hosts: dict[str, Host]


@pytest.fixture(scope="package")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    if not postgres_is_there():
        pytest.skip(NO_POSTGRES)
    if not redis_is_there():
        pytest.skip(NO_REDIS)
    folder = tmp_path_factory.mktemp("lab")
    before = dict(os.environ)
    with running_postgres() as database, running_redis() as broker, running_redis() as store:
        os.environ.update(
            OPPFLOW_HOME=str(folder / "airflow"),
            OPPFLOW_RESULTS=str(folder / "results"),
            OPPFLOW_WORK=str(folder / "work"),
            OPPFLOW_STORE_URL=store.url,
            OPPFLOW_MODEL_ROOTS=str(MODELS),
            OPPFLOW_RUNNER="process",
            OPPFLOW_CORES=str(SLOTS * len(HOSTS)),
            OPPFLOW_QUEUES="simulate,large",
        )
        try:
            with _stack(folder, database, broker.url.removesuffix("0")) as lab:
                yield lab
        finally:
            os.environ.clear()
            os.environ.update(before)


@contextlib.contextmanager
def _stack(folder: Path, database: str, broker: str) -> Iterator[Lab]:
    home = Home.of_project()
    overrides = {
        "AIRFLOW__CORE__EXECUTOR": "CeleryExecutor",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": database,
        "AIRFLOW__CELERY__BROKER_URL": f"{broker}0",
        "AIRFLOW__CELERY__RESULT_BACKEND": f"{broker}1",
        "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "10",
    }
    stack = Stack.start(home, overrides=overrides)
    hosts: dict[str, Host] = {}
    try:
        env = {**environment(home, stack.port, "process"), **overrides}
        # A remote worker has no way to Airflow's database.
        del env["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"]
        queues = {"main": "default", **dict.fromkeys(HOSTS, "simulate")}
        queues["three"] = "simulate,large"
        for name, served in queues.items():
            hosts[name] = Host(name, served, folder / name, env)
            hosts[name].start()
        with contextlib.closing(AirflowClient(stack.url, USER, home.password())) as client:
            client.wait_for_dag()
            yield Lab(LiveAirflow(stack, client, folder), hosts)
    finally:
        for host in hosts.values():
            host.die()
        stack.stop()
