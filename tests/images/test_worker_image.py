"""The embedded engine's image, built and run: needs a container engine."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from oppflow.campaign import Run
from oppflow.worker.jobs import Job, ResolveJob, SimulateJob, Simulation, encode_job
from tests.images.dockerfiles import ROOT

TAG = "oppflow-test/worker:build"
BASE = "debian:bookworm-slim"
MM1 = Simulation("embedded", "mm1", "", ("omnetpp.ini",), "Short")
HARDENED = (
    *("--network", "none", "--read-only", "--user", "1000", "--cap-drop", "ALL"),
    *("--security-opt", "no-new-privileges", "--init", "--tmpfs", "/work:uid=1000"),
)


def docker(*arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["docker", *arguments], capture_output=True, text=True, check=False, **options
    )


@pytest.fixture(scope="module")
def image() -> Iterator[str]:
    if not shutil.which("docker") or docker("info").returncode:
        pytest.skip("no container engine answers")
    if docker("image", "inspect", BASE).returncode and docker("pull", "-q", BASE).returncode:
        pytest.skip(f"{BASE} is not there and cannot be pulled (.ci/engine makes it)")
    built = subprocess.run(
        ["images/build", "worker"],
        cwd=ROOT,
        env={**os.environ, "TAG": TAG},
        capture_output=True,
        text=True,
        check=False,
    )
    assert built.returncode == 0, built.stdout + built.stderr
    yield TAG
    docker("image", "rm", TAG)


@pytest.fixture
def trees(tmp_path: Path) -> Path:
    shutil.copytree(ROOT / "models" / "mm1", tmp_path / "trees" / "mm1")
    return tmp_path / "trees"


def ask(image: str, trees: Path, job: Job) -> list[dict[str, Any]]:
    """The worker's events; it must end well."""
    command = ("run", "--rm", "--interactive", *HARDENED, "--volume", f"{trees}:/trees:ro", image)
    done = docker(*command, input=encode_job(job) + "\n")
    assert (done.returncode, done.stderr) == (0, "")
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_resolves_and_simulates_hardened(image: str, trees: Path) -> None:
    (resolved,) = ask(image, trees, ResolveJob(MM1, "0", "/trees", "/work"))
    run = Run.from_json(resolved["answer"]["runs"][0])
    events = ask(image, trees, SimulateJob(MM1, (run,), "/trees", "/work", "/work"))
    record = events[-1]["record"]
    assert record["outcome"] == "done"
    assert [file["name"] for file in record["files"] if file["name"].endswith(".sca")]


def test_takes_what_is_appended_for_the_workers_arguments(image: str) -> None:
    done = docker("run", "--rm", "--interactive", *HARDENED, image, "more", input="no job\n")
    assert done.returncode == 2
    assert "not a job" in done.stdout


def test_knows_utf_8_and_the_engines_versions(image: str) -> None:
    code = (
        "import sys, json; from oppflow.engine.version import versions;"
        "print(json.dumps([sys.getfilesystemencoding(), versions()['simpy']]))"
    )
    done = docker("run", "--rm", *HARDENED, "--entrypoint", "python3", image, "-c", code)
    encoding, simpy = json.loads(done.stdout)
    assert encoding == "utf-8"
    assert simpy
