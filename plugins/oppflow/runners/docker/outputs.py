"""What a worker made, out of its container: small files many at a time.

However small a file is, a call for it costs the engine tens of milliseconds of a core, as much as a
short run takes. So one call fetches all small files that are there, and one gives their room back.
"""

from __future__ import annotations

import io
import time
from contextlib import AbstractContextManager
from typing import BinaryIO

from oppflow.runners.docker import paths
from oppflow.runners.docker.engine import Engine
from oppflow.runners.docker.package import empty_files

_SMALL = 8 * 1024**2  # bytes
_ROOM = 32 * 1024**2  # bytes: as many are held in memory, or on disk without need
_PAUSE = 24  # times as long as the last fetch took: a 25th of the time goes to fetching


class Outputs:
    """The output folder of a container, which holds whole files only."""

    def __init__(self, engine: Engine, container: str) -> None:
        self._engine = engine
        self._container = container
        self._held: dict[str, bytes] = {}
        self._taken: list[str] = []
        self._taken_bytes = 0
        self._fetched = float("-inf")
        self._took = 0.0

    def fetch(self, path: str, size: int, to_come: int) -> None:
        """Get ready to `open` a file of ``size`` bytes; ``to_come`` are expected after it.

        Waits for more of them to be there, though no longer than the calls take that this saves.
        """
        if size > _SMALL or path in self._held:
            return
        pause = min(_PAUSE, to_come) * self._took
        time.sleep(max(0.0, self._fetched + pause - time.monotonic()))
        began = time.monotonic()
        self._give_back()
        self._held = self._engine.files(self._container, paths.OUTPUT, _SMALL, _ROOM)
        self._fetched = time.monotonic()
        self._took = self._fetched - began

    def open(self, path: str) -> AbstractContextManager[BinaryIO]:
        """A file, fetched before or not."""
        content = self._held.pop(path, None)
        if content is not None:
            return io.BytesIO(content)
        return self._engine.open(self._container, f"{paths.OUTPUT}/{path}")

    def discard(self, path: str, size: int) -> None:
        """Nobody wants the file any more; a batch may leave more than the disk holds."""
        self._taken.append(path)
        self._taken_bytes += size
        if self._taken_bytes > _ROOM:
            self._give_back()

    def is_there(self, path: str) -> bool:
        """Whether the file has not been given back."""
        return bool(self._engine.size(self._container, f"{paths.OUTPUT}/{path}"))

    def _give_back(self) -> None:
        if self._taken:
            # Removing takes a process in the container; writing over it does not.
            self._engine.put(self._container, paths.OUTPUT, [empty_files(self._taken)])
        self._taken, self._taken_bytes = [], 0
