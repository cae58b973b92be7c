"""What earlier campaigns of a configuration tell about its runs: how they ended, after how long.

A hint and no more: it may be another machine's or an older model's, and campaigns that end at the
same moment may forget each other's. What is reused does not depend on it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from statistics import fmean
from typing import Any

from oppflow.campaign import Outcome, Run, RunRecord

MOST_RUNS = 50_000
"""Runs that a history remembers, the latest: some 100 bytes each."""

_TELLS_DURATION = (Outcome.DONE, Outcome.REUSED, Outcome.TIME_LIMITED)


@dataclass(frozen=True)
class PastRun:
    """The last attempt at a run: its inputs' fingerprint, how it ended, how long it took (s)."""

    fingerprint: str
    outcome: Outcome
    wall_time: float


class History:
    """Past runs of one configuration, by variables and repetition: numbers change too easily."""

    def __init__(self, runs: Mapping[str, PastRun] | None = None) -> None:
        self._runs = dict(runs or {})
        durations = [past.wall_time for past in self._runs.values() if _tells_duration(past)]
        self._mean = fmean(durations) if durations else None

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> History:
        """Inverse of `as_json`."""
        rows = data.get("runs", {})
        return cls({name: PastRun(row[0], Outcome(row[1]), row[2]) for name, row in rows.items()})

    def as_json(self) -> dict[str, Any]:
        """``{"runs": {identity: [fingerprint, outcome, wall time]}}``."""
        rows = {
            name: [past.fingerprint, past.outcome.value, past.wall_time]
            for name, past in self._runs.items()
        }
        return {"runs": rows}

    def of(self, run: Run) -> PastRun | None:
        """The last attempt at the run, if it is known."""
        return self._runs.get(_identity(run))

    def expected(self, run: Run) -> float | None:
        """Seconds that the run will take: as long as it took, else as its likes did on average."""
        past = self.of(run)
        return past.wall_time if past and _tells_duration(past) else self._mean

    def updated(self, ended: Iterable[tuple[Run, str, RunRecord]]) -> History:
        """With runs that ended since, each with the fingerprint of its inputs."""
        runs = dict(self._runs)
        for run, fingerprint, record in ended:
            if record.outcome.is_final and record.attempts:
                name = _identity(run)
                runs.pop(name, None)
                runs[name] = PastRun(fingerprint, record.outcome, record.wall_time)
        latest = list(runs.items())[-MOST_RUNS:]
        return History(dict(latest))


def _tells_duration(past: PastRun) -> bool:
    return past.outcome in _TELLS_DURATION


def _identity(run: Run) -> str:
    return ",".join([*(f"{name}={value}" for name, value in run.variables), f"#{run.repetition}"])
