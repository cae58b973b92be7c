"""Stage ``report``: tables and charts over the iteration variables, then the verdict."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import oppflow
from oppflow.deployment import Deployment
from oppflow.errors import InfrastructureError, ResultFileError, RunError
from oppflow.manifest import Manifest
from oppflow.plan import PackedCampaign
from oppflow.results_folder import ResultsFolder
from oppflow.stages.build import with_builds
from oppflow.stages.collect import load_plan
from oppflow.stages.messages import explain_runs

log = logging.getLogger(__name__)

TaskStates = Mapping[str, Mapping[str, int]]

# polars' allocator gives back at once what it does not use: a third of the memory, as fast.
_FRUGAL = {"_RJEM_MALLOC_CONF": "dirty_decay_ms:0,muzzy_decay_ms:0"}
_BAD_RESULTS = 1  # an exit status of `oppflow.analysis`
_PACKAGE_ROOT = Path(oppflow.__file__).resolve().parents[1]

_BAD_STATES = ("failed", "upstream_failed")
_BEFORE = ("pack_model", "resolve_runs", "build_model", "simulate", "collect")


def report(
    deployment: Deployment, packed: PackedCampaign | None, task_states: TaskStates
) -> dict[str, Any]:
    """Write ``runs.csv``, ``scalars.parquet`` and ``report.html``; where they lie.

    Raises:
        RunError: the verdict is red: a task before this one failed, there is no manifest, or a run
            is not good (and partial results were not allowed).
        ResultFileError: a result file cannot be read.
    """
    failed = _failed_tasks(task_states)
    if packed is None:
        raise RunError(
            f"The campaign did not start: {failed or 'pack_model gave nothing'}.",
            hint="Read the log of pack_model.",
        )
    if packed.request.plan_only:
        if failed:
            raise RunError(f"There is no plan: {failed}.", hint="Read the log of that task.")
        log.info("Nothing was simulated: the plan is in the log of resolve_runs.")
        return {}
    folder = ResultsFolder.named(deployment.settings.results_root, packed.results)
    if not folder.manifest.exists():
        raise RunError(
            f"The campaign has no manifest: {failed or 'collect wrote none'}.",
            hint="Read the log of the task that failed, and clear it when the cause is gone.",
        )
    _write_outputs(folder)
    manifest = Manifest.read(folder.manifest)
    if manifest.runs:
        log.info("Report: %s", folder.report)
    _give_verdict(deployment, packed, manifest, task_states)
    return {"results": str(folder.path), "report": str(folder.report)}


def _write_outputs(folder: ResultsFolder) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "oppflow.analysis", str(folder.path)],
        env={**os.environ, "PYTHONPATH": str(_PACKAGE_ROOT), **_FRUGAL},
        stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace", check=False,
    )  # fmt: skip
    if done.returncode == _BAD_RESULTS:
        raise ResultFileError(done.stderr.strip())
    if done.returncode != 0:
        last = "\n".join(done.stderr.strip().splitlines()[-20:])
        raise InfrastructureError(
            f"The tables and charts of {folder.path} could not be made (status {done.returncode}):"
            f"\n{last}",
            hint="Clear the task report when the cause is gone; results and manifest are there.",
        )


def _failed_tasks(task_states: TaskStates) -> str:
    """The tasks before this one that failed, as ``resolve_runs, simulate (3 of 40)``."""
    parts = []
    for task in _BEFORE:
        states = task_states.get(task, {})
        bad = states.get("failed", 0)
        if bad:
            total = sum(states.values())
            parts.append(f"{task} ({bad} of {total})" if total > 1 else task)
    return f"failed: {', '.join(parts)}" if parts else ""


def _give_verdict(
    deployment: Deployment, packed: PackedCampaign, manifest: Manifest, task_states: TaskStates
) -> None:
    good = [record for _, record in manifest.runs if record.outcome.is_good]
    bad = len(manifest.runs) - len(good)
    tolerated = ("simulate",) if packed.request.allow_partial and good else ()
    causes = [
        task
        for task in _BEFORE
        if task not in tolerated
        and any(task_states.get(task, {}).get(state) for state in _BAD_STATES)
    ]
    if any(task != "simulate" and task_states[task].get("failed") for task in causes):
        # What became of the runs follows from it, and would only hide it.
        runs = f" {bad} of {len(manifest.runs)} runs are not good." if bad else ""
        raise RunError(
            f"The campaign is not complete: {_failed_tasks(task_states)}.{runs}",
            hint="Read the log of the task that failed, and clear it when the cause is gone.",
        )
    if bad and not tolerated:
        raise RunError(_explain(deployment, packed, manifest))
    if causes:
        raise RunError(
            f"The campaign is not complete: {_failed_tasks(task_states)}.",
            hint="Read the log of the task that failed.",
        )
    if bad:
        log.warning("%d of %d runs are not good; partial results were allowed.",
                    bad, len(manifest.runs))  # fmt: skip
    log.info("Verdict: green, %d good runs.", len(good))


def _explain(deployment: Deployment, packed: PackedCampaign, manifest: Manifest) -> str:
    plan = load_plan(deployment, packed)
    built = with_builds(deployment.store, packed)
    records = {record.number: record for _, record in manifest.runs}
    runs = [
        (planned, records[planned.run.number])
        for planned in (plan.runs if plan else ())
        if not records[planned.run.number].outcome.is_good
    ]
    return f"{len(runs)} of {len(records)} runs are not good.\n{explain_runs(built, runs)}"
