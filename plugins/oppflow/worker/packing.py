"""What a job leaves behind, as a plain tar in its output folder, for the task to take."""

from __future__ import annotations

import hashlib
import itertools
import os
import re
import tarfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

from oppflow.campaign import ResultFile

RESULT_KINDS = ("sca", "vec", "elog")
RESULT_SUFFIXES = (".sca", ".vec", ".vci", ".elog")


@dataclass(frozen=True)
class Packed:
    """A finished tar: its SHA-256 and size in bytes, and the files in it."""

    sha256: str
    size: int
    files: tuple[ResultFile, ...]


class _Hashing:
    """A file seen through a hash: reads or writes are passed on and counted."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._hash = hashlib.sha256()
        self.size = 0

    def read(self, size: int = -1) -> bytes:
        return self._count(self._file.read(size))

    def write(self, data: bytes) -> int:
        self._count(data)
        return self._file.write(data)

    def _count(self, data: bytes) -> bytes:
        self._hash.update(data)
        self.size += len(data)
        return data

    @property
    def sha256(self) -> str:
        return self._hash.hexdigest()


def pack(entries: Iterable[tuple[str, Path]], target: Path, scratch: Path) -> Packed:
    """Write the files to ``target`` under the given names, with times to the second, no owners.

    The tar is made in ``scratch``, a folder on the same disk, and is whole when it is at its
    target: who looks into the target's folder meanwhile finds whole files only.

    Raises:
        OSError: a file cannot be read, or the disk is full.
    """
    aside = scratch / f"{target.name}.part"
    files = []
    with aside.open("wb") as raw:
        sink = _Hashing(raw)
        with tarfile.open(
            fileobj=cast("BinaryIO", sink), mode="w|", format=tarfile.PAX_FORMAT
        ) as tar:
            for name, path in entries:
                with path.open("rb") as file:
                    source = _Hashing(file)
                    tar.addfile(_header(name, os.fstat(file.fileno())), cast("BinaryIO", source))
                files.append(ResultFile(name, source.size, source.sha256))
    aside.replace(target)
    return Packed(sink.sha256, sink.size, tuple(files))


def _header(name: str, status: os.stat_result) -> tarfile.TarInfo:
    header = tarfile.TarInfo(name)
    header.size = status.st_size
    header.mtime = int(status.st_mtime)  # a fraction would take a header of its own
    header.mode = 0o755 if status.st_mode & 0o100 else 0o644
    return header


def result_entries(
    files: Iterable[tuple[str, Path]], result_name: str, keep: Iterable[str], output: Path
) -> list[tuple[str, Path]]:
    """Where a run's files belong in the campaign's folder: (name there, file).

    Result files keep OMNeT++'s names, also when the ini file sends them to ``results`` itself.
    Other files go to ``runs/<result name>/``, wherever they were written: only result files are
    known to have names that differ from run to run. Kinds that are not in ``keep`` are left out.
    What the run printed becomes its ``.out``.
    """
    kept = set(keep)
    dropped = {f".{kind}" for kind in RESULT_KINDS if kind not in kept}
    if ".vec" in dropped:
        dropped.add(".vci")
    name = safe_name(result_name)
    entries = {f"{name}.out": output} if output.is_file() else {}
    for path, file in files:
        suffix = Path(path).suffix
        if suffix in dropped:
            continue
        inside = path.removeprefix("../results/")
        if suffix in RESULT_SUFFIXES and not inside.startswith("../") and inside not in entries:
            entries[inside] = file
        else:
            below = "/".join(part for part in path.split("/") if part != "..")
            entries[_free_name(f"runs/{name}/{below}", entries)] = file
    return sorted(entries.items())


def _free_name(name: str, taken: Mapping[str, Path]) -> str:
    """The name, or one like it: a file in the result folder and one beside the ini may be equal."""
    folder, _, last = name.rpartition("/")
    candidates = (f"{folder}/{number}-{last}" for number in itertools.count(2))
    return next(one for one in itertools.chain([name], candidates) if one not in taken)


def safe_name(text: str) -> str:
    """The text as one file name: OMNeT++ replaces most odd characters itself, this is the rest."""
    name = re.sub(r"[/\\\x00-\x1f]", "_", text)
    return f"_{name}" if name.startswith(".") or not name else name
