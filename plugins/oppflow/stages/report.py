"""Stage ``report``: tables and charts over the iteration variables, then the verdict."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from oppflow.deployment import Deployment
from oppflow.errors import RunError
from oppflow.manifest import Manifest
from oppflow.plan import PackedCampaign
from oppflow.results import CampaignResults
from oppflow.stages.analysis_process import run_analysis
from oppflow.stages.build import with_builds
from oppflow.stages.collect import load_plan
from oppflow.stages.messages import explain_runs

log = logging.getLogger(__name__)

TaskStates = Mapping[str, Mapping[str, int]]

_BAD_STATES = ("failed", "upstream_failed")
_BEFORE = ("pack_model", "resolve_runs", "build_model", "simulate", "collect", "compare", "tell")


def report(
    deployment: Deployment, packed: PackedCampaign | None, task_states: TaskStates
) -> dict[str, Any]:
    """Write ``runs.csv``, ``scalars.parquet`` and ``report.html``; where they lie.

    Raises:
        RunError: the verdict is red: a task before this one failed, there is no manifest, or a run
            is not good (and partial results were not allowed).
        ResultFileError: a result file cannot be read.
    """
    if packed is None and task_states.get("pack_model", {}).get("skipped"):
        log.info("Verdict: green. Nothing was to be done: the log of pack_model says why.")
        return {}
    cause = _no_campaign(deployment, packed, task_states)
    if cause is not None or packed is None:
        raise cause or RunError("The campaign did not start.")
    if packed.request.plan_only:
        log.info("Nothing was simulated: the plan is in the log of resolve_runs.")
        return {}
    results = deployment.results(packed.results)
    folder = results.folder
    manifest = Manifest.read(folder.manifest)
    fetch_scalars(results, manifest)
    run_analysis("oppflow.analysis", folder, task="report")
    results.publish()
    told = {"results": results.where(), "report": results.where(folder.report.name)}
    if manifest.runs:
        log.info("Report: %s", told["report"])
    cause = _bad_campaign(deployment, packed, manifest, task_states)
    if cause is not None:
        raise cause
    bad = sum(not record.outcome.is_good for _, record in manifest.runs)
    if bad:
        log.warning("%d of %d runs are not good; partial results were allowed.",
                    bad, len(manifest.runs))  # fmt: skip
    log.info("Verdict: green, %d good runs.", len(manifest.runs) - bad)
    return told


def red_cause(
    deployment: Deployment, packed: PackedCampaign | None, task_states: TaskStates
) -> RunError | None:
    """Why a collected campaign is not good, or None where it is; `report` raises the same.

    Raises:
        InfrastructureError: the manifest cannot be read.
    """
    cause = _no_campaign(deployment, packed, task_states)
    if cause is not None or packed is None or packed.request.plan_only:
        return cause
    manifest = Manifest.read(deployment.results(packed.results).folder.manifest)
    return _bad_campaign(deployment, packed, manifest, task_states)


def fetch_scalars(results: CampaignResults, manifest: Manifest) -> None:
    """Have the scalar files of the good runs on this host."""
    good = [record for _, record in manifest.runs if record.outcome.is_good]
    results.fetch(*(f.name for record in good for f in record.files if f.name.endswith(".sca")))


def _no_campaign(
    deployment: Deployment, packed: PackedCampaign | None, task_states: TaskStates
) -> RunError | None:
    """Why there is nothing to report on, if so."""
    failed = _failed_tasks(task_states)
    if packed is None:
        return RunError(
            f"The campaign did not start: {failed or 'pack_model gave nothing'}.",
            hint="Read the log of pack_model.",
        )
    if packed.request.plan_only:
        hint = "Read the log of that task."
        return RunError(f"There is no plan: {failed}.", hint=hint) if failed else None
    results = deployment.results(packed.results)
    results.fetch(results.folder.manifest.name)
    if not results.folder.manifest.exists():
        return RunError(
            f"The campaign has no manifest: {failed or 'collect wrote none'}.",
            hint="Read the log of the task that failed, and clear it when the cause is gone.",
        )
    return None


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


def _bad_campaign(
    deployment: Deployment, packed: PackedCampaign, manifest: Manifest, task_states: TaskStates
) -> RunError | None:
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
        return RunError(
            f"The campaign is not complete: {_failed_tasks(task_states)}.{runs}",
            hint="Read the log of the task that failed, and clear it when the cause is gone.",
        )
    if bad and not tolerated:
        return RunError(_explain(deployment, packed, manifest))
    if causes:
        return RunError(
            f"The campaign is not complete: {_failed_tasks(task_states)}.",
            hint="Read the log of the task that failed.",
        )
    return None


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
