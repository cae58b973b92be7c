"""Stage ``collect``: every archive out of the store, verified, unpacked; then the manifest."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from oppflow.archive import unpack
from oppflow.campaign import Outcome, RunRecord
from oppflow.deployment import Deployment
from oppflow.errors import ArchiveError, ArchiveMissingError
from oppflow.manifest import make_manifest
from oppflow.plan import PackedCampaign, Plan, PlannedRun
from oppflow.results_folder import ResultsFolder
from oppflow.stages.simulate import run_record_key

log = logging.getLogger(__name__)


def collect(
    deployment: Deployment, packed: PackedCampaign, task_states: Mapping[str, Mapping[str, int]]
) -> dict[str, Any]:
    """Bring home what there is; how many runs had which outcome, and where the manifest lies.

    ``task_states`` says, by task, how many task instances ended how. Runs that failed are no error
    here: `report` gives the verdict.

    Raises:
        StoreError, ArchiveError, InfrastructureError: results could not be brought home.
    """
    folder = ResultsFolder.named(deployment.settings.results_root, packed.results)
    folder.claim(packed.owner)
    plan = load_plan(deployment, packed)
    collector = _Collector(deployment, packed, folder)
    records = [collector.bring_home(planned) for planned in plan.runs] if plan else []
    manifest = make_manifest(packed, plan or Plan(()), records, task_states)
    folder.write_json(folder.manifest, manifest)
    folder.clean()
    log.info("Collected into %s: %s", folder.path, manifest["outcomes"] or "no run")
    return {"results": str(folder.path), "outcomes": manifest["outcomes"]}


def load_plan(deployment: Deployment, packed: PackedCampaign) -> Plan | None:
    """The campaign's plan, or None where resolving failed."""
    data = deployment.store.get_records("plan", [packed.campaign]).get(packed.campaign)
    return Plan.from_json(data) if data else None


class _Collector:
    def __init__(
        self, deployment: Deployment, packed: PackedCampaign, folder: ResultsFolder
    ) -> None:
        self._deployment = deployment
        self._folder = folder
        store = deployment.store
        plan = load_plan(deployment, packed) or Plan(())
        own = store.get_records("run", [run_record_key(packed, p.run.number) for p in plan.runs])
        self._own = {data["number"]: data for data in own.values()}
        self._reused = store.get_records("result", [p.key for p in plan.runs if p.reuse])

    def bring_home(self, planned: PlannedRun) -> RunRecord:
        """Unpack one run's files into the results folder; its record as it is now known."""
        record = self._record(planned)
        if record.archive is None:
            return record
        try:
            self._unpack(record)
        except ArchiveMissingError as error:
            return replace(record, outcome=Outcome.LOST, message=str(error), files=())
        return record

    def _record(self, planned: PlannedRun) -> RunRecord:
        number = planned.run.number
        if planned.reuse and planned.key in self._reused:
            earlier = RunRecord.from_json(self._reused[planned.key])
            return replace(earlier, number=number, outcome=Outcome.REUSED)
        if number in self._own:
            return RunRecord.from_json(self._own[number])
        return RunRecord(
            number,
            planned.key,
            Outcome.LOST,
            attempts=0,
            message="No attempt at the run left a record: its task did not get to it, or was "
            "killed each time.",
        )

    def _unpack(self, record: RunRecord) -> None:
        assert record.archive is not None
        aside = self._folder.aside / f"run-{record.number}"
        shutil.rmtree(aside, ignore_errors=True)
        with self._deployment.store.open(record.archive) as stream:
            entries = unpack(stream, aside, limits=self._deployment.limits, keep_times=True)
        found = {entry.path: entry.sha256 for entry in entries}
        expected = {file.name: file.sha256 for file in record.files}
        if found != expected:
            odd, _ = min(set(found.items()) ^ set(expected.items()))
            raise ArchiveError(
                f"The archive of run {record.number} does not hold what its record says: {odd}."
            )
        for name in found:
            target = self._folder.path / name
            target.parent.mkdir(parents=True, exist_ok=True)
            Path(aside, name).replace(target)
        shutil.rmtree(aside, ignore_errors=True)
