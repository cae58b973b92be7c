"""What a report is about: the campaign's facts, and its runs with what became of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from oppflow.campaign import Outcome, Run, RunRecord


@dataclass(frozen=True)
class CampaignRun:
    """A run of the campaign and its record."""

    run: Run
    record: RunRecord


@dataclass(frozen=True)
class CampaignSummary:
    """The facts at the head of a report.

    ``results`` is the name of the campaign's folder; ``started`` and ``ended`` are ISO 8601;
    ``engine`` is what simulated, as a person would say it; ``versions`` are further programs by
    name; ``counts`` are the numbers of runs by outcome.
    """

    results: str
    model: str
    config: str
    run_filter: str = ""
    started: str = ""
    ended: str = ""
    engine: str = ""
    versions: Mapping[str, str] = field(default_factory=dict)
    counts: Mapping[Outcome, int] = field(default_factory=dict)

    @property
    def runs(self) -> int:
        """How many runs the campaign has."""
        return sum(self.counts.values())

    @property
    def good_runs(self) -> int:
        """How many runs may be used."""
        return sum(count for outcome, count in self.counts.items() if outcome.is_good)

    @property
    def duration(self) -> float | None:
        """Seconds from start to end; None where one of them is not known."""
        try:
            span = datetime.fromisoformat(_iso(self.ended)) - datetime.fromisoformat(
                _iso(self.started)
            )
        except (ValueError, TypeError):  # TypeError: one has a time zone, the other has none
            return None
        return span.total_seconds()


def count_outcomes(runs: Iterable[CampaignRun]) -> dict[Outcome, int]:
    """Return the number of runs by outcome, in the order of `Outcome`."""
    counts = Counter(run.record.outcome for run in runs)
    return {outcome: counts[outcome] for outcome in Outcome if counts[outcome]}


def _iso(moment: str) -> str:
    # Python 3.10 does not know the Z for UTC
    return moment[:-1] + "+00:00" if moment.endswith("Z") else moment
