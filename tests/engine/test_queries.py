"""``-q``, ``-a`` and ``-e`` answer line by line as OMNeT++ 6.1 did."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from oppflow.engine.version import BANNER
from tests.engine.support import Ran

SWEEP = """[General]
network = Net
[Sweep]
repeat = 2
description = "a sweep"
**.load = ${load=0.1,0.5}
**.other = 7
[Late]
extends = Sweep
**.load = 3
"""


def test_rundetails_show_what_depends_on_variables(ask: Callable[..., Ran]) -> None:
    assert ask(SWEEP, "-q", "rundetails", "-c", "Sweep", "-r", "1,2").output == (
        "Run 1: $load=0.1, $repetition=1\n\t**.load = 0.1\n"
        "\n"
        "Run 2: $load=0.5, $repetition=0\n\t**.load = 0.5\n"
    )


def test_runconfig_shows_all_entries_nearest_first(ask: Callable[..., Ran]) -> None:
    answer = ask(
        SWEEP, "-q", "runconfig", "-c", "Late", "-r", "3", "--sim-time-limit=5s", "--**.b=1"
    )
    assert answer.output == (
        "Run 3: $load=0.5, $repetition=1\n"
        "\t**.b = 1\n"
        "\tsim-time-limit = 5s\n"
        "\textends = Sweep\n"
        "\t**.load = 3\n"
        "\trepeat = 2\n"
        '\tdescription = "a sweep"\n'
        "\t**.load = 0.5\n"
        "\t**.other = 7\n"
        "\tnetwork = Net\n"
    )


def test_no_blank_line_follows_a_number_that_is_the_last_ones(ask: Callable[..., Ran]) -> None:
    answer = ask(SWEEP, "-q", "rundetails", "-c", "Sweep", "-r", "2,2")
    assert "\n\n" not in answer.output


@pytest.mark.parametrize(
    ("query", "expected"), [("numruns", "4\n"), ("runnumbers", " 0 1 2 3\n"), ("NumRuns", "4\n")]
)
def test_counts(ask: Callable[..., Ran], query: str, expected: str) -> None:
    assert ask(SWEEP, "-q", query, "-c", "Sweep").output == expected


def test_no_runs_are_no_error(ask: Callable[..., Ran]) -> None:
    nothing = ask(SWEEP, "-q", "runs", "-c", "Sweep", "--repeat=0")
    assert (nothing.status, nothing.output) == (0, "")
    assert ask(SWEEP, "-q", "runnumbers", "-c", "Sweep", "-r", "$load > 9").output == "\n"


def test_all_configurations(ask: Callable[..., Ran]) -> None:
    assert ask(SWEEP, "-a").output == "Config General: 1\nConfig Sweep: 4\nConfig Late: 4\n"


def test_one_option(ask: Callable[..., Ran]) -> None:
    assert ask(SWEEP, "-e", "network", "-c", "Sweep", "-r", "0").output == "Net\n"
    assert "matches more than one run (4)" in ask(SWEEP, "-e", "network", "-c", "Sweep").errors


@pytest.mark.parametrize("query", ["nonsense", "runsandmore"])
def test_unknown_queries(ask: Callable[..., Ran], query: str) -> None:
    answer = ask(SWEEP, "-q", query, "-c", "Sweep")
    assert (answer.status, answer.errors) == (
        1,
        f"\n<!> Error: Unrecognized -q argument '{query}'\n",
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["-Z"], "Invalid command-line option -Z, try -h for help"),
        (["-q"], "command-line option -q is missing required argument"),
        (["-sx"], "command-line option -s expects no argument"),
    ],
)
def test_malformed_command_lines_are_told_on_standard_output(
    ask: Callable[..., Ran], arguments: list[str], message: str
) -> None:
    answer = ask(SWEEP, *arguments)
    assert (answer.status, answer.output, answer.errors) == (1, f"\n<!> Error: {message}\n", "")


def test_qtenv_is_not_there(ask: Callable[..., Ran]) -> None:
    answer = ask(SWEEP, "-u", "Qtenv", "-q", "runs")
    assert answer.errors == "\n<!> Error: Could not start user interface 'Qtenv'\n"


def test_the_engine_does_not_pretend_to_be_omnetpp(
    ask: Callable[..., Ran], capsys: pytest.CaptureFixture[str]
) -> None:
    assert "not OMNeT++" in BANNER
    assert BANNER in ask(SWEEP, "-h").output
    assert "simpy: 4" in ask(SWEEP, "-v").output


def test_ten_thousand_runs_take_seconds(ask: Callable[..., Ran]) -> None:
    ini = "**.a = ${a=1..35}\n**.b = ${b=1..30}\n**.c = ${c=a,b}\nconstraint = $a > 0\nrepeat = 5\n"
    started = time.monotonic()
    lines = ask(ini, "-q", "rundetails").output.splitlines()
    assert len(lines) == 10_500 * 5 - 1
    assert time.monotonic() - started < 8  # a second or two on a quiet machine
