"""The scripts that call the container engine, with one that only takes notes."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.images.dockerfiles import ROOT

NOTES = '#!/bin/sh\necho "$@" >>"$0.notes"\n'
ANSWERS_NOT = "#!/bin/sh\nexit 1\n"


class Machine:
    """A search path with programs of the test's own in front."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def has(self, name: str, script: str) -> None:
        (self.folder / name).write_text(script)
        (self.folder / name).chmod(0o755)

    def run(self, *command: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command,
            cwd=ROOT,
            env={"PATH": f"{self.folder}:/usr/bin:/bin", **environment},
            capture_output=True,
            text=True,
            check=False,
        )

    @property
    def notes(self) -> str:
        return (self.folder / "docker.notes").read_text()


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_only_what_is_given_becomes_an_argument_of_the_build(machine: Machine) -> None:
    machine.has("docker", NOTES)
    done = machine.run("images/build", "omnetpp", "--pull", OMNETPP_VERSION="5.7", JOBS="")
    assert done.returncode == 0, done.stderr
    assert "--file images/omnetpp/Dockerfile --tag oppflow/omnetpp:5.7 --build-arg" in machine.notes
    assert "--build-arg OMNETPP_VERSION " in machine.notes
    assert "--pull ." in machine.notes
    assert "JOBS" not in machine.notes
    assert "BASE_IMAGE" not in machine.notes


def test_proxies_are_handed_on(machine: Machine) -> None:
    machine.has("docker", NOTES)
    machine.run("images/build", "worker", https_proxy="http://proxy:3128", TAG="lab/worker:1")
    assert "--tag lab/worker:1 " in machine.notes
    assert "--build-arg https_proxy " in machine.notes
    assert "http://proxy" not in machine.notes


def test_a_version_that_cannot_be_is_told_before_anything_is_built(machine: Machine) -> None:
    machine.has("docker", NOTES)
    done = machine.run("images/build", "omnetpp", OMNETPP_VERSION="six")
    assert done.returncode == 1
    assert "'six' is no version" in done.stderr
    assert not (machine.folder / "docker.notes").exists()


@pytest.mark.parametrize(
    ("environment", "told"),
    [({"DOCKER": "no-such-docker"}, "there is no 'no-such-docker' here"), ({}, "engine answers")],
)
def test_without_an_engine_it_says_what_to_do(
    machine: Machine, environment: dict[str, str], told: str
) -> None:
    machine.has("docker", ANSWERS_NOT)
    done = machine.run("images/build", "worker", **environment)
    assert done.returncode == 1
    assert told in done.stderr
    assert "What to do:" in done.stderr


def test_where_no_engine_may_be_started_ci_goes_on(machine: Machine) -> None:
    machine.has("docker", ANSWERS_NOT)
    machine.has("id", "#!/bin/sh\necho 1000\n")
    done = machine.run(".ci/engine")
    assert done.returncode == 0
    assert "only root could start one" in done.stdout
