"""Machines whose clocks differ are told of; their runs are as good as any."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta, timezone
from types import SimpleNamespace

import pytest

from oppflow.campaign import Outcome, RunRecord
from oppflow.stages.clocks import tell_of_clocks

BEGAN = datetime(2026, 3, 1, 2, 0, tzinfo=timezone.utc)
NOW = BEGAN + timedelta(minutes=10)


def record(host: str, start: float, end: float, outcome: Outcome = Outcome.DONE) -> RunRecord:
    """A run from ``start`` to ``end``, in seconds after the campaign began."""
    stamps = ((BEGAN + timedelta(seconds=s)).isoformat() for s in (start, end))
    return RunRecord(0, "key", outcome, started=next(stamps), ended=next(stamps), host=host)


def told(*records: RunRecord) -> list[str]:
    packed = SimpleNamespace(started=BEGAN.isoformat())
    return tell_of_clocks(packed, records, NOW)  # type: ignore[arg-type]


def test_a_clock_that_is_ahead_or_behind_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    """With how much it is at least, and what to do."""
    with caplog.at_level(logging.WARNING):
        names = told(
            record("ahead", 500, 660), record("ahead", 500, 720), record("behind", -90, 20),
            record("right", 1, 599),
        )  # fmt: skip
    assert names == ["ahead", "behind"]
    first, second = (entry.getMessage() for entry in caplog.records)
    assert "The clock of ahead differs from this machine's by 120 s or more" in first
    assert "by 90 s or more" in second
    assert "NTP" in first


def test_what_is_no_sign_of_a_wrong_clock(caplog: pytest.LogCaptureFixture) -> None:
    """A few seconds, runs of earlier campaigns, runs that never began."""
    assert not told(
        record("near", -4, 604), record("old", -9999, -9000, Outcome.REUSED),
        RunRecord(1, "key", Outcome.LOST),
    )  # fmt: skip
    assert caplog.records == []
