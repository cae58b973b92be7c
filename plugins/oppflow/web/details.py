"""All that is known of one run: planned, under way, ended; how to do it again."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from typing import Any

import polars as pl

from oppflow.campaign import RunRecord
from oppflow.deployment import Deployment
from oppflow.errors import InfrastructureError, StoreError
from oppflow.manifest import Manifest
from oppflow.plan import PackedCampaign
from oppflow.results import CampaignResults
from oppflow.stages.build import with_builds
from oppflow.stages.simulate import run_record_key
from oppflow.web.results import NotThereError
from oppflow.web.state import CampaignState
from oppflow.web.text import shown
from oppflow.worker.packing import safe_name

Json = dict[str, Any]


def run_row(state: CampaignState, number: int) -> Json:
    """The run's row in the table of runs.

    Raises:
        NotThereError: the campaign has no such run.
    """
    if state.runs is not None:
        rows = state.runs.filter(pl.col("run") == number).to_dicts()
        if rows:
            return rows[0]
    raise NotThereError(f"The campaign has no run {number}.")


def run_details(deployment: Deployment, state: CampaignState, number: int) -> Json:
    """The run's row, and what its record adds, as JSON.

    ``lines`` are the last ones that it printed; ``files`` those that it left; ``archive`` the
    SHA-256 of its archive in the store; ``reproduce`` a shell command.
    """
    row = run_row(state, number)
    packed, results = state.packed, state.results(deployment)
    record = run_record(deployment, state, row)
    lines = state.lines.get(number) or list(record.last_lines if record else ())
    command = record.command if record else ""
    return {
        **row,
        "variables": {
            name.removeprefix("$"): value for name, value in row.items() if name.startswith("$")
        },
        "lines": [shown(line) for line in lines],
        "message": shown(record.message if record and record.message else row["message"] or ""),
        "files": [
            {
                "name": shown(_placed(results, row, file.name)),
                "size": file.size,
                "sha256": file.sha256,
            }
            for file in (record.files if record else ())
        ],
        "archive": record.archive if record else None,
        "archive_bytes": record.archive_bytes if record else 0,
        "started": record.started if record else "",
        "ended": record.ended if record else "",
        "events": record.events if record else None,
        "simulated_time": (record and record.simulated_time) or row["simulated_time"] or "",
        "exit_status": record.exit_status if record else None,
        "reproduce": shown(_reproduce(deployment, packed, number, command)) if packed else "",
        "task_log": _task_log(state, row),
    }


def run_record(
    deployment: Deployment, state: CampaignState, row: Mapping[str, Any]
) -> RunRecord | None:
    """The record of a run that ended: from the store, else from the campaign's manifest."""
    packed = state.packed
    if packed is None:
        return None
    kind, key = "run", run_record_key(packed, row["run"])
    if row["state"] == "reused" and row["key"]:
        kind, key = "result", row["key"]
    try:
        data = deployment.store.get_records(kind, [key]).get(key)
        if data is not None:
            return RunRecord.from_json(data)
    except StoreError:
        pass  # the page says so above; the manifest may know
    return _from_manifest(deployment, state, row["run"]) if state.collected else None


def _placed(results: CampaignResults | None, row: Mapping[str, Any], name: str) -> str:
    """Where `collect` put a file: beside the others, or where another run has one of its name."""
    other = f"runs/{safe_name(row['result_name'])}/{name}"
    with contextlib.suppress(StoreError):  # then as it most often is
        if results is not None and results.has(other):
            return other
    return name


def _from_manifest(deployment: Deployment, state: CampaignState, number: int) -> RunRecord | None:
    results = state.results(deployment)
    if results is None:
        return None
    try:
        results.fetch(results.folder.manifest.name)
        runs = Manifest.read(results.folder.manifest).runs
    except InfrastructureError:
        return None  # deleted by hand, or not to be had now
    return next((record for run, record in runs if run.number == number), None)


def _reproduce(deployment: Deployment, packed: PackedCampaign, number: int, command: str) -> str:
    with contextlib.suppress(StoreError):  # else without what built the trees that are fetched
        packed = with_builds(deployment.store, packed)
    return packed.reproduce(number, command)


def _task_log(state: CampaignState, row: Mapping[str, Any]) -> str:
    """Where Airflow's own page has the log of the run's task, below its base address."""
    if row["batch"] is None:
        return ""
    facts = state.facts
    return f"dags/{facts.dag_id}/runs/{facts.run_id}/tasks/simulate/mapped/{row['batch']}"
