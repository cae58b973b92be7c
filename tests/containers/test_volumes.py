"""The trees' volumes: filled once, whoever comes first, and never used half filled."""

from __future__ import annotations

import logging
import pickle
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

import pytest

from oppflow.deployment import Deployment
from oppflow.errors import ArchiveMissingError
from oppflow.runners.docker.connection import connect
from oppflow.runners.docker.runner import DockerRunner
from oppflow.settings import PROJECT_ROOT
from tests.support.containers import containers
from tests.support.processes import eventually
from tests.support.runners import Client

STUCK = PROJECT_ROOT / "tests" / "support" / "stuck_filler.py"
FILLED = "Putting the trees into the volume"


def keepers(deployment: Deployment) -> list[str]:
    """The containers that run because somebody fills a volume."""
    found = containers(deployment.settings.deployment)
    return [c["Id"] for c in found if "-keeper" in c["Names"][0] and c["State"] == "running"]


def volumes(deployment: Deployment) -> list[str]:
    with connect() as engine:
        found = engine.volumes({"oppflow.deployment": deployment.settings.deployment})
    return [volume["Name"] for volume in found]


def test_a_volume_is_filled_once(deployment: Deployment, caplog: pytest.LogCaptureFixture) -> None:
    """Everybody with the same trees mounts the same one."""
    caplog.set_level(logging.INFO)
    for _ in range(2):
        assert Client(deployment, "own_words").simulate("OwnWords").status == 0
    assert caplog.text.count(FILLED) == 1
    assert len(volumes(deployment)) == 1


def test_who_comes_second_waits(deployment: Deployment, caplog: pytest.LogCaptureFixture) -> None:
    """Tasks of one campaign start at the same time."""
    caplog.set_level(logging.INFO)
    clients = [Client(deployment, "own_words") for _ in range(3)]
    with ThreadPoolExecutor() as pool:
        heard = list(pool.map(lambda client: client.simulate("OwnWords"), clients))
    assert [one.outcomes for one in heard] == [["done"]] * 3
    assert caplog.text.count(FILLED) == 1


def test_a_volume_that_was_not_filled_to_its_end_is_filled_again(deployment: Deployment) -> None:
    """Whatever ended the one who was at it."""
    client = Client(deployment, "own_words")

    @contextmanager
    def breaks(digest: str) -> Iterator[BinaryIO]:
        raise ArchiveMissingError("the store lost it")
        yield

    client.runner = DockerRunner(deployment.settings, breaks, deployment.limits)
    with pytest.raises(ArchiveMissingError):
        client.simulate("OwnWords")
    assert containers(deployment.settings.deployment) == []
    client.runner = deployment.runner()
    assert client.simulate("OwnWords").outcomes == ["done"]


def test_a_volume_whose_filler_was_killed_is_filled_by_who_waits(
    deployment: Deployment, tmp_path: Path
) -> None:
    """The lock ends with its owner."""
    client = Client(deployment, "own_words")
    known = tmp_path / "stuck.pickle"
    stuck_work = replace(client.simulate_work("OwnWords"), name="stuck")
    known.write_bytes(pickle.dumps((deployment.settings, deployment.limits, stuck_work)))
    environment = {"PYTHONPATH": str(PROJECT_ROOT / "plugins"), "PATH": "/usr/bin:/bin",
                   "AIRFLOW_HOME": str(tmp_path / "airflow")}  # fmt: skip
    with (
        subprocess.Popen([sys.executable, str(STUCK), str(known)], env=environment) as stuck,
        ThreadPoolExecutor() as pool,
    ):
        eventually(lambda: keepers(deployment))
        heard = pool.submit(client.simulate, "OwnWords")
        time.sleep(2)
        assert not heard.done()
        stuck.kill()
        assert heard.result(timeout=30).outcomes == ["done"]
    assert keepers(deployment) == []


def test_another_tree_gets_another_volume(deployment: Deployment) -> None:
    """By its content, not by its name."""
    for model in ("own_words", "prisoner"):
        Client(deployment, model).resolve("General")
    assert len(volumes(deployment)) == 2
