"""A night in words, for logs, mails and messages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from oppflow.analysis.formatting import format_number
from oppflow.comparison import Change

_REFERENCES = {"last": "the good night of {started}", "pinned": "the pinned reference"}


def title(told: Mapping[str, Any]) -> str:
    """One line: which campaign, which verdict."""
    drift = ", and the pinned reference is left behind" if told.get("drift") else ""
    return f"{told['dag_id']}: {told['verdict']}{drift}"


def summary(told: Mapping[str, Any]) -> str:
    """Several lines: the verdict, why, and the clearest changes; ``told`` is `compare_night`'s."""
    lines = [title(told), told["reason"]]
    if told.get("results"):
        commit = f", commit {told['commit']}" if told.get("commit") else ""
        lines.append(f"Results: {told['results']}{commit}")
    for comparison in told.get("comparisons", ()):
        where = _REFERENCES[comparison["reference"]].format(**comparison)
        lines += ["", f"Beside {where} ({comparison['results']}): {comparison['verdict']}."]
        if comparison["reason"] != told["reason"]:
            lines.append(comparison["reason"])
        lines += [f"  {change_line(Change(**change))}" for change in comparison["changes"]]
    return "\n".join(lines)


def change_line(change: Change) -> str:
    """``timeInSystem:mean of mm1.Queue at load=0.5: 2 -> 2.2 s (+10 %, p = 0.0003, paired t)``."""
    where = f" at {change.point}" if change.point else ""
    unit = f" {change.unit}" if change.unit else ""
    values = f"{format_number(change.before)} -> {format_number(change.now)}{unit}"
    facts = [format_change(change.relative)] if change.relative is not None else []
    if change.significance is not None:
        facts.append(f"p = {change.significance:.2g}")
    facts.append(change.how)
    return f"{change.name} of {change.module}{where}: {values} ({', '.join(facts)})"


def format_change(relative: float | None) -> str:
    """A relative change in per cent, with its sign."""
    return "" if relative is None else f"{100 * relative:+.3g} %"
