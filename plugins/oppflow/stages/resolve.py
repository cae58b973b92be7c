"""Stage ``resolve_runs``: which runs there are, which of them are new, and in which batches."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any

from oppflow.campaign import Outcome, Run
from oppflow.deployment import Deployment
from oppflow.errors import ModelError
from oppflow.keys import RunInputs, digest, run_inputs
from oppflow.omnetpp.queries import ConfigurationTemplate
from oppflow.plan import (
    PackedCampaign,
    Plan,
    PlannedRun,
    batch_label,
    check_names,
    effective,
    expects_scalars,
    once_each,
    refuse_unsuitable,
    warnings_about,
)
from oppflow.runners.interface import TreeParts, Work
from oppflow.stages.jobs import OnRunner, run_job, simulation_of
from oppflow.worker.jobs import ResolveJob

log = logging.getLogger(__name__)

Pair = tuple[str, str]


def resolve_runs(
    deployment: Deployment, packed: PackedCampaign, on_runner: OnRunner | None = None
) -> list[dict[str, Any]]:
    """Plan the campaign; the batches to map over, each ``{"index", "label", "runs"}``.

    Raises:
        ParameterError, ModelError: what was asked for gives no runs.
        StoreError, InfrastructureError: the machine's fault.
    """
    answer = _ask(deployment, packed, on_runner)
    details = [tuple(map(_pair, pairs)) for pairs in answer["details"]]
    resolved = list(zip(map(Run.from_json, answer["runs"]), details, strict=True))
    listed = once_each(resolved)
    if len(listed) < len(resolved):
        log.warning("The run filter names %d runs twice.", len(resolved) - len(listed))
    first_config = [_pair(pair) for pair in answer["first_config"]]
    template = ConfigurationTemplate(first_config, details[0])
    runs = [(run, template.expand(pairs)) for run, pairs in listed]
    refuse_unsuitable(runs[0][1])
    check_names([(run, name) for run, pairs in runs for name in _result_names(run, pairs)])
    warnings = warnings_about(
        [run for run, _ in runs],
        runs[0][1],
        abstract=answer["abstract"],
        wall_time_limit=packed.request.wall_time_limit,
    )
    plan = Plan(
        tuple(_Planner(deployment, packed).plan(runs)), tuple(warnings), expects_scalars(runs[0][1])
    )
    return _publish(deployment, packed, plan)


def _ask(
    deployment: Deployment, packed: PackedCampaign, on_runner: OnRunner | None
) -> Mapping[str, Any]:
    job = ResolveJob(simulation_of(packed), packed.request.run_filter, trees="", scratch="")
    trees = tuple(TreeParts(tree.place, tree.archive) for tree in packed.trees)
    work = Work(f"{packed.campaign}-resolve", job, trees, packed.image_id)
    events = run_job(deployment, work, on_runner=on_runner)
    for event in events:
        if event["event"] == "resolved":
            answer: Mapping[str, Any] = event["answer"]
            return answer
    raise ModelError("The worker ended without telling the runs.")


def _pair(item: Sequence[str]) -> Pair:
    return item[0], item[1]


def _result_names(run: Run, pairs: Sequence[Pair]) -> list[str]:
    """What the run's files are called: OMNeT++'s default, or what its entries say."""
    names = [run.result_name]
    keys = ["output-scalar-file", "output-vector-file"]
    if effective(pairs, "record-eventlog") == "true":
        keys.append("eventlog-file")
    for key in keys:
        value = effective(pairs, key)
        if value is not None:
            names.append(value.strip('"'))
    return names


class _Planner:
    def __init__(self, deployment: Deployment, packed: PackedCampaign) -> None:
        self._deployment = deployment
        self._packed = packed

    def plan(self, runs: Sequence[tuple[Run, Sequence[Pair]]]) -> list[PlannedRun]:
        """Decide for every run whether a stored result is reused, with the reason."""
        inputs = [(run, self._inputs(run, pairs)) for run, pairs in runs]
        stored = self._stored([part.key for _, part in inputs])
        store = self._deployment.store
        histories = store.get_records("history", [self.history_key(run) for run, _ in inputs])
        planned = []
        for run, parts in inputs:
            record = stored.get(parts.key)
            history = histories.get(self.history_key(run))
            reason = self._reason(parts, record, history)
            planned.append(PlannedRun(run, parts.key, parts.as_json(), record is not None, reason))
        return planned

    def _inputs(self, run: Run, pairs: Sequence[Pair]) -> RunInputs:
        packed, request = self._packed, self._packed.request
        return run_inputs(
            trees={tree.place: tree.content_digest for tree in packed.trees},
            build_keys={tree.place: tree.build_key for tree in packed.trees},
            environment=packed.environment,
            options=request.options,
            place={
                "ini_dir": packed.ini_dir,
                "ini_files": list(request.ini_files),
                "exclude_ned": list(request.exclude_ned),
                "keep": list(request.keep),
            },
            pairs=pairs,
            run={
                "config": request.config,
                "variables": [list(pair) for pair in run.variables],
                "repetition": run.repetition,
                "seed_set": run.seed_set,
            },
        )

    def _stored(self, keys: Sequence[str]) -> dict[str, dict[str, Any]]:
        """Results that may be reused, by run key; what the store lost is not among them."""
        if not self._packed.request.reuse_results or self._packed.unsteady:
            return {}
        store = self._deployment.store
        records = store.get_records("result", keys)
        gone = store.missing({record["archive"] for record in records.values()})
        return {key: record for key, record in records.items() if record["archive"] not in gone}

    def _reason(
        self,
        parts: RunInputs,
        record: Mapping[str, Any] | None,
        history: Mapping[str, Any] | None,
    ) -> str:
        if record is not None:
            return f"same inputs as in campaign {record.get('campaign', '?')}"
        if not self._packed.request.reuse_results:
            return "reuse is switched off"
        if self._packed.unsteady:
            return f"not reusable: {self._packed.unsteady[0]}"
        if history is None:
            return "new run"
        earlier = Outcome(history["outcome"])
        if history["key"] == parts.key and not earlier.is_good:
            return f"earlier attempt {earlier.value}"
        return parts.why_new(history["parts"])

    def history_key(self, run: Run) -> str:
        """What stays the same when sources, options or seeds of a run change."""
        return history_key(self._packed, run)


def history_key(packed: PackedCampaign, run: Run) -> str:
    """The key of a run's history: model, configuration, variables, repetition."""
    model = packed.model.origin or packed.model.place
    place = [model, packed.ini_dir, packed.request.config]
    return digest([*place, [list(pair) for pair in run.variables], run.repetition])


def _publish(deployment: Deployment, packed: PackedCampaign, plan: Plan) -> list[dict[str, Any]]:
    store = deployment.store
    batches = plan.batches(packed.request.runs_per_task)
    for index, batch in enumerate(batches):
        part = Plan(batch, scalars_expected=plan.scalars_expected)
        store.put_record("batch", f"{packed.campaign}/{index}", part.as_json())
    store.put_record("plan", packed.campaign, plan.as_json())
    for warning in plan.warnings:
        log.warning("%s", warning)
    for planned in plan.runs:
        verb = "reused" if planned.reuse else "executed"
        log.info("%s: %s, %s", planned.run.label, verb, planned.reason)
    log.info(
        "%d runs: %d to execute in %d tasks, %d reused",
        len(plan.runs), len(plan.to_execute), len(batches), len(plan.runs) - len(plan.to_execute),
    )  # fmt: skip
    return [
        {"index": index, "label": batch_label(batch), "runs": len(batch)}
        for index, batch in enumerate(batches)
    ]
