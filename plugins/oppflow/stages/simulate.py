"""Stage ``simulate``: one batch of runs, each one's results in the store as soon as it ends."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from dataclasses import replace

from oppflow.campaign import Outcome, RunRecord
from oppflow.deployment import Deployment
from oppflow.errors import InfrastructureError, OppflowError, RunError
from oppflow.plan import PackedCampaign, Plan, PlannedRun
from oppflow.progress import KIND as PROGRESS
from oppflow.progress import BatchProgress, progress_key
from oppflow.runners.interface import OpenOutput, Runner, Work
from oppflow.stages.build import built_trees, with_builds
from oppflow.stages.jobs import OnRunner, error_of, simulation_of
from oppflow.stages.messages import explain_runs
from oppflow.stages.streams import store_tar
from oppflow.store import Record, StoredArchive
from oppflow.worker.events import EXIT_STOPPED, Event
from oppflow.worker.jobs import SimulateJob

log = logging.getLogger(__name__)

_PUBLISH_EVERY = 1.0  # seconds


def simulate_batch(
    deployment: Deployment,
    packed: PackedCampaign,
    index: int,
    attempt: int,
    on_runner: OnRunner | None = None,
) -> dict[str, int]:
    """Execute what of a batch has not been executed yet; how many runs had which outcome.

    Raises:
        RunError: runs failed; trying again would not help.
        InfrastructureError: runs were lost; a retry executes those.
    """
    batch = _Batch(deployment, packed, index, attempt)
    batch.execute(on_runner)
    return batch.conclude()


def run_record_key(packed: PackedCampaign, number: int) -> str:
    """Under which key the store keeps the record of one of the campaign's runs."""
    return f"{packed.campaign}/{number}"


