"""Stage ``collect``: every archive out of the store, verified, unpacked; then the manifest."""

from __future__ import annotations

import logging
import os
import shutil
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

from oppflow.archive import unpack
from oppflow.campaign import Outcome, Run, RunRecord
from oppflow.deployment import Deployment
from oppflow.errors import ArchiveError, ArchiveLimitError, ArchiveMissingError
from oppflow.manifest import make_manifest
from oppflow.plan import PackedCampaign, Plan, PlannedRun
from oppflow.results_folder import ResultsFolder
from oppflow.stages.build import with_builds
from oppflow.stages.clocks import tell_of_clocks
from oppflow.stages.resolve import HISTORY, history_key, load_history
from oppflow.stages.simulate import run_record_key
from oppflow.worker.packing import safe_name

log = logging.getLogger(__name__)

# Large archives are fetched, decompressed and checked a few at a time, which leaves the
# interpreter to others. With small ones, threads would only wait for each other, but for those of a
# store that is far away: they wait for it.
_AT_ONCE = 4
_AT_ONCE_FROM_AFAR = 16
_LARGE = 256 * 1024  # bytes


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
        self._not_built = "failed" in task_states.get("build_model", {})
        self._folder = folder
        self._runs = runs
        self._taken: set[str] = set()
        store = deployment.store
        own = store.get_records("run", [run_record_key(packed, p.run.number) for p in runs])
        self._own = {data["number"]: data for data in own.values()}
        self._reused = store.get_records("result", [p.key for p in runs if p.reuse])

    def bring_all_home(self) -> list[RunRecord]:
        """The runs' records as they are now known, with their files in the results folder.

        Files get their names in the order of the runs, as two runs may ask for one name.
        """
        records = [self._record(planned) for planned in self._runs]
        self._folder.clean()  # an earlier attempt's
        self._folder.aside.mkdir(parents=True)
        is_far = self._deployment.store.is_far
        at_once = _AT_ONCE_FROM_AFAR if is_far else _AT_ONCE
        pool = ThreadPoolExecutor(at_once, thread_name_prefix="collect")
        try:
            ahead = {
                index: pool.submit(self._unpacked, planned.run, record)
                for index, (planned, record) in enumerate(zip(self._runs, records, strict=True))
                if is_far or record.archive_bytes >= _LARGE
            }
            for index, planned in enumerate(self._runs):
                begun = ahead.get(index)
                found = begun.result() if begun else self._unpacked(planned.run, records[index])
                records[index] = self._name_files(planned.run, found)
        finally:
            pool.shutdown(cancel_futures=True)
        return records

    def _unpacked(self, run: Run, record: RunRecord) -> RunRecord:
        """The record; if it has an archive, what that holds is put aside."""
        if record.archive is None:
            return record
        try:
            self._unpack(run, record)
        except ArchiveMissingError as error:
            return _lost(record, f"Its results are not in the store any more. {error}")
        except ArchiveLimitError as error:
            return _lost(
                record, f"Its results stay in the store, and cannot be unpacked here. {error}"
            )
        except ArchiveError as error:
            # Worthless, and in the way: the next campaign would reuse it.
            self._deployment.store.delete(record.archive)
            return _lost(record, f"Its results were damaged in the store. {error}")
        return record

    def _record(self, planned: PlannedRun) -> RunRecord:
        number = planned.run.number
        if planned.reuse and planned.key in self._reused:
            earlier = RunRecord.from_json(self._reused[planned.key])
            return replace(earlier, number=number, outcome=Outcome.REUSED)
        if number in self._own:
            return RunRecord.from_json(self._own[number])
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

    def _aside(self, run: Run) -> Path:
        return self._folder.aside / f"run-{run.number}"

    def _unpack(self, run: Run, record: RunRecord) -> None:
        aside = self._aside(run)
        with self._deployment.store.open(record.archive or "") as stream:
            entries = unpack(stream, aside, limits=self._deployment.limits, keep_times=True)
        found = {entry.path: entry.sha256 for entry in entries}
        expected = {file.name: file.sha256 for file in record.files}
        if found != expected:
            odd, _ = min(set(found.items()) ^ set(expected.items()))
            raise ArchiveError(
                f"The archive of run {run.number} does not hold what its record says: {odd}."
            )

    def _name_files(self, run: Run, record: RunRecord) -> RunRecord:
        """Move the run's files from aside to the names that they have in the folder."""
        if record.archive is None:
            return record
        aside, home = self._aside(run), self._folder.path
        files = []
        for file in record.files:
            name = self._claim_name(run, file.name)
            if "/" in name:
                (home / name).parent.mkdir(parents=True, exist_ok=True)
            os.replace(f"{aside}/{file.name}", f"{home}/{name}")  # noqa: PTH105 -- twice as fast
            files.append(file if name == file.name else replace(file, name=name))
        shutil.rmtree(aside, ignore_errors=True)
        return replace(record, files=tuple(files))

    def _claim_name(self, run: Run, name: str) -> str:
        """The name, or one for this run alone where an earlier run of the campaign has it."""
        if name in self._taken:
            rival, name = name, f"runs/{safe_name(run.result_name)}/{name}"
            log.warning("%s: another run has a file %s, so its own is %s.", run.label, rival, name)
        self._taken.add(name)
        return name


def _lost(record: RunRecord, message: str) -> RunRecord:
    return replace(record, outcome=Outcome.LOST, message=message, archive=None, files=())
