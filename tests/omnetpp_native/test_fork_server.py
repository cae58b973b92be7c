"""OMNeT++'s own programs, loaded once for many runs: the same results as started anew each time."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from pathlib import Path

import pytest

from oppflow.deployment import Deployment
from oppflow.omnetpp.result_files import normalised_digest
from oppflow.worker.children import Child, Command, spawn
from oppflow.worker.fork_server import ForkServer, Start, compile_command, unfit_symbols
from oppflow.worker.strays import adopt_orphans
from tests.support.campaigns import MODELS, run_campaign
from tests.support.omnetpp import execute, find_omnetpp


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """The queue, built as at home."""
    folder = Path(shutil.copytree(MODELS / "mm1-omnetpp", tmp_path / "queue"))
    execute("opp_makemake", "-f", "--deep", "-o", "queue", folder=folder)
    execute("make", "-j2", "MODE=release", folder=folder)
    return folder


def digest(path: Path) -> str:
    return normalised_digest(path, ignore_config=("result-dir",))


def command(model: Path, *words: str) -> Command:
    path = f"{find_omnetpp()}/bin{os.pathsep}{os.environ['PATH']}"
    return Command(["./queue", *words], model, {"PATH": path})


def simulate(model: Path, number: int, results: Path, start: Start) -> str:
    words = ("-s", "-u", "Cmdenv", "-c", "MM1", "-r", str(number), f"--result-dir={results}")
    lines: list[str] = []
    child = Child(command(model, *words, "--*.customers=2000"), on_line=lines.append, start=start)
    while (ending := child.tick()) is None:
        if not child.at_end:
            child.read()
        time.sleep(0.005)
    assert ending.status == 0, lines
    (scalars,) = results.glob("*.sca")
    return digest(scalars)


def test_a_model_is_served_and_its_results_are_the_same(model: Path, tmp_path: Path) -> None:
    adopt_orphans()
    library = tmp_path / "fork_server.so"
    subprocess.run(compile_command("cc", library), check=True)
    listing = subprocess.run(
        ["nm", "-D", "--undefined-only", "queue"],
        cwd=model, check=True, capture_output=True, text=True,
    )  # fmt: skip
    assert unfit_symbols(listing.stdout.splitlines()) == set()
    server = ForkServer.open(command(model, "-v"), library)
    assert server is not None
    for number in (0, 7):
        anew = simulate(model, number, tmp_path / f"anew-{number}", spawn)
        assert simulate(model, number, tmp_path / f"forked-{number}", server.start) == anew
    server.close()


def test_a_batch_of_many_equals_a_task_for_each(deployment: Deployment, copy_model) -> None:
    """Forty runs in one batch come from a program that is loaded once."""
    copy_model("mm1-omnetpp", to="queue")
    given = {"model": "queue", "config": "MM1", "options": {"*.customers": "2000"}}
    alone = run_campaign(deployment, **given, runs_per_task=1, run_filter="0..39")
    together = run_campaign(deployment, **given, runs_per_task=40, reuse_results=False)
    assert alone.outcomes == together.outcomes == {"done": 40}
    for path in alone.folder.path.glob("*.sca"):
        assert digest(together.folder.path / path.name) == digest(path)
