"""Errors about runs: what, where, the last words, and the command that shows it again."""

from __future__ import annotations

from collections.abc import Sequence

from oppflow.campaign import RunRecord
from oppflow.plan import PackedCampaign, PlannedRun

_TOLD_RUNS = 5
_TOLD_LINES = 12


def explain_run(packed: PackedCampaign, planned: PlannedRun, record: RunRecord) -> str:
    """What happened to one run, for somebody who was not there."""
    run = planned.run
    where = (
        f"  campaign {packed.results}, configuration {packed.request.config}, "
        f"run number {run.number}, seed set {run.seed_set}, attempt {record.attempts}"
    )
    if record.host:
        where += f" on {record.host}"
    lines = [f"Run {run.label}: {record.outcome.value}. {record.message}", where]
    last = [line for line in record.last_lines if line.strip()][-_TOLD_LINES:]
    if last:
        lines += ["  Its last lines:", *(f"    {line}" for line in last)]
    lines.append(f"  To see it again: {packed.reproduce(run.number, record.command)}")
    return "\n".join(lines)


def explain_runs(packed: PackedCampaign, runs: Sequence[tuple[PlannedRun, RunRecord]]) -> str:
    """The first few in full, the others by number."""
    parts = [explain_run(packed, planned, record) for planned, record in runs[:_TOLD_RUNS]]
    if len(runs) > _TOLD_RUNS:
        others = ", ".join(f"#{planned.run.number}" for planned, _ in runs[_TOLD_RUNS:])
        parts.append(f"And {len(runs) - _TOLD_RUNS} more: {others}.")
    return "\n".join(parts)
