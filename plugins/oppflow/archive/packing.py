"""Pack a source tree: the same tree gives the same bytes, from any checkout."""

from __future__ import annotations

import hashlib
import io
import os
import stat
import tarfile
from collections.abc import Iterator
from pathlib import Path

from oppflow.archive.entries import DEFAULT_LIMITS, Entry, EntryKind, Limits
from oppflow.archive.selection import Selected, select
from oppflow.archive.streams import CHUNK, as_stream, compressed
from oppflow.archive.walk import changed, unreadable
from oppflow.errors import InfrastructureError

_END_OF_ARCHIVE = bytes(2 * tarfile.BLOCKSIZE)


class PackedTree:
    """A tree on its way into an archive; ``stream`` reads the archive's bytes.

    The files are read while the stream is, once; then ``listing`` tells what they were.
    """

    def __init__(self, root: Path, selected: list[Selected]) -> None:
        self.root = root
        self._listing: list[Entry] = []
        self._complete = False
        self.stream: io.BufferedReader = as_stream(compressed(self._tar(selected)))

    @property
    def listing(self) -> tuple[Entry, ...]:
        """What the archive holds, sorted by path.

        Raises:
            InfrastructureError: The stream was not read to its end.
        """
        if not self._complete:
            raise InfrastructureError(
                f"The archive of {self.root} was not read to its end: its listing is not known."
            )
        return tuple(self._listing)

    def _tar(self, selected: list[Selected]) -> Iterator[bytes]:
        for entry in selected:
            if entry.kind is EntryKind.LINK:
                yield self._link(entry)
            else:
                yield from self._file(entry.path)
        yield _END_OF_ARCHIVE
        self._complete = True

    def _link(self, entry: Selected) -> bytes:
        digest = hashlib.sha256(os.fsencode(entry.target)).hexdigest()
        self._listing.append(
            Entry(
                entry.path,
                EntryKind.LINK,
                executable=False,
                size=0,
                sha256=digest,
                target=entry.target,
            )
        )
        return _header(entry.path, tarfile.SYMTYPE, 0o777, link=entry.target)

    def _file(self, path: str) -> Iterator[bytes]:
        place = self.root / path
        try:
            # A link or a pipe that took the file's place must be neither followed nor waited for.
            file = os.fdopen(os.open(place, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb", 0)
        except OSError as error:
            raise unreadable(place, error) from error
        with file:
            before = os.fstat(file.fileno())
            if not stat.S_ISREG(before.st_mode):
                raise changed(place, "it is no file any more")
            executable = bool(before.st_mode & stat.S_IXUSR)
            yield _header(path, tarfile.REGTYPE, 0o755 if executable else 0o644, before.st_size)
            digest = hashlib.sha256()
            for chunk in _content(file, place, before.st_size):
                digest.update(chunk)
                yield chunk
            if os.fstat(file.fileno()).st_mtime_ns != before.st_mtime_ns:
                raise changed(place, "it was written to")
        yield bytes(-before.st_size % tarfile.BLOCKSIZE)
        self._listing.append(
            Entry(path, EntryKind.FILE, executable, before.st_size, digest.hexdigest())
        )


def pack_tree(root: Path, *, limits: Limits = DEFAULT_LIMITS) -> PackedTree:
    """Start packing what of the folder ``root`` is source (see `oppflow.archive.rules`).

    Format: GNU tar in a zstd frame; entries sorted by their path's bytes, times and owners zero,
    modes 0755 or 0644. Folders are not entries: an empty one does not travel, as with git.
    Reading the stream raises `ArchiveError` for a file that cannot be read, and
    `InfrastructureError` for one that changes meanwhile.

    Raises:
        ParameterError: There is no such folder, or it holds more than ``limits``.
        ArchiveError: A link leaves the tree, something in it is neither file, link nor folder, or
            cannot be read.
    """
    return PackedTree(root, select(root, limits))


def _header(path: str, kind: bytes, mode: int, size: int = 0, link: str = "") -> bytes:
    info = tarfile.TarInfo(path)
    info.type, info.mode, info.size, info.linkname = kind, mode, size, link
    return info.tobuf(tarfile.GNU_FORMAT, "utf-8", "surrogateescape")


def _content(file: io.FileIO, place: Path, size: int) -> Iterator[bytes]:
    left = size
    while left:
        try:
            chunk = file.read(min(left, CHUNK))
        except OSError as error:
            raise unreadable(place, error) from error
        if not chunk:
            raise changed(place, f"it lost {left} of its {size} bytes")
        left -= len(chunk)
        yield chunk
    if file.read(1):
        raise changed(place, f"it grew beyond its {size} bytes")
