"""The tables that a campaign leaves as files: `runs.csv` for every run."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

from oppflow.analysis.summary import CampaignRun
from oppflow.analysis.variables import find_variables, plain_text

_AFTER_VARIABLES = (
    "repetition",
    "seed_set",
    "outcome",
    "attempts",
    "wall_time_s",
    "cpu_time_s",
    "simulated_time_s",
    "events",
    "exit_status",
    "started",
    "ended",
    "result_name",
    "message",
)


def write_runs_csv(path: Path, runs: Sequence[CampaignRun]) -> None:
    """Write a row per run, good or not: number, iteration variables, and what became of it.

    Values of variables are spelt as in the ini file, without the quotes of strings. Times are
    seconds, ``started`` and ``ended`` UTC. UTF-8, fields quoted as RFC 4180 says.
    """
    variables = find_variables(runs)
    aside = path.with_name(f".{path.name}.part")
    with aside.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["run", *(v.column for v in variables), *_AFTER_VARIABLES])
        for run in runs:
            texts = dict(run.run.variables)
            values = [plain_text(texts.get(v.name, "")) for v in variables]
            writer.writerow([run.run.number, *values, *_facts(run)])
    aside.replace(path)


def _facts(run: CampaignRun) -> list[object]:
    """The columns of `_AFTER_VARIABLES`."""
    record = run.record
    return [
        run.run.repetition,
        run.run.seed_set,
        record.outcome.value,
        record.attempts,
        f"{record.wall_time:.3f}",
        f"{record.cpu_time:.3f}",
        record.simulated_time,
        record.events,
        "" if record.exit_status is None else record.exit_status,
        record.started,
        record.ended,
        run.run.result_name,
        record.message,
    ]
