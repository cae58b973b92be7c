"""Stage ``collect``: every archive out of the store, verified, unpacked; then the manifest."""

from __future__ import annotations

import gc
import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from oppflow.campaign import Outcome, Run, RunRecord
from oppflow.deployment import Deployment
from oppflow.manifest import make_manifest
from oppflow.plan import PackedCampaign, Plan, PlannedRun
from oppflow.results_folder import ResultsFolder
from oppflow.stages.build import with_builds
from oppflow.stages.clocks import tell_of_clocks
from oppflow.stages.courier import Courier
from oppflow.stages.deliveries import Delivery, Destination
from oppflow.stages.resolve import HISTORY, history_key, load_history
from oppflow.stages.simulate import run_record_key
from oppflow.worker.packing import safe_name

log = logging.getLogger(__name__)

_BLOCK = 1000  # runs whose records are read at once: as JSON they take several times their size


def collect(
    deployment: Deployment, packed: PackedCampaign, task_states: Mapping[str, Mapping[str, int]]
) -> dict[str, Any]:
    """Bring home what there is; how many runs had which outcome, and where the manifest lies.

    ``task_states`` says, by task, how many task instances ended how. Runs that failed are no error
    here: `report` gives the verdict.

    Raises:
        StoreError, ArchiveError, InfrastructureError: results could not be brought home.
    """
    if packed.request.plan_only:
        return {}
    results = deployment.results(packed.results)
    results.claim(packed.owner)
    folder = results.folder
    plan = load_plan(deployment, packed)
    runs = plan.runs if plan else ()
    records = _Collector(deployment, packed, folder, runs, task_states).bring_all_home()
    tell_of_clocks(packed, records)
    built = with_builds(deployment.store, packed)
    manifest = make_manifest(built, plan or Plan(()), records, task_states)
    if deployment.settings.results_url:
        manifest["results_url"] = results.where()
    folder.write_json(folder.manifest, manifest)
    folder.clean()
    results.publish()
    if plan:
        _update_history(deployment, packed, plan, records)
    log.info("Collected into %s: %s", results.where(), manifest["outcomes"] or "no run")
    return {"results": results.where(), "outcomes": manifest["outcomes"]}


def _update_history(
    deployment: Deployment, packed: PackedCampaign, plan: Plan, records: list[RunRecord]
) -> None:
    ended = zip(
        (p.run for p in plan.runs), (p.fingerprint for p in plan.runs), records, strict=True
    )
    history = load_history(deployment.store, packed).updated(ended)
    deployment.store.put_record(HISTORY, history_key(packed), history.as_json())


def load_plan(deployment: Deployment, packed: PackedCampaign) -> Plan | None:
    """The campaign's plan, or None where resolving failed."""
    data = deployment.store.get_records("plan", [packed.campaign]).get(packed.campaign)
    return Plan.from_json(data) if data else None


class _Collector:
    def __init__(
        self,
        deployment: Deployment,
        packed: PackedCampaign,
        folder: ResultsFolder,
        runs: Sequence[PlannedRun],
        task_states: Mapping[str, Mapping[str, int]],
    ) -> None:
        self._deployment = deployment
        self._packed = packed
        self._not_built = "failed" in task_states.get("build_model", {})
        self._folder = folder
        self._runs = runs
        self._taken: set[str] = set()

    def bring_all_home(self) -> list[RunRecord]:
        """The runs' records as they are now known, with their files in the results folder.

        Files get their names in the order of the runs, as two runs may ask for one name.
        """
        deliveries, records = [], []
        for planned, record in zip(self._runs, self._records(), strict=True):
            names = [self._claim_name(planned.run, file.name) for file in record.files]
            delivery = _delivery(record, names)
            if delivery is not None:
                deliveries.append((delivery, record.archive_bytes))
            records.append(_renamed(record, names))
        self._folder.clean()  # an earlier attempt's
        self._folder.aside.mkdir(parents=True)
        # All of these stay: else the garbage collector looks at each of them again and again.
        gc.freeze()
        destination = Destination(
            str(self._folder.path), str(self._folder.aside), self._deployment.limits
        )
        troubles = Courier(self._deployment, destination).bring_home(deliveries)
        return [
            _lost(record, troubles[record.number]) if record.number in troubles else record
            for record in records
        ]

    def _records(self) -> Iterator[RunRecord]:
        """The runs' records, in the order of the runs."""
        store = self._deployment.store
        for start in range(0, len(self._runs), _BLOCK):
            runs = self._runs[start : start + _BLOCK]
            reused = store.get_records("result", [p.key for p in runs if p.reuse])
            numbers = [p.run.number for p in runs if p.key not in reused]
            own = store.get_records("run", [run_record_key(self._packed, n) for n in numbers])
            by_number = {data["number"]: RunRecord.from_json(data) for data in own.values()}
            for planned in runs:
                number = planned.run.number
                if planned.key in reused:
                    earlier = RunRecord.from_json(reused[planned.key])
                    yield replace(earlier, number=number, outcome=Outcome.REUSED)
                else:
                    yield by_number.get(number) or self._without_record(planned)

    def _without_record(self, planned: PlannedRun) -> RunRecord:
        number = planned.run.number
        if self._not_built:
            message = "Not started: the model was not built."
            return RunRecord(number, planned.key, Outcome.STOPPED, attempts=0, message=message)
        message = (
            "The result that was to be reused is not in the store any more: start the campaign "
            "again to execute the run."
            if planned.reuse
            else "No attempt at the run left a record: its task did not get to it, or was killed "
            "each time."
        )
        return RunRecord(number, planned.key, Outcome.LOST, attempts=0, message=message)

    def _claim_name(self, run: Run, name: str) -> str:
        """The name, or one for this run alone where an earlier run of the campaign has it."""
        if name in self._taken:
            rival, name = name, f"runs/{safe_name(run.result_name)}/{name}"
            log.warning("%s: another run has a file %s, so its own is %s.", run.label, rival, name)
        self._taken.add(name)
        return name


def _delivery(record: RunRecord, names: Sequence[str]) -> Delivery | None:
    """What is to be brought home under these names; None if the run left nothing."""
    if record.archive is None:
        return None
    files = zip(record.files, names, strict=True)
    return Delivery(
        record.number, record.archive, tuple((file.name, file.sha256, name) for file, name in files)
    )


def _renamed(record: RunRecord, names: Sequence[str]) -> RunRecord:
    if all(file.name == name for file, name in zip(record.files, names, strict=True)):
        return record
    files = (replace(file, name=name) for file, name in zip(record.files, names, strict=True))
    return replace(record, files=tuple(files))


def _lost(record: RunRecord, message: str) -> RunRecord:
    return replace(record, outcome=Outcome.LOST, message=message, archive=None, files=())
