"""The runs of a report that are not good: why, their last lines, and how to see it again."""

from __future__ import annotations

from collections.abc import Sequence

from oppflow.analysis.formatting import format_count, format_duration
from oppflow.analysis.html import Html, join, tag
from oppflow.analysis.report_summary import outcome_colour, outcome_title
from oppflow.analysis.summary import CampaignRun
from oppflow.campaign import Outcome

MAX_RUNS = 50
OPEN_RUNS = 3  # whose last lines are shown without a click

_ORDER = (
    Outcome.FAILED,
    Outcome.OUT_OF_MEMORY,
    Outcome.TIME_LIMITED,
    Outcome.LOST,
    Outcome.STOPPED,
)


def bad_runs(runs: Sequence[CampaignRun]) -> list[CampaignRun]:
    """Return the runs that are not good: faults of the model first, then in their order."""
    bad = [run for run in runs if not run.record.outcome.is_good]
    return sorted(bad, key=lambda run: (_ORDER.index(run.record.outcome), run.run.number))


def runs_section(runs: Sequence[CampaignRun]) -> Html:
    """Return the section, empty if all runs are good."""
    bad = bad_runs(runs)
    if not bad:
        return Html("")
    left = len(bad) - MAX_RUNS
    more = f"{format_count(left, 'run')} more: see runs.csv." if left > 0 else ""
    return tag(
        "section",
        tag("h2", "Runs that are not good", id="runs"),
        *(_run(run, is_open=i < OPEN_RUNS) for i, run in enumerate(bad[:MAX_RUNS])),
        tag("p", more, class_="soft") if more else "",
        aria_labelledby="runs",
    )


def _run(run: CampaignRun, *, is_open: bool) -> Html:
    record = run.record
    title = outcome_title(record.outcome)
    return tag(
        "article",
        tag("h3", f"Run {run.run.label}", tag("span", title, class_="badge")),
        tag("p", record.message or f"The run is {title}.", class_="message"),
        tag("p", " · ".join(_facts(run)), class_="soft"),
        _fold("Last lines of its output", "\n".join(record.last_lines), is_open=is_open),
        _fold("Command", record.command, is_open=False),
        class_="run card",
        style=outcome_colour(record.outcome),
    )


def _facts(run: CampaignRun) -> list[str]:
    record = run.record
    facts = [format_count(record.attempts, "attempt")]
    if record.exit_status is not None:
        facts.append(f"exit status {record.exit_status}")
    if record.wall_time:
        facts.append(f"{format_duration(record.wall_time)} of wall time")
    if record.simulated_time:
        facts.append(f"up to t={record.simulated_time}s, event #{record.events}")
    return facts


def _fold(title: str, text: str, *, is_open: bool) -> Html:
    if not text:
        return Html("")
    shown = tag("pre", text, tabindex=0)
    return tag("details", join(tag("summary", title), shown), open=is_open)
