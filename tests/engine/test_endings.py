"""Every way a simulation ends has OMNeT++'s words, exit status and files."""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.engine.support import QUIET, command, environment, run_engine, simulate

AT_EVENT = ", at t=3s, event #1"
AT_START = ", during network initialization"


@pytest.mark.parametrize(
    ("tree", "config", "words"),
    [
        ("own_words", "OwnWords", "<!> The wanted precision was reached, error below 5% -- in mod"),
        ("cpu_limit", "CpuLimit", "<!> CPU time limit reached -- at t="),
        ("cpu_limit", "RealTimeLimit", "<!> Realtime limit reached -- at t="),
        ("chatty", "OneLine", "<!> Simulation time limit reached -- at t=10s, event #2"),
        ("garbage", "Garbage", "<!> Simulation time limit reached -- at t=10s, event #2"),
        ("extra_file", "ExtraFile", "<!> Simulation time limit reached -- at t=10s, event #1"),
        ("no_sca", "NoScalars", "<!> Simulation time limit reached -- at t=10s, event #3"),
        ("half_sca", "HalfScalars", "<!> Simulation time limit reached -- at t=10s, event #3"),
        ("exits", "Zero", ""),
    ],
)
def test_ends_with_status_zero(
    model: Callable[[str], Path], tree: str, config: str, words: str
) -> None:
    ran = simulate(model(tree), "-c", config, "-r", "0")
    assert ran.status == 0
    assert ran.last_terminator.startswith(words)
    assert bool(ran.last_terminator) == bool(words)


@pytest.mark.parametrize(
    ("tree", "config", "words"),
    [
        (
            "fails",
            "AtLoad",
            "ValueError: cannot stand a load of 0.5 -- in module (Fails) Fails (id=1)" + AT_EVENT,
        ),
        (
            "fails",
            "InInitialize",
            "ValueError: wrong from the start -- in module (Fails) Fails (id=1)" + AT_START,
        ),
        (
            "fails",
            "InFinish",
            "KeyError: 'result' -- in module (Fails) Fails (id=1), during finalization",
        ),
        ("broken_syntax", "Broken", "SyntaxError: "),
    ],
)
def test_exceptions_show_the_models_part_of_the_traceback(
    model: Callable[[str], Path], tree: str, config: str, words: str
) -> None:
    folder = model(tree)
    ran = simulate(folder, "-c", config, "-r", "$load == 0.5" if config == "AtLoad" else "0")
    assert ran.status == 1
    trace, _, message = ran.errors.partition("\n<!> Error: ")
    assert message.startswith(words)
    assert trace.startswith("Traceback (most recent call last):\n")
    assert f'File "{folder}/model.py"' in trace
    assert "oppflow/engine" not in trace
    has_scalars = any((folder / "results").glob("*.sca"))
    assert has_scalars == (config == "InFinish")


def test_errors_on_purpose_have_no_traceback(model: Callable[[str], Path]) -> None:
    ran = simulate(model("fails"), "-c", "OnPurpose")
    assert ran.status == 1
    assert ran.errors == (
        f"\n<!> Error: This model was asked to fail -- in module (Fails) Fails (id=1){AT_EVENT}\n"
    )


def test_a_failing_rerun_deletes_the_earlier_result(model: Callable[[str], Path]) -> None:
    folder = model("fails")
    scalars = folder / "results" / "OnPurpose-#0.sca"
    assert simulate(folder, "-c", "OnPurpose", '--**.when="never"').status == 0
    assert scalars.exists()
    assert simulate(folder, "-c", "OnPurpose").status == 1
    assert not scalars.exists()


def test_a_batch_stops_at_the_first_error_unless_told_otherwise(
    model: Callable[[str], Path],
) -> None:
    folder = model("fails")
    runs = ("-c", "AtLoad", "-r", "1..4")
    stopped = run_engine(folder, "-u", "Cmdenv", *runs)
    assert "\nRun statistics: total 4, successful 1, errors 1, skipped 2\n" in stopped.output
    all_tried = run_engine(folder, "-u", "Cmdenv", *runs, "--cmdenv-stop-batch-on-error=false")
    assert "\nRun statistics: total 4, successful 2, errors 2\n" in all_tried.output
    assert (stopped.status, all_tried.status) == (1, 1)


def test_leaving_from_an_event_keeps_its_status(model: Callable[[str], Path]) -> None:
    assert simulate(model("exits"), "-c", "Three").status == 3


def test_a_killed_run_leaves_unfinished_files(model: Callable[[str], Path]) -> None:
    folder = model("killed")
    assert simulate(folder, "-r", "0", "-c", "Killed").status == -signal.SIGKILL
    index = (folder / "results" / "Killed-#0.vci").read_bytes()
    assert index[:64].strip() == b""


@pytest.mark.parametrize(("option", "events"), [("--sim-time-limit=0s", 1), ("--repeat=1", 2)])
def test_the_limit_is_an_event(model: Callable[[str], Path], option: str, events: int) -> None:
    ran = simulate(model("garbage"), "-c", "Garbage", option)
    assert ran.last_terminator.endswith(f"s, event #{events}")


def test_without_a_limit_events_run_out(model: Callable[[str], Path]) -> None:
    ran = simulate(model("garbage"), "-c", "Garbage", "--sim-time-limit=-1s")
    assert ran.last_terminator == "<!> No more events, simulation completed -- at t=1s, event #1"


def start(folder: Path, config: str) -> subprocess.Popen[bytes]:
    """Start a simulation, and wait until it executes events."""
    process = subprocess.Popen(
        command(*QUIET, "-c", config),
        cwd=folder,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout
    assert process.stdout.readline().startswith(config.encode())
    assert process.stdout.readline().startswith(b"** Event #0 ")
    return process


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signals_between_events_save_results(
    model: Callable[[str], Path], number: signal.Signals
) -> None:
    folder = model("cpu_limit")
    process = start(folder, "Endless")
    assert process.stdout
    assert process.stdout.readline().startswith(b"** Event #")  # it was printed when it was due
    process.send_signal(number)
    output, errors = process.communicate(timeout=10)
    assert (process.returncode, errors) == (2, b"")
    last = output.decode().splitlines()[-1]
    assert last.startswith("<!> SIGINT or SIGTERM received, exiting -- at t=")
    scalars = (folder / "results" / "Endless-#0.sca").read_text(encoding="utf-8")
    assert "scalar Endless events " in scalars
    assert scalars.endswith("\n\n")


def test_a_stuck_event_is_deaf_to_sigterm(model: Callable[[str], Path]) -> None:
    process = start(model("hangs"), "Hangs")
    time.sleep(0.1)
    process.terminate()
    with pytest.raises(subprocess.TimeoutExpired):
        process.communicate(timeout=0.5)
    process.kill()
    process.communicate(timeout=10)
    assert process.returncode == -signal.SIGKILL
