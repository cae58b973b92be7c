"""Troubles that are not the model's: a full disk, a reader that left, a missing SimPy."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.engine.support import QUIET, command, environment, simulate


@pytest.mark.parametrize(
    ("option", "what"),
    [("output-scalar-file", "output scalar file"), ("output-vector-file", "output vector file")],
)
def test_a_full_disk_is_an_error(model: Callable[[str], Path], option: str, what: str) -> None:
    """OMNeT++ says nothing of it; whoever judges the files must know better, but we can tell."""
    folder = model("aloha")
    full = folder / ("full.sca" if "scalar" in option else "full.vec")
    full.symlink_to("/dev/full")
    ran = simulate(folder, "-c", "Quick", "-r", "0", f"--{option}={full}")
    assert ran.status == 1
    assert ran.errors.endswith(f"Cannot write {what} '{full}': No space left on device\n")


def test_results_that_cannot_be_opened_are_an_error(model: Callable[[str], Path]) -> None:
    folder = model("aloha")
    (folder / "results").write_text("in the way", encoding="utf-8")
    ran = simulate(folder, "-c", "Quick", "-r", "0")
    assert ran.status == 1
    assert "<!> Error: Cannot open output vector file 'results/Quick-numHosts=5,p" in ran.errors


def test_nobody_reading_ends_the_simulation(model: Callable[[str], Path]) -> None:
    process = subprocess.Popen(
        command(*QUIET, "-c", "Endless"),
        cwd=model("cpu_limit"),
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout
    assert process.stderr
    process.stdout.readline()
    process.stdout.close()
    assert process.wait(timeout=10) == -signal.SIGPIPE
    assert process.stderr.read() == b""
    process.stderr.close()


def test_without_simpy_queries_work_and_simulations_say_why_not(
    model: Callable[[str], Path],
) -> None:
    code = (
        "import sys; sys.modules['simpy'] = None; from oppflow.engine.main import main; "
        "sys.exit(main(sys.argv[1:]))"
    )
    folder = model("mm1")

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-c", code, "-s", "-c", "Short", *arguments],
            cwd=folder,
            env=environment(),
            capture_output=True,
            text=True,
            check=False,
        )

    assert run("-q", "numruns").stdout == "8\n"
    failed = run("-r", "0")
    assert failed.returncode == 1
    assert "<!> Error: The embedded engine needs SimPy to simulate" in failed.stderr


def test_read_only_trees_are_good_enough(model: Callable[[str], Path], tmp_path: Path) -> None:
    folder = model("mm1")
    for path in (*folder.iterdir(), folder):
        path.chmod(0o555)
    try:
        ran = simulate(folder, "-c", "Short", "-r", "0", f"--result-dir={tmp_path}/out")
    finally:
        folder.chmod(0o755)
    assert (ran.status, ran.errors) == (0, "")
    assert (tmp_path / "out" / "Short-load=0.3-#0.sca").exists()
    assert not (folder / "__pycache__").exists()
