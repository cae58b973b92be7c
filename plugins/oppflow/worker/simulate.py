"""The ``simulate`` job: execute runs, a few at a time, judge each and pack what it left."""

from __future__ import annotations

import shlex
import shutil
import time
from collections import deque
from collections.abc import Callable, Iterator
from datetime import datetime, timezone
from functools import partial
from pathlib import Path
from typing import BinaryIO

from oppflow.campaign import Outcome, Run, RunRecord
from oppflow.errors import ResultFileError
from oppflow.omnetpp import outcome
from oppflow.omnetpp.cmdenv import CmdenvParser
from oppflow.omnetpp.outcome import Verdict, judge
from oppflow.omnetpp.result_files import check_result_file
from oppflow.worker.children import Child, Command, Ending
from oppflow.worker.events import EXIT_GOOD, EXIT_INFRASTRUCTURE, EXIT_RUN_FAILED, EXIT_STOPPED
from oppflow.worker.fork_server import Start
from oppflow.worker.ground import Ground
from oppflow.worker.jobs import SimulateJob
from oppflow.worker.packing import RESULT_SUFFIXES, Packed, pack, result_entries
from oppflow.worker.session import Session, inherited_lock

TOLD_LINES = 2000
"""Lines of a run's output that are passed on; its .out file has them all."""

_SHORT = 1.0  # seconds
_HELD_LINES = 20
_LEAST_ROOM = 1024 * 1024  # bytes: with less, OMNeT++ may have cut its files without a word


def simulate(job: SimulateJob, session: Session) -> int:
    """Emit ``started``, ``output``, ``progress``, ``finished`` for the runs; the exit status."""
    return _Batch(job, session).execute()


class _Batch:
    def __init__(self, job: SimulateJob, session: Session) -> None:
        self._job = job
        self._session = session
        self._ground = Ground(job, session)
        self._outcomes: dict[int, Outcome] = {}

    def execute(self) -> int:
        with self._ground.starting() as start:
            self._session.supervisor.run(self._starts(start), self._job.slots)
        for run in self._job.runs:
            if run.number not in self._outcomes:
                self._report(
                    RunRecord(run.number, "", Outcome.STOPPED, attempts=0,
                              message="The run was not started: the campaign was stopped.")
                )  # fmt: skip
        return self._status()

    def _starts(
        self, start: Start
    ) -> Iterator[Callable[[], tuple[Child, Callable[[Ending], None]]]]:
        for run in self._job.runs:
            execution = _Execution(run, self._job, self._session, self._ground, self._finished)
            yield partial(execution.start, start)

    def _finished(self, record: RunRecord, path: str) -> None:
        if not record.outcome.is_good and not self._job.keep_going:
            self._session.supervisor.draining = True
        self._report(record, path)

    def _report(self, record: RunRecord, path: str = "") -> None:
        self._outcomes[record.number] = record.outcome
        self._session.emit("finished", run=record.number, record=record.as_json(), path=path)

    def _status(self) -> int:
        outcomes = set(self._outcomes.values())
        if self._session.supervisor.stopping:
            return EXIT_STOPPED
        if Outcome.LOST in outcomes:
            return EXIT_INFRASTRUCTURE
        return EXIT_GOOD if all(one.is_good for one in outcomes) else EXIT_RUN_FAILED


