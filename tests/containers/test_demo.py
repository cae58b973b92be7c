"""``make demo`` where there is an engine: what it takes by itself, and what it shows."""

from __future__ import annotations

import os
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from oppflow.local.containers import choose_runner, omnetpp_image
from oppflow.settings import PROJECT_ROOT
from tests.support.containers import (
    IMAGE,
    OMNETPP_IMAGE,
    built_image,
    containers,
    remove_all,
    why_no_containers,
)

LABELLED = 'FROM scratch\nLABEL oppflow.engine="omnetpp"\n'


@pytest.fixture
def nothing_said(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Nobody said which runner to take."""
    monkeypatch.delenv("OPPFLOW_RUNNER", raising=False)
    return monkeypatch


def test_an_image_with_omnetpp_is_reason_enough(nothing_said: pytest.MonkeyPatch) -> None:
    """The first one for OMNeT++, which its label tells."""
    with built_image(LABELLED) as image:
        nothing_said.setenv("OPPFLOW_IMAGES", f"{IMAGE},nobody/nothing:1,{image}")
        assert omnetpp_image() == image
        assert choose_runner() == "docker"


@pytest.mark.parametrize("images", [IMAGE, "nobody/nothing:1"])
def test_without_one_it_takes_subprocesses(images: str, nothing_said: pytest.MonkeyPatch) -> None:
    """The demo must work on a machine with an engine and no image."""
    nothing_said.setenv("OPPFLOW_IMAGES", images)
    assert choose_runner() == "process"


def test_without_docker_it_takes_subprocesses(
    nothing_said: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A bare machine."""
    nothing_said.setenv("PATH", str(tmp_path))
    assert choose_runner() == "process"


def test_what_was_said_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is there."""
    monkeypatch.setenv("OPPFLOW_RUNNER", "process")
    assert choose_runner() == "process"


@pytest.fixture
def env(tmp_path: Path) -> Iterator[dict[str, str]]:
    """A deployment of its own, and nobody said which runner to take."""
    if why := why_no_containers(OMNETPP_IMAGE):
        pytest.skip(why)
    deployment = f"test-{uuid.uuid4().hex[:8]}"
    yield {
        **{name: value for name, value in os.environ.items() if "OPPFLOW" not in name},
        "OPPFLOW_HOME": str(tmp_path / "airflow"),
        "OPPFLOW_RESULTS": str(tmp_path / "results"),
        "OPPFLOW_WORK": str(tmp_path / "work"),
        "OPPFLOW_STORE_URL": (tmp_path / "store").as_uri(),
        "OPPFLOW_DEPLOYMENT": deployment,
        "OPPFLOW_IMAGES": f"{IMAGE},{OMNETPP_IMAGE}",
        "PYTHONPATH": str(PROJECT_ROOT / "plugins"),
        "COLUMNS": "200",
    }
    assert not containers(deployment)
    remove_all(deployment)


def test_the_demo_simulates_the_c_plus_plus_queue(env: dict[str, str]) -> None:
    """In containers with OMNeT++: built there, simulated there, and the theory is met."""
    words = [sys.executable, "-m", "oppflow.local", "demo", "--runs", "$repetition == 0"]
    done = subprocess.run(words, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    for said in ("in containers", "mm1-omnetpp", "4 runs: 4 done", "timeInSystem:mean", "theory"):
        assert said in done.stdout
