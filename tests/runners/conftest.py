"""Tasks in processes of their own, which a test may kill."""

from __future__ import annotations

import json
import pickle
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest

from oppflow.archive import pack_tree
from oppflow.runners.interface import TreeParts, Work
from tests.support.campaigns import BAD_MODELS, PROJECT_ROOT
from tests.support.workers import Bench, processes_with, wait_until

TASK = PROJECT_ROOT / "tests" / "support" / "process_task.py"


@dataclass
class Task:
    """A task at work, and what it heard from its worker so far."""

    process: subprocess.Popen[bytes]
    said: Path

    @property
    def events(self) -> list[dict[str, Any]]:
        # The last line may be half written.
        return [json.loads(line) for line in self.said.read_text().split("\n")[:-1]]

    def named(self, kind: str) -> list[dict[str, Any]]:
        return [event for event in self.events if event["event"] == kind]

    @property
    def outcomes(self) -> list[str]:
        return [event["record"]["outcome"] for event in self.named("finished")]

    def await_event(self, kind: str, count: int = 1) -> None:
        wait_until(lambda: len(self.named(kind)) >= count)

    def worker(self) -> psutil.Process:
        children = psutil.Process(self.process.pid).children()
        return next(one for one in children if "oppflow.worker" in one.cmdline())


class Tasks:
    """Starts tasks that share a work folder, as those of one host do."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.work_dir = root / "work"
        self.started: list[Task] = []

    def work(
        self, what: str, numbers: int = 1, *, name: str = "work",
        options: Mapping[str, str] | None = None, **more: Any,
    ) -> Work:  # fmt: skip
        """The work of simulating ``MODEL/CONFIG``; ``name`` is the attempts' common name."""
        model, config = what.split("/")
        job = Bench(self.root / "unused", model).simulate(config, numbers, options=options, **more)
        return Work(name, job, (TreeParts(model, model),))

    def archive(self, model: str) -> Path:
        path = self.root / f"{model}.tar.zst"
        if not path.exists():
            path.write_bytes(pack_tree(BAD_MODELS / model).stream.read())
        return path

    def start(self, what: str, numbers: int = 1, **more: Any) -> Task:
        """A task at that work."""
        work = self.work(what, numbers, **more)
        archives = {tree.sources: str(self.archive(tree.sources)) for tree in work.trees}
        serial = len(self.started)
        order, said = self.root / f"order-{serial}", self.root / f"said-{serial}"
        order.write_bytes(pickle.dumps((self.work_dir, archives, work)))
        with said.open("wb") as file:
            process = subprocess.Popen(
                [sys.executable, str(TASK), str(order)],
                stdout=file,
                env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(PROJECT_ROOT / "plugins")},
                start_new_session=True,
            )
        self.started.append(Task(process, said))
        return self.started[-1]

    def end(self) -> None:
        for task in self.started:
            if task.process.poll() is None:
                task.process.send_signal(signal.SIGKILL)
            task.process.wait()
        for process in processes_with(str(self.root)):
            process.kill()


@pytest.fixture
def tasks(tmp_path: Path) -> Iterator[Tasks]:
    tasks = Tasks(tmp_path)
    yield tasks
    tasks.end()


StartTask = Callable[..., Task]
