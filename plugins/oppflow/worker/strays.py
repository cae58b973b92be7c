"""Processes that a simulation started and left behind, also those in sessions of their own.

The worker adopts them (``PR_SET_CHILD_SUBREAPER``, prctl(2)): when their parents die they become
its children, whatever they did to get away, and it ends them.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
from collections.abc import Collection, Iterator
from pathlib import Path

PLACE_VARIABLE = "OPPFLOW_PLACE"
"""In the environment of every program of a worker: the folder it works for, to know it by."""

_PR_SET_CHILD_SUBREAPER = 36
_ROUNDS = 100  # the children of what was ended come next; nothing forks faster than this for ever


def adopt_orphans() -> None:
    """Become the parent of all descendants whose parents die."""
    ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def end_strays(known: Collection[int], place: str = "") -> None:
    """End this process's children but ``known`` ones, and what comes after them.

    With ``place``, only those that bear it in their environment: others work for another run.
    """
    for _ in range(_ROUNDS):
        if not [pid for pid in _children() if pid not in known and _end(pid, place)]:
            return


def _end(pid: int, place: str) -> bool:
    if place and not _bears(pid, place):
        return False
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, 0)
    return True


def _bears(pid: int, place: str) -> bool:
    try:
        entries = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    except OSError:
        return False
    return f"{PLACE_VARIABLE}={place}".encode() in entries


def _children() -> list[int]:
    """This process's children: told by the kernel where it can (``CONFIG_PROC_CHILDREN``)."""
    own = os.getpid()
    try:
        # Reading all of /proc takes milliseconds, and this is asked after every run.
        with open(f"/proc/{own}/task/{own}/children", encoding="ascii") as file:  # noqa: PTH123
            return [int(word) for word in file.read().split()]
    except OSError:
        return list(_children_in_proc(str(own)))


def _children_in_proc(own: str) -> Iterator[int]:
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            # The name of a program stands in parentheses and may hold anything.
            fields = (folder / "stat").read_text(errors="replace").rpartition(")")[2].split()
            if fields[1] == own:
                yield int(folder.name)
