"""The memory limit of the worker's own control group, and how often it was enforced.

The kernel counts in ``memory.events`` (cgroup v2) or ``memory.oom_control`` (v1, Linux 4.13) how
many processes it killed for their group's limit; both say ``oom_kill N``. See the kernel's
Documentation/admin-guide/cgroup-v2.rst and cgroup-v1/memory.rst. Without them nothing is known.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

_UNLIMITED = 2**60  # v1 has no word for it, and tells the largest number of whole pages instead


class MemoryGuard:
    """What the kernel tells of a control group; ``root`` is where control groups are mounted."""

    def __init__(
        self, root: Path = Path("/sys/fs/cgroup"), process: Path = Path("/proc/self")
    ) -> None:
        self._counter = _first(_candidates(root, process, "memory.events", "memory.oom_control"))
        self._limit = _first(_candidates(root, process, "memory.max", "memory.limit_in_bytes"))

    def kills(self) -> int:
        """How many processes were killed for the limit so far; 0 where nobody counts."""
        for line in _text(self._counter).splitlines():
            name, _, count = line.partition(" ")
            if name == "oom_kill" and count.isdecimal():
                return int(count)
        return 0

    def limit(self) -> int | None:
        """The limit in bytes; None if there is none."""
        text = _text(self._limit).strip()
        return int(text) if text.isdecimal() and int(text) < _UNLIMITED else None


def _candidates(root: Path, process: Path, unified: str, legacy: str) -> Iterator[Path]:
    """Where the file may be: a container sees its own group as the top, or by the host's path."""
    groups = {"": "/", "memory": "/"}
    with contextlib.suppress(OSError):
        for line in (process / "cgroup").read_text(encoding="utf-8").splitlines():
            _, controllers, path = line.split(":", 2)
            groups[controllers] = path
    for folder in (groups[""].strip("/"), ""):
        yield root / folder / unified
    for folder in (groups["memory"].strip("/"), ""):
        yield root / "memory" / folder / legacy


def _first(paths: Iterator[Path]) -> Path | None:
    """The first that can be read: they are asked before every run."""
    return next((path for path in paths if os.access(path, os.R_OK)), None)


def _text(path: Path | None) -> str:
    with contextlib.suppress(OSError):
        return path.read_text(encoding="ascii") if path else ""
    return ""
