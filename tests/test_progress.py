"""What a batch publishes while it runs."""

from __future__ import annotations

import json

from oppflow.campaign import Outcome, RunRecord
from oppflow.progress import BatchProgress

TOLD = {"percentage": 42, "simulated_time": "4.2", "events": 7, "events_per_second": 1e6}


def test_a_run_from_start_to_end() -> None:
    """Waiting, at work with its last lines, ended."""
    progress = BatchProgress()
    progress.start(3)
    for number in range(30):
        progress.hear(3, f"line {number}")
    progress.advance(3, TOLD)
    assert progress.running[3].percentage == 42
    assert list(progress.running[3].lines)[-1] == "line 29"
    assert len(progress.running[3].lines) <= 20
    progress.end(RunRecord(3, "k", Outcome.DONE, attempts=2, wall_time=1.5, cpu_time=1.4))
    assert not progress.running
    assert progress.ended[3].attempts == 2


def test_it_survives_its_journey_as_json() -> None:
    """Through the store, to whoever looks."""
    progress = BatchProgress()
    progress.start(1)
    progress.advance(1, TOLD)
    progress.hear(1, "words \x1b[31m<b>")
    progress.end(RunRecord(2, "k", Outcome.FAILED, wall_time=0.5))
    assert BatchProgress.from_json(json.loads(json.dumps(progress.as_json()))) == progress


def test_lines_of_a_run_that_is_not_at_work_are_nobodys() -> None:
    """A query prints, too."""
    progress = BatchProgress()
    progress.hear(-1, "a warning")
    assert progress == BatchProgress()