class _Batch:
    def __init__(
        self, deployment: Deployment, packed: PackedCampaign, index: int, attempt: int
    ) -> None:
        self._deployment = deployment
        self._store = deployment.store
        self._packed = packed
        self._index = index
        self._attempt = attempt
        plan = self._load()
        self._planned = {planned.run.number: planned for planned in plan.runs}
        self._scalars_expected = plan.scalars_expected
        self._records = self._earlier_records()
        self._error: OppflowError | None = None
        self._runner: Runner | None = None
        self._progress = BatchProgress()
        for record in self._records.values():
            self._progress.end(record)
        self._progress_at = 0.0
        self._looked_at = 0.0

    def _load(self) -> Plan:
        key = f"{self._packed.campaign}/{self._index}"
        data = self._store.get_records("batch", [key]).get(key)
        if data is None:
            raise InfrastructureError(
                f"The store does not hold batch {self._index} of this campaign.",
                hint="Clear the task resolve_runs to plan again; retention may be too short.",
            )
        return Plan.from_json(data)

    def _earlier_records(self) -> dict[int, RunRecord]:
        keys = [run_record_key(self._packed, number) for number in self._planned]
        found = [
            RunRecord.from_json(data) for data in self._store.get_records("run", keys).values()
        ]
        # A cleared task brings back what the store lost since.
        gone = self._store.missing({record.archive for record in found if record.archive})
        return {record.number: record for record in found if record.archive not in gone}

    def execute(self, on_runner: OnRunner | None) -> None:
        """Run the worker on the runs without a final record."""
        left = [
            planned
            for number, planned in self._planned.items()
            if number not in self._records or not self._records[number].outcome.is_final
        ]
        if self._stop_wanted():
            for planned in left:
                self._note(
                    RunRecord(
                        planned.run.number, planned.key, Outcome.STOPPED, attempts=0,
                        message="Not started: another run failed, and keep_going is off.",
                    )
                )  # fmt: skip
            self._publish_progress()
            return
        done = len(self._planned) - len(left)
        if done:
            log.info("%d runs of this batch were recorded by an earlier attempt.", done)
        if not left:
            return
        self._runner = self._deployment.runner()
        if on_runner is not None:
            on_runner(self._runner)
        status = self._runner.run(self._work(left), self._hear)
        self._publish_progress()
        if status == EXIT_STOPPED and self._error is None:
            self._error = InfrastructureError("The task was stopped, and its runs with it.")

    def _work(self, runs: Sequence[PlannedRun]) -> Work:
        request = self._packed.request
        job = SimulateJob(
            simulation_of(self._packed),
            tuple(planned.run for planned in runs),
            trees="",
            scratch="",
            output="",
            slots=self._deployment.settings.slots,
            memory=request.memory,
            wall_time_limit=request.wall_time_limit,
            keep_going=request.keep_going,
            keep=request.keep,
            scalars_expected=self._scalars_expected,
        )
        trees = built_trees(self._store, self._packed)
        name = f"{self._packed.campaign}-simulate-{self._index}"
        return Work(name, job, trees, self._packed.image_id)

    def _hear(self, event: Event, open_output: OpenOutput) -> None:
        kind = event["event"]
        if kind == "output":
            self._progress.hear(event["run"], event["line"])
            prefix = f"#{event['run']} | " if len(self._planned) > 1 else ""
            log.info("%s%s", prefix, event["line"])
        elif kind == "started":
            self._progress.start(event["run"])
        elif kind == "progress":
            self._progress.advance(event["run"], event)
        elif kind == "finished":
            self._finish(event, open_output)
        elif kind == "error":
            self._error = error_of(event)
        if kind in ("started", "progress"):
            self._heed_wish_to_stop()
        if kind != "output" and time.monotonic() - self._progress_at >= _PUBLISH_EVERY:
            self._publish_progress()

    def _publish_progress(self) -> None:
        self._progress_at = time.monotonic()
        key = progress_key(self._packed.campaign, self._index)
        self._store.put_record(PROGRESS, key, self._progress.as_json())

    def _heed_wish_to_stop(self) -> None:
        """Look at most once a second whether a run of another batch failed."""
        now = time.monotonic()
        if self._packed.request.keep_going or now - self._looked_at < 1:
            return
        self._looked_at = now
        if self._runner is not None and self._stop_wanted():
            self._runner.drain()

    def _finish(self, event: Event, open_output: OpenOutput) -> None:
        told = RunRecord.from_json(event["record"])
        key, attempts = self._planned[told.number].key, told.attempts and self._attempt
        record = replace(told, key=key, attempts=attempts, host=self._deployment.settings.host)
        if not event["path"]:
            self._note(record)
            return

        def records(stored: StoredArchive) -> list[Record]:
            nonlocal record
            record = replace(record, archive=stored.digest, archive_bytes=stored.size)
            return self._records_of(record)

        with open_output(event["path"]) as stream:
            store_tar(self._store, stream, told.archive or "", records)
        self._remember(record)

    def _note(self, record: RunRecord) -> None:
        """Store the record of a run that left nothing else."""
        self._store.put_records(self._records_of(record))
        self._remember(record)

    def _records_of(self, record: RunRecord) -> list[Record]:
        """What the store keeps: for this campaign, and for reuse."""
        packed, data = self._packed, record.as_json()
        found = [Record("run", run_record_key(packed, record.number), data)]
        if record.outcome is Outcome.DONE:
            found.append(Record("result", record.key, {**data, "campaign": packed.results}))
        # A lost run is none of these: its retry may be good.
        bad = record.outcome.is_final and not record.outcome.is_good
        if bad and not packed.request.keep_going:
            found.append(Record("stop", packed.campaign, {"run": record.number}))
        return found

    def _remember(self, record: RunRecord) -> None:
        self._records[record.number] = record
        self._progress.end(record)
        label = self._planned[record.number].run.label
        log.info("%s: %s %s", label, record.outcome.value, record.message)

    def _stop_wanted(self) -> bool:
        if self._packed.request.keep_going:
            return False
        return bool(self._store.get_records("stop", [self._packed.campaign]))

    def conclude(self) -> dict[str, int]:
        """Raise what is to be told of runs that are not good; else how many were of which kind."""
        bad = [record for record in self._records.values() if not record.outcome.is_good]
        if self._error is not None:
            raise self._error
        unfinished = [number for number in self._planned if number not in self._records]
        lost = [record for record in bad if record.outcome is Outcome.LOST]
        packed = with_builds(self._store, self._packed)
        explained = explain_runs(packed, [(self._planned[r.number], r) for r in bad])
        if unfinished or lost:
            missing = f"{len(unfinished)} runs left no record.\n" if unfinished else ""
            raise InfrastructureError(missing + explained)
        if bad:
            raise RunError(explained)
        counts: dict[str, int] = {}
        for record in self._records.values():
            counts[record.outcome.value] = counts.get(record.outcome.value, 0) + 1
        return counts
