"""``make demo`` as a user runs it: its output, its exit status, and what it leaves behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from oppflow.settings import PROJECT_ROOT
from tests.support.processes import at_work, eventually, simulations

MODELS = PROJECT_ROOT / "models"


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    """A deployment of its own, without an Airflow that is up already."""
    return {
        **{name: value for name, value in os.environ.items() if "OPPFLOW" not in name},
        "OPPFLOW_RUNNER": "process",
        "OPPFLOW_HOME": str(tmp_path / "airflow"),
        "OPPFLOW_RESULTS": str(tmp_path / "results"),
        "OPPFLOW_WORK": str(tmp_path / "work"),
        "OPPFLOW_STORE_URL": (tmp_path / "store").as_uri(),
        "PYTHONPATH": str(PROJECT_ROOT / "plugins"),
        "COLUMNS": "200",
    }


@pytest.fixture(autouse=True)
def nothing_left(tmp_path: Path) -> Iterator[None]:
    """After the demo, no process of it lives."""
    yield
    eventually(lambda: not at_work(tmp_path), within=15)
    eventually(lambda: not parts_of(tmp_path), within=15)


def parts_of(folder: Path) -> list[psutil.Process]:
    """Processes whose output goes below the folder: the parts of its Airflow."""
    found = []
    for process in psutil.process_iter():
        try:
            output = Path(f"/proc/{process.pid}/fd/1").readlink()
        except OSError:
            continue
        if output.is_relative_to(folder) and process.status() != psutil.STATUS_ZOMBIE:
            found.append(process)
    return found


def demo(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "oppflow.local", "demo", *arguments]


def test_it_shows_progress_results_and_where_they_lie(env: dict[str, str], tmp_path: Path) -> None:
    """A model from anywhere, given by its path, is allowed for this one Airflow."""
    words = ["--model", str(MODELS / "mm1"), "--config", "Short", "--runs", "$repetition == 0"]
    done = subprocess.run(demo(*words), env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    for said in ("4 of 4 runs", "timeInSystem:mean", "theory", "4 runs: 4 done", "Report:"):
        assert said in done.stdout
    (results,) = (tmp_path / "results").iterdir()
    assert str(results) in done.stdout
    assert (results / "report.html").exists()


def test_a_red_campaign_shows_why(env: dict[str, str]) -> None:
    """The exit status is 1, and the error of the task that failed is on the screen."""
    words = ["--model", str(MODELS / "mm1"), "--config", "NoSuch"]
    done = subprocess.run(demo(*words), env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "The campaign is red" in done.stdout
    assert "No such config: NoSuch" in done.stdout


def test_nights_in_a_row_name_what_changed(env: dict[str, str]) -> None:
    """Nothing beside the first, nothing to do in the second, a slower server in the third."""
    words = [sys.executable, "-m", "oppflow.local", "demo-nightly"]
    done = subprocess.run(words, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    first, second, third = done.stdout.split("night,")
    assert "nightly_demo: first" in first
    assert "nothing is simulated" in second
    assert "nightly_demo: changed" in third
    assert "timeInSystem:mean of Queue at load=" in third
    assert "+2.04 %" in third


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_ends_simulations_and_airflow(
    env: dict[str, str], tmp_path: Path, number: signal.Signals
) -> None:
    """Running simulations first, then all that was started."""
    words = demo("--model", str(MODELS / "mm1"), "--config", "Endless")
    with subprocess.Popen(words, env=env, stdout=subprocess.PIPE, text=True) as process:
        eventually(lambda: simulations(tmp_path / "work"), within=180)
        process.send_signal(number)
        said, _ = process.communicate(timeout=90)
    assert process.returncode == 130
    assert "ending the simulations" in said
