"""Finding the processes of a deployment: workers and simulations, wherever they were started."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil


def at_work(work_dir: Path) -> list[psutil.Process]:
    """Every process that has something of the deployment's work folder open, or lives in it."""
    return [process for process in psutil.process_iter() if _belongs(process, str(work_dir))]


def _belongs(process: psutil.Process, folder: str) -> bool:
    try:
        if process.status() == psutil.STATUS_ZOMBIE:
            return False
        inside = process.environ().get("HOME", "").startswith(folder)
        return inside or any(file.path.startswith(folder) for file in process.open_files())
    except psutil.Error:
        return False


def workers(work_dir: Path) -> list[psutil.Process]:
    """The deployment's workers."""
    return [process for process in at_work(work_dir) if "oppflow.worker" in _words(process)]


def simulations(work_dir: Path) -> list[psutil.Process]:
    """The deployment's simulations, without the queries about runs."""
    return [
        process
        for process in at_work(work_dir)
        if any(word.startswith("--result-dir=") for word in _words(process))
    ]


def simulated_run(process: psutil.Process) -> int:
    """The number of the run that a simulation executes; -1 if it has just ended."""
    words = _words(process)
    return int(words[words.index("-r") + 1]) if "-r" in words else -1


def _words(process: psutil.Process) -> list[str]:
    try:
        return list(process.cmdline())
    except psutil.Error:
        return []


def eventually(condition: Callable[[], object], *, within: float = 60.0) -> object:
    """What the condition gives once it is true; fails the test when the time is over."""
    for _ in _ticks(within):
        if result := condition():
            return result
    raise AssertionError(f"it did not happen within {within:g} s")


def _ticks(seconds: float) -> Iterator[None]:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        yield
        time.sleep(0.1)
