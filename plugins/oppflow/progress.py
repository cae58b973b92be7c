"""How far a batch is: what its task publishes while it runs, for whoever looks. No I/O."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from oppflow.campaign import Outcome, RunRecord

KIND = "progress"
"""The store's kind of record; keys are those of `progress_key`."""

_LAST_LINES = 10


def progress_key(campaign: str, index: int) -> str:
    """The key of a batch's record; ``index`` is the map index of its task."""
    return f"{campaign}/{index}"


@dataclass(frozen=True)
class EndedRun:
    """How a run ended, how long it took (s), at which attempt."""

    outcome: Outcome
    wall_time: float
    cpu_time: float
    attempts: int


@dataclass
class RunningRun:
    """A run at work: ``percentage`` where it has a limit, and its last lines of output."""

    percentage: float | None = None
    simulated_time: str = ""
    events: int = 0
    events_per_second: float | None = None
    lines: deque[str] = field(default_factory=lambda: deque(maxlen=_LAST_LINES))


@dataclass
class BatchProgress:
    """The runs of one batch that have ended and those at work, by run number; others wait."""

    ended: dict[int, EndedRun] = field(default_factory=dict)
    running: dict[int, RunningRun] = field(default_factory=dict)

    def start(self, number: int) -> None:
        """A run began."""
        self.running[number] = RunningRun()

    def hear(self, number: int, line: str) -> None:
        """A run printed a line."""
        if number in self.running:
            self.running[number].lines.append(line)

    def advance(self, number: int, event: Mapping[str, Any]) -> None:
        """A ``progress`` event of the worker."""
        run = self.running.setdefault(number, RunningRun())
        run.percentage = event["percentage"]
        run.simulated_time = event["simulated_time"]
        run.events = event["events"]
        run.events_per_second = event["events_per_second"]

    def end(self, record: RunRecord) -> None:
        """A run ended."""
        self.running.pop(record.number, None)
        self.ended[record.number] = EndedRun(
            record.outcome, record.wall_time, record.cpu_time, record.attempts
        )

    def as_json(self) -> dict[str, Any]:
        """``{"ended": {number: [outcome, wall, cpu, attempts]}, "running": {number: {...}}}``."""
        return {
            "ended": {
                str(number): [run.outcome.value, run.wall_time, run.cpu_time, run.attempts]
                for number, run in self.ended.items()
            },
            "running": {
                str(number): {**vars(run), "lines": list(run.lines)}
                for number, run in self.running.items()
            },
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> BatchProgress:
        """Inverse of `as_json`."""
        ended = {
            int(number): EndedRun(Outcome(row[0]), *row[1:])
            for number, row in data["ended"].items()
        }
        running = {
            int(number): RunningRun(**{**run, "lines": deque(run["lines"], _LAST_LINES)})
            for number, run in data["running"].items()
        }
        return cls(ended, running)
