"""A worker as a runner starts it, without the runner."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from oppflow.campaign import Run
from oppflow.worker.events import decode_event
from oppflow.worker.jobs import BuildJob, Job, ResolveJob, SimulateJob, Simulation, encode_job
from tests.support.campaigns import BAD_MODELS, PROJECT_ROOT


@dataclass
class Bench:
    """The folders of a worker's job, with one of the tests' models among the trees."""

    root: Path
    model: str

    def __post_init__(self) -> None:
        for name in ("trees", "scratch", "output"):
            (self.root / name).mkdir(parents=True, exist_ok=True)
        if not (self.root / "trees" / self.model).exists():
            shutil.copytree(BAD_MODELS / self.model, self.root / "trees" / self.model)

    def simulation(self, config: str, options: Mapping[str, str] | None = None) -> Simulation:
        pairs = tuple((options or {}).items())
        return Simulation("embedded", self.model, "", ("omnetpp.ini",), config, options=pairs)

    def simulate(
        self,
        config: str,
        numbers: int = 1,
        *,
        options: Mapping[str, str] | None = None,
        **more: Any,
    ) -> SimulateJob:
        runs = tuple(Run(n, (), n, str(n), f"{config}-#{n}") for n in range(numbers))
        return SimulateJob(self.simulation(config, options), runs, **self.folders("output"), **more)

    def resolve(self, config: str, run_filter: str = "") -> ResolveJob:
        return ResolveJob(self.simulation(config), run_filter, **self.folders())

    def build(self) -> BuildJob:
        return BuildJob("embedded", (self.model,), "release", **self.folders("output"))

    def folders(self, *more: str) -> dict[str, str]:
        return {name: str(self.root / name) for name in ("trees", "scratch", *more)}


@dataclass
class Worker:
    """A worker at work. Its standard input stays open, as a task would keep it."""

    process: subprocess.Popen[bytes]
    events: list[Mapping[str, Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._reader = threading.Thread(target=self._listen, daemon=True)
        self._reader.start()

    @classmethod
    def start(cls, job: Job | str, **environment: str) -> Worker:
        process = subprocess.Popen(
            [sys.executable, "-m", "oppflow.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={
                "PATH": os.environ["PATH"],
                "PYTHONPATH": str(PROJECT_ROOT / "plugins"),
                "OPPFLOW_END_WITH_INPUT": "1",
                **environment,
            },
            start_new_session=True,
        )
        assert process.stdin
        process.stdin.write((job if isinstance(job, str) else encode_job(job)).encode() + b"\n")
        process.stdin.flush()
        return cls(process)

    def _listen(self) -> None:
        assert self.process.stdout
        for line in self.process.stdout:
            event = decode_event(line)
            if event is not None:
                self.events.append(event)

    def wait(self, timeout: float = 60) -> int:
        """The exit status; all events are there by then."""
        status = self.process.wait(timeout)
        self._reader.join(timeout)
        for stream in (self.process.stdin, self.process.stdout):
            assert stream
            stream.close()
        return status

    def named(self, kind: str) -> list[Mapping[str, Any]]:
        return [event for event in list(self.events) if event["event"] == kind]

    @property
    def outcomes(self) -> list[str]:
        return [event["record"]["outcome"] for event in self.named("finished")]

    def await_event(self, kind: str, count: int = 1) -> None:
        wait_until(lambda: len(self.named(kind)) >= count or self.process.poll() is not None)


def run_worker(job: Job | str) -> Worker:
    """A worker that came to its end; ``process.returncode`` is its exit status."""
    worker = Worker.start(job)
    worker.wait()
    return worker


def wait_until(condition: Callable[[], Any], timeout: float = 30) -> None:
    """Wait for something that must become true."""
    deadline = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < deadline, "it did not come true in time"
        time.sleep(0.02)


def processes_with(text: str) -> list[psutil.Process]:
    """The processes whose arguments or environment hold a text: a folder of the test's own."""
    found = []
    for process in psutil.process_iter():
        try:
            known = [*process.cmdline(), *process.environ().values()]
        except psutil.Error:
            continue
        if process.pid != os.getpid() and any(text in one for one in known):
            found.append(process)
    return found


def gone_within(seconds: float, *texts: str) -> bool:
    """Whether no process with one of the texts is left after so long."""
    deadline = time.monotonic() + seconds
    while left := [process for text in texts for process in processes_with(text)]:
        if time.monotonic() > deadline:
            print(*left, sep="\n")  # noqa: T201 -- shown with the failure
            return False
        time.sleep(0.05)
    return True
