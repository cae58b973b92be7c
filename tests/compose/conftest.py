"""docker-compose.yaml brought up for real, with images that need no registry."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from oppflow.local.client import AirflowClient
from oppflow.settings import PROJECT_ROOT
from tests.airflow.conftest import ENDED
from tests.support.campaigns import MODELS
from tests.support.containers import IMAGE
from tests.support.ports import free_port
from tests.support.processes import eventually

PROJECT = "oppflow-test"
TEST_FILE = PROJECT_ROOT / "tests" / "compose" / "docker-compose.test.yaml"
WANTED = "OPPFLOW_TEST_COMPOSE"
"""Set by ``make test-compose``, which makes the images first."""


def compose_client() -> list[str]:
    """The words that call Docker Compose v2 or docker-compose 1.29; none where there is neither."""
    for words in (["docker", "compose"], ["docker-compose"]):
        if shutil.which(words[0]):
            done = subprocess.run([*words, "version"], capture_output=True, check=False)
            if done.returncode == 0:
                return words
    return []


@dataclass(frozen=True)
class Compose:
    """A project of the file at hand, with an ``.env`` of its own."""

    folder: Path
    files: tuple[Path, ...] = (PROJECT_ROOT / "docker-compose.yaml", TEST_FILE)

    @property
    def environment(self) -> dict[str, str]:
        """The values of the ``.env``."""
        lines = (self.folder / ".env").read_text().splitlines()
        return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))

    def __call__(self, *words: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Call Compose; what it printed."""
        files = [word for file in self.files for word in ("--file", str(file))]
        command = [*compose_client(), "--project-name", PROJECT, *files]
        command += ["--project-directory", str(PROJECT_ROOT)]
        command += ["--env-file", str(self.folder / ".env"), *words]
        # The machine's own variables win over an .env.
        env = {k: v for k, v in os.environ.items() if not k.startswith(("OPPFLOW_", "AIRFLOW"))}
        done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
        assert not check or done.returncode == 0, done.stdout[-3000:] + done.stderr[-5000:]
        return done

    def container(self, service: str) -> dict[str, Any]:
        """What the engine tells of a service's container."""
        found = self("ps", "--quiet", service).stdout.split()
        assert found, service
        told = subprocess.run(["docker", "inspect", found[0]], capture_output=True, check=True)
        return dict(json.loads(told.stdout)[0])

    def services(self) -> list[str]:
        """All that the files name."""
        return self("config", "--services").stdout.split()


@pytest.fixture(scope="session")
def client_is_there() -> None:
    if not compose_client():
        pytest.skip("neither 'docker compose' nor docker-compose is here")


@pytest.fixture
def written(client_is_there: None, tmp_path: Path) -> Compose:
    """A project that is not up, with a fresh ``.env``."""
    make_env(tmp_path)
    return Compose(tmp_path)


def make_env(folder: Path, *options: str, **more: str) -> None:
    """``make env``, and what a lab would add to the file by hand."""
    path = folder / ".env"
    words = [sys.executable, str(PROJECT_ROOT / "bin" / "make-env"), *options, str(path)]
    subprocess.run(words, check=True, capture_output=True)
    with path.open("a") as file:
        file.writelines(f"{name}={value}\n" for name, value in more.items())


@dataclass(frozen=True)
class Up:
    """The stack that is up, and a client that is signed in."""

    compose: Compose
    client: AirflowClient

    @property
    def results(self) -> Path:
        return self.compose.folder / "results"

    def run(self, **conf: Any) -> str:
        """Trigger a campaign and wait for its end; its folder's name."""
        run_id = self.client.trigger(conf)
        self.wait(run_id)
        return str(self.client.xcom(run_id, "pack_model")["results"])

    def wait(self, run_id: str, *, within: float = 300) -> str:
        """How a campaign ended."""
        eventually(lambda: self.client.dag_run(run_id)["state"] in ENDED, within=within)
        return str(self.client.dag_run(run_id)["state"])


@pytest.fixture(scope="session")
def up(client_is_there: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    if not os.environ.get(WANTED):
        pytest.skip("make test-compose brings the stack up")
    folder = tmp_path_factory.mktemp("compose")
    for path in (folder, *folder.parents):  # the image's user comes from another namespace
        if path.stat().st_uid == os.getuid() and path != Path("/"):
            path.chmod(path.stat().st_mode | 0o111)
    port = free_port()
    nightly = folder / "nightly"
    nightly.mkdir()
    make_env(
        folder,
        OPPFLOW_PORT=str(port),
        OPPFLOW_RESULTS=str(folder / "results"),
        OPPFLOW_MODELS=str(MODELS),
        OPPFLOW_NIGHTLY=str(nightly),
        OPPFLOW_IMAGES=IMAGE,
        OPPFLOW_DEPLOYMENT=PROJECT,
    )
    compose = Compose(folder)
    try:
        compose("down", "--volumes", check=False)  # of a test that was killed
        compose("build")
        compose("up", "--detach")
        password = compose.environment["OPPFLOW_ADMIN_PASSWORD"]
        eventually(lambda: _healthy(compose), within=300)
        url = f"http://127.0.0.1:{port}"
        with contextlib.closing(AirflowClient(url, "admin", password)) as client:
            client.wait_for_dag()
            yield Up(compose, client)
    finally:
        sys.stderr.write(compose("logs", "--tail", "40", check=False).stdout[-20_000:])
        compose("down", "--volumes", "--timeout", "20", check=False)


def _healthy(compose: Compose) -> bool:
    services = [name for name in compose.services() if name != "airflow-init"]
    states = [compose.container(name)["State"] for name in services]
    return all(state.get("Health", {}).get("Status") == "healthy" for state in states)
