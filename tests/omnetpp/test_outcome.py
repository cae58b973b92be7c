"""The table 'how a simulation ends', row by row."""

from __future__ import annotations

from pathlib import Path

import pytest

from oppflow.campaign import Outcome
from oppflow.errors import ResultFileError
from oppflow.omnetpp.cmdenv import CmdenvParser, CmdenvSummary
from oppflow.omnetpp.outcome import Ending, judge

CASES = Path(__file__).resolve().parents[1] / "cases" / "cmdenv"
RUNNING = "** Event #100   t=2.5   Elapsed: 1s (0m 01s)   ev/sec=100"
GOOD = "<!> Simulation time limit reached -- at t=5s, event #200"
CUT = (ResultFileError("The result file x.sca, line 3: it was cut."),)


def output(*lines: str) -> CmdenvSummary:
    parser = CmdenvParser()
    for line in lines:
        parser.feed(line)
    return parser.summary()


def case(name: str) -> CmdenvSummary:
    files = [CASES / f"{name}.{stream}" for stream in ("stdout", "stderr")]
    return output(*(line for file in files for line in file.read_text().splitlines()))


@pytest.mark.parametrize(
    ("name", "status", "outcome", "words"),
    [
        ("success", 0, Outcome.DONE, ""),
        ("cpu-limit", 0, Outcome.TIME_LIMITED, "cpu-time-limit at t=180285.728859025234s"),
        ("fingerprint", 0, Outcome.FAILED, "Fingerprint mismatch! calculated: 3913-cac0/tplx"),
        ("sigterm", 2, Outcome.LOST, "SIGINT or SIGTERM at t=212354.64647045433s"),
        ("no-config", 1, Outcome.FAILED, "exit status 1: No such config: NoSuch"),
        ("no-network", 1, Outcome.FAILED, "Network 'Nope' not found"),
    ],
)
def test_real_outputs(name, status, outcome, words):
    judged, message = judge(Ending(status, case(name)))
    assert judged is outcome
    assert words in message


@pytest.mark.parametrize(
    "words",
    [
        "No more events, simulation completed -- at t=5s, event #200",
        "Simulation stopped with endSimulation() -- in module (S) N.s (id=2), at t=5s, event #200",
        "confidence reached -- in module (S) N.s (id=2), at t=5s, event #200",
        "Error rate converged -- in module (S) N.s (id=2), at t=5s, event #200",
        "CPU load is stable -- in module (S) N.s (id=2), at t=5s, event #200",
    ],
)
def test_a_model_ends_in_its_own_words(words):
    assert judge(Ending(0, output(RUNNING, f"<!> {words}"))) == (Outcome.DONE, "")


