"""The manifest: what a collected campaign was, and every run of it. Version 1 of the format."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from oppflow.campaign import Run, RunRecord
from oppflow.errors import InfrastructureError
from oppflow.plan import PackedCampaign, Plan, PlannedRun

VERSION = 1


@dataclass(frozen=True)
class Manifest:
    """A manifest as it was read; ``data`` holds all of it."""

    data: Mapping[str, Any]
    runs: tuple[tuple[Run, RunRecord], ...]

    @classmethod
    def read(cls, path: Path) -> Manifest:
        """Read the file.

        Raises:
            InfrastructureError: it is missing, or not a manifest of this version.
        """
        try:
            data = json.loads(path.read_text(encoding="utf-8"))
            if data["manifest_version"] != VERSION:
                raise ValueError(f"version {data['manifest_version']}")
            runs = tuple(_run_and_record(entry) for entry in data["runs"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise InfrastructureError(
                f"The manifest {path} cannot be read: {error}.",
                hint="Clear the task collect to write it again.",
            ) from error
        return cls(data, runs)


def _run_and_record(entry: Mapping[str, Any]) -> tuple[Run, RunRecord]:
    names = ("number", "repetition", "seed_set", "result_name")
    run = Run.from_json(
        {**{name: entry[name] for name in names}, "variables": list(entry["variables"].items())}
    )
    return run, RunRecord.from_json(entry)


def make_manifest(
    packed: PackedCampaign,
    plan: Plan,
    records: Sequence[RunRecord],
    task_states: Mapping[str, Mapping[str, int]],
) -> dict[str, Any]:
    """The manifest of a campaign whose runs have these records, as JSON."""
    by_number = {record.number: record for record in records}
    campaign = packed.as_json()
    return {
        "manifest_version": VERSION,
        "campaign": packed.campaign,
        "results": packed.results,
        "dag_id": packed.dag_id,
        "dag_run_id": packed.run_id,
        "started": packed.started,
        "collected": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "parameters": {**campaign["request"], "options": dict(packed.request.options)},
        "engine": packed.engine,
        "environment": packed.environment,
        "trees": campaign["trees"],
        "warnings": list(plan.warnings),
        "tasks": {task: dict(states) for task, states in task_states.items()},
        "outcomes": dict(Counter(record.outcome.value for record in records)),
        "runs": [_entry(packed, run, by_number[run.run.number]) for run in plan.runs],
    }


def _entry(packed: PackedCampaign, planned: PlannedRun, record: RunRecord) -> dict[str, Any]:
    return {
        **record.as_json(),
        **planned.run.as_json(),
        "variables": dict(planned.run.variables),
        "reason": planned.reason,
        "reproduce": packed.reproduce(planned.run.number, record.command),
    }