class _Execution:
    """One attempt at one run, from its place to its packed results."""

    def __init__(
        self,
        run: Run,
        job: SimulateJob,
        session: Session,
        ground: Ground,
        report: Callable[[RunRecord, str], None],
    ) -> None:
        self._run = run
        self._job = job
        self._session = session
        self._ground = ground
        self._report = report
        self._parser = CmdenvParser()
        self._told = 0
        self._held: deque[str] | None = deque(maxlen=_HELD_LINES) if ground.holds_back else None
        self._started = datetime.now(timezone.utc)
        self._began = self._progress_at = time.monotonic()
        self._place = ground.places.take()
        self._output: BinaryIO | None = None
        self._kills_before = ground.memory.kills()

    def start(self, start: Start) -> tuple[Child, Callable[[Ending], None]]:
        """Start the simulation; the child, and what to call when it ended."""
        place = self._place
        self._output = place.output_file.open("wb")
        self._session.emit("started", run=self._run.number)
        command = Command(
            self._ground.line.simulate(self._run.number, str(place.result_dir)),
            place.working_dir,
            {
                **self._session.environment(place.home, place.temporary),
                **self._ground.environment,
            },
            memory=self._job.memory,
            wall_time_limit=self._job.wall_time_limit,
            keep_open=inherited_lock(),
        )
        return Child(command, on_line=self._on_line, sink=self._output, start=start), self._end

    def _on_line(self, line: str) -> None:
        progress = self._parser.feed(line)
        number = self._run.number
        now = time.monotonic()
        if self._held is None:
            self._tell(line)
        elif now - self._began < _SHORT:
            self._held.append(line)
        else:
            held, self._held = [*self._held, line], None
            for one in held:
                self._tell(one)
        if progress is not None and now - self._progress_at >= 1:
            self._progress_at = now
            self._session.emit(
                "progress",
                run=number,
                percentage=progress.percentage,
                simulated_time=progress.simulated_time,
                events=progress.event,
                events_per_second=progress.events_per_second,
            )

    def _tell(self, line: str) -> None:
        self._told += 1
        if self._told <= TOLD_LINES:
            self._session.emit("output", run=self._run.number, line=line)
        elif self._told == TOLD_LINES + 1:
            note = f"[over {TOLD_LINES} lines: the rest is in the run's .out file only]"
            self._session.emit("output", run=self._run.number, line=note)

    def _end(self, ending: Ending) -> None:
        assert self._output is not None
        disk_full = self._close_output()
        files = [(name, file) for name, file in self._place.new_files() if self._is_new(name)]
        errors, scalars = _check(files)
        summary = self._parser.summary()
        verdict = judge(
            outcome.Ending(
                exit_status=ending.status,
                output=summary,
                wall_time_limit=self._job.wall_time_limit if ending.timed_out else None,
                stop_requested=ending.stopped,
                # Only a run that was killed is asked about: the counter is a file.
                oom_killed=ending.status != 0 and self._ground.memory.kills() > self._kills_before,
                disk_full=disk_full or _room(self._place.root) < _LEAST_ROOM,
                file_errors=errors,
                scalars_expected=self._job.scalars_expected,
                scalars_found=scalars,
            )
        )
        verdict = self._memory_verdict(verdict)
        packed, path = self._pack(files)
        self._report(
            RunRecord(
                number=self._run.number,
                key="",
                outcome=verdict.outcome,
                archive=packed.sha256 if packed else None,
                archive_bytes=packed.size if packed else 0,
                files=packed.files if packed else (),
                started=_stamp(self._started),
                ended=_stamp(datetime.now(timezone.utc)),
                wall_time=round(ending.wall_time, 3),
                cpu_time=round(ending.cpu_time, 3),
                simulated_time=summary.simulated_time,
                events=summary.events,
                exit_status=ending.status,
                message=self._at_home(verdict.message),
                last_lines=tuple(map(self._at_home, summary.last_lines)),
                command=shlex.join(self._ground.line.reproduce(self._run.number)),
            ),
            path,
        )
        self._ground.places.give_back(self._place)

    def _at_home(self, text: str) -> str:
        """Without the run's own folders, which are gone when somebody reads it."""
        for folder in (str(self._place.trees), self._job.trees):
            text = text.replace(f"{folder}/", "")
        return text

    def _close_output(self) -> bool:
        """Close the output file; whether the disk was too full for it."""
        assert self._output is not None
        try:
            self._output.close()
        except OSError:
            return True
        return False

    def _is_new(self, name: str) -> bool:
        """Not the campaign's own ini files, which are copies in the run's place, nor Cmdenv's log.

        OMNeT++ 6.0 leaves that, empty, in the working directory.
        """
        return name.removeprefix("../") not in (*self._job.simulation.ini_files, ".cmdenv-log")

    def _memory_verdict(self, verdict: Verdict) -> Verdict:
        """Name the limit; one on the data segment shows as a failed allocation, not as a signal."""
        limit = self._ground.memory.limit()
        if verdict.outcome is Outcome.OUT_OF_MEMORY and limit:
            room = f" Its container may use {limit // 1024**2} MiB."
            return Verdict(verdict.outcome, verdict.message + room)
        said = " ".join(self._parser.summary().last_lines)
        refused = "bad_alloc" in said or "MemoryError" in said
        if self._job.memory and verdict.outcome is Outcome.FAILED and refused:
            mebibytes = self._job.memory // 1024**2
            return Verdict(
                Outcome.OUT_OF_MEMORY,
                f"The simulation wanted more memory than its limit of {mebibytes} MiB.",
            )
        return verdict

    def _pack(self, files: list[tuple[str, Path]]) -> tuple[Packed | None, str]:
        entries = result_entries(
            files, self._run.result_name, self._job.keep, self._place.output_file
        )
        target = Path(self._job.output, f"run-{self._run.number}.tar")
        return pack(entries, target, self._session.scratch), target.name


def _check(files: list[tuple[str, Path]]) -> tuple[tuple[ResultFileError, ...], bool]:
    """What is wrong with result files, and whether there is a scalar file."""
    errors = []
    scalars = False
    for name, path in files:
        scalars = scalars or path.suffix == ".sca"
        if path.suffix not in RESULT_SUFFIXES:
            continue
        try:
            check_result_file(path)
        except ResultFileError as error:
            # The path in the message is the run's place, which is gone when somebody reads it.
            errors.append(ResultFileError(error.message.replace(str(path), name), hint=error.hint))
    return tuple(errors), scalars


def _room(path: Path) -> int:
    return shutil.disk_usage(path).free


def _stamp(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