ROWS = [
    # status, lines, further facts, outcome, words of the message
    (0, [GOOD, "<!> the model's own word"], {}, Outcome.DONE, ""),
    (0, [RUNNING], {}, Outcome.FAILED, "calls exit()"),
    (0, [], {}, Outcome.FAILED, "without saying why"),
    (0, ["<!> Realtime limit reached -- at t=5s, event #2"], {}, Outcome.TIME_LIMITED, "real-time"),
    (0, [GOOD, "<!> Error: odd"], {}, Outcome.FAILED, "last word is Error: odd"),
    (1, [GOOD, "<!> Error: no data, during finalization"], {}, Outcome.FAILED, "no data, during"),
    (1, ["<!> Stopped -- during network initialization"], {}, Outcome.FAILED, "Stopped -- during"),
    (1, [RUNNING], {}, Outcome.FAILED, "exit status 1 and no error message"),
    (-11, [RUNNING], {}, Outcome.FAILED, "SIGSEGV (it used memory that is not its own) at t=2.5s"),
    (139, [RUNNING], {}, Outcome.FAILED, "SIGSEGV"),
    (-6, ["<!> Error during startup: x"], {}, Outcome.FAILED, "Its last message: Error during"),
    (133, ["<!> Error: x"], {}, Outcome.FAILED, "debug-on-errors"),
    (-35, [], {}, Outcome.FAILED, "crashed with"),
    (-200, [], {}, Outcome.FAILED, "crashed with signal 200"),
    (255, [], {}, Outcome.FAILED, "exit status 255"),
    (-9, [RUNNING], {}, Outcome.LOST, "SIGKILL at t=2.5s (event #100)"),
    (137, [], {}, Outcome.LOST, "SIGKILL, which neither"),
    (143, [], {}, Outcome.LOST, "SIGTERM"),
    (-24, [RUNNING], {}, Outcome.TIME_LIMITED, "CPU time limit"),
    (-9, [RUNNING], {"oom_killed": True}, Outcome.OUT_OF_MEMORY, "more memory than it may"),
    (-11, [RUNNING], {"oom_killed": True}, Outcome.FAILED, "SIGSEGV"),
    (0, [GOOD], {"oom_killed": True}, Outcome.DONE, ""),
    (-9, [RUNNING], {"wall_time_limit": 60.0}, Outcome.TIME_LIMITED, "limit of 60 s at t=2.5s"),
    (2, ["<!> SIGINT or SIGTERM received, exiting -- at t=5s, event #2"],
     {"wall_time_limit": 0.5}, Outcome.TIME_LIMITED, "limit of 0.5 s at t=5s"),
    (0, [GOOD], {"wall_time_limit": 60.0}, Outcome.DONE, ""),
    (-15, [RUNNING], {"stop_requested": True}, Outcome.STOPPED, "on request at t=2.5s"),
    (-9, [], {"stop_requested": True, "oom_killed": True}, Outcome.STOPPED, "on request."),
    (1, ["<!> Error: broken pipe"], {"stop_requested": True}, Outcome.STOPPED, "on request"),
    (0, [RUNNING], {"stop_requested": True}, Outcome.STOPPED, "on request"),
    (0, [GOOD], {"stop_requested": True}, Outcome.DONE, ""),
    (0, [GOOD], {"disk_full": True}, Outcome.LOST, "disk for results is full"),
    (1, ["<!> Error: Cannot write"], {"disk_full": True}, Outcome.LOST, "full"),
    (1, ["<!> Error: Cannot write output vector file 'x.vec'"], {}, Outcome.LOST, "'x.vec'"),
    (1, ["<!> Error: Cannot write output", "no"], {}, Outcome.FAILED, "exit status 1"),
    (0, [GOOD], {"file_errors": CUT}, Outcome.LOST, "x.sca, line 3: it was cut."),
    (0, [GOOD], {"file_errors": CUT * 2}, Outcome.LOST, "So is 1 more."),
    (0, [GOOD], {"file_errors": CUT * 3}, Outcome.LOST, "So are 2 more."),
    (1, ["<!> Error: x"], {"file_errors": CUT}, Outcome.FAILED, "exit status 1: x"),
    (0, ["<!> CPU time limit reached -- at t=1s, event #3"], {"file_errors": CUT},
     Outcome.TIME_LIMITED, "cpu-time-limit"),
    (0, [GOOD], {"scalars_found": False}, Outcome.FAILED, "no scalar file"),
    (0, [GOOD], {"scalars_found": False, "scalars_expected": False}, Outcome.DONE, ""),
]  # fmt: skip


@pytest.mark.parametrize(("status", "lines", "facts", "outcome", "words"), ROWS)
def test_how_a_simulation_ends(status, lines, facts, outcome, words):
    judged, message = judge(Ending(status, output(*lines), **facts))
    assert judged is outcome
    assert words in message
    assert bool(message) is not judged.is_good


def test_nothing_but_a_good_end_is_done():
    """Whatever else is known, a simulation that was cut off is never done."""
    for status in (*range(-64, 0), *range(1, 256)):
        for lines in ([], [RUNNING], [GOOD]):
            assert not judge(Ending(status, output(*lines)))[0].is_good
