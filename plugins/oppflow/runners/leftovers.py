"""What a dead attempt left running, and the lock that keeps the next attempt away from it.

While a worker lives, it ends whatever its simulations started. A worker that was killed itself
cannot: its simulations die with it (the kernel sees to that), but what they started may not. Those
are known by the attempt's folder, which is in the environment of all of them. The lock is inherited
by whatever a worker starts: one that hid even from that keeps the next attempt from starting.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from collections.abc import Iterator
from pathlib import Path

import psutil

from oppflow.errors import InfrastructureError
from oppflow.runners.trees import remove_tree
from oppflow.worker.strays import PLACE_VARIABLE

_PATIENCE = 15.0  # seconds: what a dead task left behind is gone within 5
_ABANDONED_DAYS = 14  # longer than any campaign waits for its next attempt
_GONE = (psutil.NoSuchProcess, psutil.AccessDenied, OSError)


@contextlib.contextmanager
def attempt_lock(path: Path, place: Path) -> Iterator[int]:
    """Hold the lock of the work that is done in ``place``; its descriptor, to be inherited.

    An earlier attempt whose task is alive is waited for; what one without a task left is ended.

    Raises:
        InfrastructureError: an earlier attempt is still at it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    deadline = time.monotonic() + _PATIENCE
    while (descriptor := _try_lock(path)) is None:
        if not _is_alive(_owner(path)):
            end_leftovers(place)
        if time.monotonic() > deadline:
            raise InfrastructureError(
                f"An earlier attempt at {place.name} is still at work.",
                hint=f"See who holds {path} open (fuser), and end them.",
            )
        time.sleep(0.1)
    try:
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, _identity(os.getpid()).encode(), 0)
        if place.exists():  # an attempt that came to its end removed it
            end_leftovers(place)
        yield descriptor
        path.unlink(missing_ok=True)
    finally:
        os.close(descriptor)


def end_leftovers(place: Path) -> None:
    """Kill every process that works in ``place``."""
    for process in psutil.process_iter():
        with contextlib.suppress(*_GONE):
            named = process.environ().get(PLACE_VARIABLE)
            if named is not None and Path(named).is_relative_to(place):
                process.kill()


def prune_scratch(root: Path) -> None:
    """Remove the folders of attempts that were killed, and never followed by another one."""
    oldest = time.time() - 24 * 3600 * _ABANDONED_DAYS
    for lock in root.glob("*.lock"):
        with contextlib.suppress(FileNotFoundError):
            if lock.stat().st_mtime < oldest and (descriptor := _try_lock(lock)) is not None:
                remove_tree(lock.with_suffix(""))
                lock.unlink()
                os.close(descriptor)


def _identity(pid: int) -> str:
    """A process, told apart from a later one of the same number by its time of birth."""
    return f"{pid} {psutil.Process(pid).create_time():.2f}"


def _owner(lock: Path) -> str:
    with contextlib.suppress(OSError):
        return lock.read_text(encoding="utf-8")
    return ""


def _is_alive(owner: str) -> bool:
    """Whether the task that took the lock lives; one that has not said who it is may."""
    pid = owner.partition(" ")[0]
    if not pid.isdecimal():
        return True
    with contextlib.suppress(*_GONE):
        return (
            _identity(int(pid)) == owner
            and psutil.Process(int(pid)).status() != psutil.STATUS_ZOMBIE
        )
    return False


def _try_lock(path: Path) -> int | None:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    with contextlib.suppress(BlockingIOError, FileNotFoundError):
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # Who tidies up may have removed the file meanwhile: then this lock binds nobody.
        if os.fstat(descriptor).st_ino == path.stat().st_ino:
            return descriptor
    os.close(descriptor)
    return None
