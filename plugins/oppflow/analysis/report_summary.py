"""The head of a report: what the campaign was and how it went."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from oppflow.analysis.formatting import format_count, format_duration
from oppflow.analysis.html import Html, join, tag
from oppflow.analysis.summary import CampaignRun, CampaignSummary
from oppflow.campaign import Outcome


def header(
    summary: CampaignSummary, runs: Sequence[CampaignRun], sections: Sequence[tuple[str, str]]
) -> Html:
    """Return the page's header; ``sections`` are (anchor, title) of what follows."""
    links = (tag("li", tag("a", title, href=f"#{anchor}")) for anchor, title in sections)
    return tag(
        "header",
        tag("p", "Simulation campaign", class_="eyebrow"),
        tag("h1", summary.results),
        tag(
            "div",
            _verdict(summary),
            _bar(summary),
            tag(
                "dl", *(_fact(name, value) for name, value in _facts(summary, runs)), class_="facts"
            ),
            class_="card overview",
        ),
        tag("nav", tag("ul", *links), aria_label="Parts of this report"),
    )


def outcome_title(outcome: Outcome) -> str:
    """Return an outcome as people write it: ``out of memory``."""
    return outcome.value.replace("_", " ")


def outcome_colour(outcome: Outcome) -> str:
    """Return the style that gives an element the colour of an outcome."""
    return f"--colour: var(--{outcome.value})"


def _verdict(summary: CampaignSummary) -> Html:
    bad = summary.runs - summary.good_runs
    if not summary.runs:
        return tag("p", "There were no runs.", class_="verdict")
    if not bad:
        text = "The run is good." if summary.runs == 1 else f"All {summary.runs:,} runs are good."
        return tag("p", text, class_="verdict good")
    if not summary.good_runs:
        text = f"None of the {bad:,} runs is good." if bad > 1 else "The run is not good."
        return tag("p", text, class_="verdict bad")
    verb = "is" if summary.good_runs == 1 else "are"
    text = f"{summary.good_runs:,} of {format_count(summary.runs, 'run')} {verb} good, {bad:,} "
    return tag("p", text + ("is not." if bad == 1 else "are not."), class_="verdict bad")


def _bar(summary: CampaignSummary) -> Html:
    counts = [(outcome, n) for outcome, n in summary.counts.items() if n]
    parts = (tag("span", style=f"flex:{n};{outcome_colour(o)}") for o, n in counts)
    items = (tag("li", f"{n:,} {outcome_title(o)}", style=outcome_colour(o)) for o, n in counts)
    return join(
        tag("div", *parts, class_="bar", aria_hidden="true"),
        tag("ul", *items, class_="outcomes", aria_label="Runs by outcome"),
    )


def _facts(summary: CampaignSummary, runs: Sequence[CampaignRun]) -> list[tuple[str, str]]:
    work = sum(run.record.wall_time for run in runs)
    facts = [
        ("Model", summary.model),
        ("Configuration", summary.config),
        ("Run filter", summary.run_filter or "all runs"),
        ("Engine", summary.engine),
        ("Started", _moment(summary.started)),
        ("Duration", format_duration(summary.duration)),
        ("Simulating, all runs together", format_duration(work)),
        *summary.versions.items(),
    ]
    return [(name, value) for name, value in facts if value]


def _fact(name: str, value: str) -> Html:
    return tag("div", tag("dt", name), tag("dd", value))


def _moment(text: str) -> str:
    """``2026-11-22 11:27:31 UTC``; what is no ISO 8601 stays as it is."""
    try:
        moment = datetime.fromisoformat(text[:-1] + "+00:00" if text.endswith("Z") else text)
    except ValueError:
        return text
    zone = f" {moment:%Z}" if moment.tzinfo else ""
    return f"{moment:%Y-%m-%d %H:%M:%S}{zone}"
