"""What is remembered of a configuration's runs, and what it is good for."""

from __future__ import annotations

import json

import pytest

from oppflow import history
from oppflow.campaign import Outcome, Run, RunRecord
from oppflow.history import History


def run(number: int, load: str = "0.5", repetition: int = 0) -> Run:
    return Run(number, (("load", load),), repetition, str(repetition), f"C-{number}")


def ended(number: int, seconds: float, outcome: Outcome = Outcome.DONE, **more: str):
    record = RunRecord(number, "key", outcome, wall_time=seconds, **more)
    return run(number, repetition=number), "f1.f2", record


def test_nothing_is_known_at_first() -> None:
    """No guess is made."""
    assert History().of(run(0)) is None
    assert History().expected(run(0)) is None


def test_a_run_takes_as_long_as_it_took() -> None:
    """Whatever its number is now; new ones take as long as the others did."""
    known = History().updated([ended(0, 2.0), ended(1, 4.0)])
    assert known.expected(run(17, repetition=1)) == 4.0
    assert known.expected(run(2, repetition=2)) == 3.0
    assert known.expected(run(0, load="0.9")) == 3.0


def test_what_failed_tells_no_duration() -> None:
    """It may have failed at once; that it failed is remembered."""
    known = History().updated([ended(0, 0.01, Outcome.FAILED), ended(1, 4.0)])
    assert known.expected(run(0)) == 4.0
    past = known.of(run(0))
    assert past is not None
    assert past.outcome is Outcome.FAILED


def test_what_was_not_executed_changes_nothing() -> None:
    """Lost and stopped runs, and those that never started."""
    known = History().updated([ended(0, 2.0)])
    later = known.updated([ended(0, 9.0, Outcome.LOST), ended(1, 0.0, Outcome.STOPPED)])
    assert later.as_json() == known.as_json()


def test_it_survives_its_journey_as_json() -> None:
    """Through the store."""
    known = History().updated([ended(0, 2.0), ended(1, 4.0, Outcome.TIME_LIMITED)])
    again = History.from_json(json.loads(json.dumps(known.as_json())))
    assert again.as_json() == known.as_json()
    assert again.expected(run(1, repetition=1)) == 4.0


def test_the_oldest_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    """A record in the store must not grow for ever."""
    monkeypatch.setattr(history, "MOST_RUNS", 2)
    known = (
        History().updated([ended(0, 1.0), ended(1, 2.0)]).updated([ended(0, 5.0), ended(2, 3.0)])
    )
    assert known.of(run(1, repetition=1)) is None
    assert known.expected(run(0)) == 5.0
