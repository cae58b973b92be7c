"""The facts at the head of a report."""

from __future__ import annotations

import pytest

from oppflow.analysis.summary import CampaignRun, CampaignSummary, count_outcomes
from oppflow.campaign import Outcome, Run, RunRecord


def test_outcomes_are_counted_in_their_order():
    outcomes = [Outcome.LOST, Outcome.DONE, Outcome.REUSED, Outcome.DONE]
    runs = [CampaignRun(Run(0, (), 0, "0", ""), RunRecord(0, "k", o)) for o in outcomes]
    counts = count_outcomes(runs)
    assert list(counts.items()) == [(Outcome.DONE, 2), (Outcome.REUSED, 1), (Outcome.LOST, 1)]
    summary = CampaignSummary("r", "m", "C", counts=counts)
    assert (summary.runs, summary.good_runs) == (4, 3)


@pytest.mark.parametrize(
    ("started", "ended", "seconds"),
    [
        ("2026-11-22T11:27:31Z", "2026-11-22T11:31:02.500000+00:00", 211.5),
        ("2026-11-22T11:27:31", "2026-11-22T11:31:02Z", None),
        ("", "2026-11-22T11:31:02Z", None),
    ],
)
def test_the_duration(started, ended, seconds):
    assert CampaignSummary("r", "m", "C", started=started, ended=ended).duration == seconds
