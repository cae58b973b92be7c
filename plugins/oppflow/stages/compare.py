"""Stage ``compare``: a night beside the last good one and a pinned reference; its verdict."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from typing import Any

from oppflow.comparison import Comparison, Night, NightTerms, Verdict
from oppflow.deployment import Deployment
from oppflow.errors import OppflowError
from oppflow.manifest import Manifest
from oppflow.plan import PackedCampaign
from oppflow.stages.analysis_process import run_analysis
from oppflow.stages.nights import Nights, night_inputs, noted_failure
from oppflow.stages.report import TaskStates, fetch_scalars, red_cause
from oppflow.stages.telling import summary

log = logging.getLogger(__name__)

_TOLD_CHANGES = 10
_LONGEST = 4000  # characters of a failure, as it travels through Airflow's database
_AFTER = ("compare", "tell", "report")

Json = dict[str, Any]


def compare_night(
    deployment: Deployment,
    packed: PackedCampaign | None,
    task_states: TaskStates,
    terms: NightTerms,
    *,
    dag_id: str,
    run_id: str,
    started: str,
    by_hand: bool = False,
) -> Json:
    """Compare a night, write the verdict into its manifest; what is told of the night.

    A good night is what the next is compared with, unless it was started ``by_hand`` with
    parameters of its own. One that failed keeps the last good night what it is.

    The answer has ``verdict``, ``reason``, ``drift`` (whether the pinned reference's verdict is
    `Verdict.CHANGED`), ``results``, ``commit``, ``last_good``, ``comparisons`` and ``summary``.

    Raises:
        StoreError, InfrastructureError: the machine's fault.
    """
    nights = Nights(deployment, dag_id)
    results = packed.results if packed else ""
    last = nights.last_good(started, results)
    found: list[Comparison] = []
    before = {task: states for task, states in task_states.items() if task not in _AFTER}
    cause: OppflowError | None = red_cause(deployment, packed, before)
    if cause is None and packed is not None:
        try:
            found = _compare(deployment, packed, terms, last)
        except OppflowError as error:
            if error.transient:
                raise
            cause = error
    noted = noted_failure(deployment, dag_id, run_id) if packed is None else ""
    verdict, reason = _verdict(found, last, cause, noted)
    told = _told(verdict, reason, found, last)
    told |= {"dag_id": dag_id, "run_id": run_id, "started": started, "by_hand": by_hand}
    if packed is not None:
        told |= {"results": results, "commit": packed.model.commit}
        _write(deployment, packed, {**told, "comparisons": [one.as_json() for one in found]})
        if verdict is Verdict.FAILED:
            nights.forget(results)
            deployment.results(results).publish()
        elif by_hand:
            deployment.results(results).publish()
        else:
            commit, inputs = packed.model.commit, night_inputs(packed, terms)
            night = Night(dag_id, run_id, results, started, inputs, verdict.value, commit)
            nights.remember(night)
    told["summary"] = summary(told)
    log.info("%s", told["summary"])
    return told


def _compare(
    deployment: Deployment, packed: PackedCampaign, terms: NightTerms, last: Night | None
) -> list[Comparison]:
    """With the last good night, and with the pinned reference if there is one."""
    references = []
    if last is not None:
        references.append({"kind": "last", "results": last.results, "started": last.started})
    if terms.pinned:
        references.append({"kind": "pinned", "results": terms.pinned, "started": ""})
    results = deployment.results(packed.results)
    fetch_scalars(results, Manifest.read(results.folder.manifest))
    for reference in references:
        other = deployment.results(reference["results"])
        other.fetch(other.folder.manifest.name, other.folder.scalars_table.name)
    asked = {
        "criteria": vars(terms.criteria),
        "references": references,
        "results_url": deployment.settings.results_url,
    }
    module = "oppflow.analysis.compare_nights"
    answer = run_analysis(module, results.folder, task="compare", given=json.dumps(asked))
    return [Comparison.from_json(one) for one in json.loads(answer)]


def _verdict(
    found: list[Comparison], last: Night | None, cause: OppflowError | None, noted: str
) -> tuple[Verdict, str]:
    if cause is not None:
        why = (noted or cause.message)[:_LONGEST]
        stays = (
            f" The last good night stays that of {last.started}, with the verdict: {last.verdict}."
            if last
            else " There is no good night yet."
        )
        return Verdict.FAILED, f"{why.rstrip()}{stays}"
    with_last = next((one for one in found if one.reference == "last"), None)
    if with_last is None:
        return Verdict.FIRST, "The first good night: there is none to compare it with."
    if with_last.verdict is Verdict.FAILED:  # or all later nights would fail for it
        return Verdict.FIRST, f"The last good night is of no use any more. {with_last.reason}"
    return with_last.verdict, with_last.reason


def _told(verdict: Verdict, reason: str, found: list[Comparison], last: Night | None) -> Json:
    """What is small enough to travel: of many changes, the clearest, each scalar's once."""
    comparisons = []
    for one in found:
        data = one.as_json()
        once = {(change["module"], change["name"]): change for change in data["changes"][::-1]}
        clearest = list(once.values())[::-1]
        comparisons.append({**data, "changes": clearest[:_TOLD_CHANGES]})
    pinned = [one for one in found if one.reference == "pinned"]
    return {
        "verdict": verdict.value,
        "reason": reason,
        "drift": any(one.verdict is Verdict.CHANGED for one in pinned),
        "results": "",
        "commit": "",
        "last_good": last.as_json() if last else None,
        "comparisons": comparisons,
    }


def _write(deployment: Deployment, packed: PackedCampaign, comparison: Mapping[str, Any]) -> None:
    """Put the verdict into the manifest, if there is one."""
    folder = deployment.results(packed.results).folder
    if folder.manifest.exists():
        manifest = Manifest.read(folder.manifest).data
        folder.write_json(folder.manifest, {**manifest, "comparison": comparison})
        folder.clean()
