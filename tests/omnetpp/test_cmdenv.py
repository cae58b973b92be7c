"""Cmdenv's output is read line by line: progress, how the simulation ended, the last lines."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oppflow.omnetpp.cmdenv import CmdenvParser, CmdenvSummary, Progress, plain

CASES = Path(__file__).resolve().parents[1] / "cases" / "cmdenv"
BEFORE = "** Event #5   t=1.5   Elapsed: 1e-05s (0m 00s)  7% completed  (7% total)   ev/sec=12.5"


def read(*lines: str) -> CmdenvSummary:
    parser = CmdenvParser()
    for line in lines:
        parser.feed(line + "\n")
    return parser.summary()


def read_case(name: str) -> CmdenvSummary:
    streams = [CASES / f"{name}.{stream}" for stream in ("stdout", "stderr")]
    return read(*(line for stream in streams for line in stream.read_text().splitlines()))


def test_every_case_is_read():
    names = {path.stem for path in CASES.glob("*.std*")}
    assert len(names) == 6
    assert all(read_case(name).last_lines for name in names)


def test_success():
    summary = read_case("success")
    assert summary.terminator == "Simulation time limit reached -- at t=5400s, event #94200"
    assert (summary.simulated_time, summary.events) == ("5400", 94200)
    assert not summary.error
    assert summary.last_lines[-1] == "[INFO] duration: 5400"


def test_cpu_limit_keeps_all_digits_of_the_time():
    summary = read_case("cpu-limit")
    assert summary.terminator.startswith("CPU time limit reached")
    assert summary.simulated_time == "180285.728859025234"


def test_fingerprint_mismatch_is_no_terminator():
    summary = read_case("fingerprint")
    assert summary.terminator.startswith("Simulation time limit reached")
    assert summary.fingerprint_mismatch.endswith("expected: 0000-0000/tplx")


def test_sigterm():
    assert read_case("sigterm").terminator.startswith("SIGINT or SIGTERM received")


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("no-config", "Error: No such config: NoSuch"),
        ("no-network", "Error: Network 'Nope' not found, check .ini and .ned files"),
    ],
)
def test_errors(name, error):
    summary = read_case(name)
    assert summary.error == error
    assert summary.terminator == ""


def test_progress_is_told_when_it_comes():
    parser = CmdenvParser()
    assert parser.feed("General run 0: $repetition=0") is None
    assert parser.feed(BEFORE) == Progress(5, "1.5", 7, 12.5)
    assert parser.summary().events == 5


@pytest.mark.parametrize(
    ("line", "progress"),
    [
        (
            "** Event #9   t=3   Elapsed: 1s (0m 01s)   ev/sec=1.03e+06",
            Progress(9, "3", None, 1.03e6),
        ),
        (
            "** Event #9  t=0.1  12% completed  (12% total)   Net.a (A, id=2)",
            Progress(9, "0.1", 12),
        ),
        ("** Event #9   t=3   Elapsed: 1s (0m 01s)   ev/sec=nan?", Progress(9, "3")),
        ("** Event #x   t=3", None),
    ],
)
def test_forms_of_the_status_line(line, progress):
    assert CmdenvParser().feed(line) == progress


def test_the_performance_display_tells_the_speed_on_the_next_line():
    parser = CmdenvParser()
    status = "** Event #9   t=3   Elapsed: 1s (0m 01s)  12% completed  (12% total)"
    assert parser.feed(status) == Progress(9, "3", 12)
    line = "     Speed:     ev/sec=250   simsec/sec=3   ev/simsec=83"
    assert parser.feed(line) == Progress(9, "3", 12, 250.0)
    assert parser.feed("     Messages:  created: 3   present: 3   in FES: 4") is None
    assert parser.summary().last_lines == (status,)
    assert CmdenvParser().feed(line) is None


def test_the_last_terminator_wins_over_what_the_model_prints():
    summary = read(
        "<!> buffer is full at t=1s, event #3, dropping",
        "<!> my own end -- at t=1s, event #3",
        "<!> enough samples -- in module (Sink) Net.sink (id=4), at t=7.25s, event #99",
        "<!> thank you for simulating",
    )
    assert summary.terminator.startswith("enough samples")
    assert (summary.simulated_time, summary.events) == ("7.25", 99)
    assert summary.last_mark == "thank you for simulating"


def test_an_error_after_the_terminator_is_told_to_be_last():
    end = "<!> Simulation time limit reached -- at t=1s, event #3"
    error = "<!> Error: no data -- in module (Sink) Net.sink (id=4), during finalization"
    assert read(end, error).error_is_last
    assert not read(error, end).error_is_last


def test_a_warning_is_neither_end_nor_error():
    assert read("<!> Warning: deprecated option") == CmdenvSummary(
        last_lines=("<!> Warning: deprecated option",)
    )


def test_a_model_may_end_with_words_that_begin_like_an_error():
    summary = read("<!> Error rate converged -- in module (S) N.s (id=4), at t=2s, event #9")
    assert (summary.error, summary.events) == ("", 9)


def test_texts_of_several_lines():
    end = read("<!> done:", "all samples", "are in -- in module (S) N.s (id=4), at t=2s, event #9")
    assert end.terminator.startswith("done: all samples are in -- ")
    error = read("<!> Error: first", "second -- in module (S) N.s (id=4), during finalization")
    assert error.error.startswith("Error: first second -- ")


@pytest.mark.parametrize("between", [[""], ["x"] * 20, ["<!> thank you", ""]])
def test_what_a_model_prints_long_after_a_mark_does_not_belong_to_it(between):
    assert read("<!> note", *between, "seen -- by me, at t=2s, event #9").terminator == ""


def test_colours_do_not_hide_the_words():
    summary = read("\x1b[1;31m<!> Error: broken\x1b[0m\r")
    assert summary.error == "Error: broken"


def test_last_lines_are_few_and_short():
    summary = read(*(f"{i} " + "x" * 1000 for i in range(30)), "", "   ")
    assert len(summary.last_lines) == 20
    assert summary.last_lines[0].startswith("10 x")
    assert {len(line) for line in summary.last_lines} == {500}


def test_status_lines_do_not_push_other_lines_out():
    summary = read("a", *[BEFORE] * 50, "b", BEFORE)
    assert summary.last_lines == ("a", BEFORE, "b", BEFORE)


def test_a_megabyte_of_words_before_the_end_does_not_hide_it():
    summary = read("<!> " + "very " * 250_000 + "long -- at t=3s, event #4")
    assert summary.events == 4
    assert len(summary.terminator) <= 4000


def test_bytes_that_were_no_text():
    line = b"\xff\xfe <!> \x00 t\x07\xc3\xa9".decode("utf-8", errors="replace")
    assert plain(line) == "�� <!> � t�é"


@given(st.lists(st.text()))
def test_nothing_that_a_model_prints_stops_the_parser(lines):
    summary = read(*lines)
    assert all(line.isprintable() for line in summary.last_lines)
