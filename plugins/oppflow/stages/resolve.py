"""Stage ``resolve_runs``: which runs there are, which of them are new, and in which batches."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from oppflow.batching import split
from oppflow.campaign import Run
from oppflow.deployment import Deployment
from oppflow.errors import ModelError
from oppflow.history import History, PastRun
from oppflow.keys import RunInputs, digest, run_inputs, why_new
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
from oppflow.store import Record, Store
from oppflow.worker.jobs import ResolveJob

log = logging.getLogger(__name__)

HISTORY = "history"
"""The store's kind of record that holds a `History`."""

_TOLD_RUNS = 200

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
    if len(listed) < len(resolved):
        again = len(resolved) - len(listed)
        which = "a run" if again == 1 else f"{again} runs"
        warnings.append(f"The run filter names {which} twice: each is executed once.")
    planned = _Planner(deployment, packed).plan(runs)
    plan = Plan(
        tuple(planned),
        tuple(warnings),
        expects_scalars(runs[0][1]),
        _batches(deployment, packed, planned),
    )
    _tell(packed, plan)
    batches = _publish(deployment, packed, plan)
    return [] if packed.request.plan_only else batches


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
        history = load_history(self._deployment.store, self._packed)
        planned = []
        for run, parts in inputs:
            record = stored.get(parts.key)
            reason = self._reason(parts, record, history.of(run))
            planned.append(
                PlannedRun(
                    run, parts.key, parts.fingerprint, record is not None, reason,
                    record["wall_time"] if record else history.expected(run),
                )
            )  # fmt: skip
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
        past: PastRun | None,
    ) -> str:
        if record is not None:
            return f"same inputs as in campaign {record.get('campaign', '?')}"
        if not self._packed.request.reuse_results:
            return "reuse is switched off"
        if self._packed.unsteady:
            return f"not reusable: {self._packed.unsteady[0]}"
        if past is None:
            return "new run"
        if past.fingerprint == parts.fingerprint and not past.outcome.is_good:
            return f"earlier attempt {past.outcome.value}"
        return why_new(parts.fingerprint, past.fingerprint)


def _batches(
    deployment: Deployment, packed: PackedCampaign, planned: Sequence[PlannedRun]
) -> tuple[tuple[int, ...], ...]:
    settings = deployment.settings
    left = [one for one in planned if not one.reuse]
    batches = split(
        [one.run.number for one in left],
        [one.expected for one in left],
        slots=settings.slots,
        lanes=max(1, settings.cores // settings.slots),
        runs_per_task=packed.request.runs_per_task,
    )
    return tuple(batches)


def _tell(packed: PackedCampaign, plan: Plan) -> None:
    """Log the plan: all of it where it is all that was asked for."""
    for warning in plan.warnings:
        log.warning("%s", warning)
    told = plan.runs if packed.request.plan_only else plan.runs[:_TOLD_RUNS]
    for planned in told:
        verb = "reused" if planned.reuse else "executed"
        log.info("%s: %s, %s", planned.run.label, verb, planned.reason)
    if len(told) < len(plan.runs):
        log.info("... and %d runs more, among all:", len(plan.runs) - len(told))
        for (reuse, reason), count in Counter((p.reuse, p.reason) for p in plan.runs).items():
            log.info("%d %s: %s", count, "reused" if reuse else "executed", reason)
    log.info("%s", plan.summary())


def _publish(deployment: Deployment, packed: PackedCampaign, plan: Plan) -> list[dict[str, Any]]:
    by_number = {planned.run.number: planned for planned in plan.runs}
    batches = [tuple(by_number[number] for number in numbers) for numbers in plan.batches]
    records = [Record("plan", packed.campaign, plan.as_json())]
    for index, batch in enumerate(batches):
        part = Plan(batch, scalars_expected=plan.scalars_expected)
        records.append(Record("batch", f"{packed.campaign}/{index}", part.as_json()))
    deployment.store.put_records(records)
    return [
        {"index": index, "label": batch_label(batch), "runs": len(batch)}
        for index, batch in enumerate(batches)
    ]


def load_history(store: Store, packed: PackedCampaign) -> History:
    """What is known of the campaign's configuration; nothing where the store forgot it."""
    key = history_key(packed)
    data = store.get_records(HISTORY, [key]).get(key)
    try:
        return History.from_json(data or {})
    except (ValueError, LookupError, TypeError):
        return History()  # an earlier version's: it is only a hint


def history_key(packed: PackedCampaign) -> str:
    """The key of a configuration's history: its model and name, whatever their content is."""
    model = packed.model.origin or packed.model.place
    return digest([model, packed.ini_dir, packed.request.config])
