"""Which files of a campaign on this host equal which objects."""

from __future__ import annotations

import json
import os
import secrets
import threading
from pathlib import Path

from oppflow.results_folder import PRIVATE, ResultsFolder

Stamp = tuple[int, int]


def stamp_of(path: Path) -> Stamp | None:
    """Size in bytes and time (ns) of a file on this host, None where there is none."""
    try:
        state = path.stat()
    except OSError:
        return None
    return state.st_size, state.st_mtime_ns


class Copies:
    """What was fetched or published: by name, the file's stamp and the object's version then.

    Kept in the campaign's folder. Of two processes that write it at once one may be forgotten; then
    a file travels once more.
    """

    def __init__(self, folder: ResultsFolder) -> None:
        self._folder = folder.path
        self._file = self._folder / PRIVATE / "copies.json"
        self._lock = threading.Lock()
        self._known: dict[str, tuple[Stamp, str]] = {}
        self._is_changed = False
        try:
            data = json.loads(self._file.read_text(encoding="utf-8"))
            self._known = {
                name: ((int(size), int(time)), str(version))
                for name, (size, time, version) in data.items()
            }
        except (OSError, ValueError, TypeError, AttributeError):
            pass  # none yet, or damaged: everything is taken for new

    def is_current(self, name: str, version: str | None) -> bool:
        """Whether the file here is what the object of that version holds."""
        known = self._known.get(name)
        return known is not None and known == (stamp_of(self._folder / name), version)

    def note(self, name: str, stamp: Stamp | None, version: str | None) -> None:
        """Remember that a file with this stamp equals the object of that version."""
        with self._lock:
            self._is_changed = True
            if stamp is None or version is None:
                self._known.pop(name, None)
            else:
                self._known[name] = (stamp, version)

    def save(self) -> None:
        """Keep it; this also tells that the copies are in use."""
        with self._lock:
            data = {name: [*stamp, version] for name, (stamp, version) in self._known.items()}
            is_changed, self._is_changed = self._is_changed, False
        self._file.parent.mkdir(parents=True, exist_ok=True)
        if is_changed or not self._file.exists():
            aside = self._file.with_name(f"{secrets.token_hex(8)}.copies")
            aside.write_text(json.dumps(data), encoding="ascii")
            aside.replace(self._file)
        os.utime(self._file)
