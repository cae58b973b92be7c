"""Take known files out of an archive, each to a place of its own.

For archives whose files are on record: no folder is made for each, and there is nothing to judge,
as whatever was not expected is refused.
"""

from __future__ import annotations

import hashlib
import os
import stat
import tarfile
from collections.abc import Iterable, Mapping
from typing import BinaryIO

from oppflow.archive.entries import DEFAULT_LIMITS, Limits
from oppflow.archive.newtree import REFUSED, explained
from oppflow.archive.streams import as_stream, decompress_stream, read_chunks
from oppflow.archive.unpacking import content, counted, members
from oppflow.errors import ArchiveError, ArchiveLimitError


def extract(
    stream: BinaryIO, places: Mapping[str, str], *, limits: Limits = DEFAULT_LIMITS
) -> dict[str, str]:
    """Write the files of a zstd-compressed tar to new ``places``; their SHA-256, by their names.

    ``places`` has a path for each name in the archive; its folder is there. Files keep their
    modification times. The stream is read to its end, so that a source that checks a digest there
    can still object. What was written before an error stays where it is.

    Raises:
        ArchiveError: the archive is damaged, exceeds ``limits``, or holds something else.
        InfrastructureError: the disk refuses.
    """
    plain = as_stream(counted(decompress_stream(stream), limits))
    found: dict[str, str] = {}
    room = limits.max_bytes
    for archive, member in members(plain):
        name = member.name
        if name not in places or name in found or not member.isreg() or member.issparse():
            raise ArchiveError(f"The archive holds {name!r}, which was not expected.", hint=REFUSED)
        room -= member.size
        if room < 0:
            raise ArchiveLimitError(
                f"The archive holds more than {limits.max_bytes} bytes.",
                hint="Raise OPPFLOW_MAX_UNPACKED.",
            )
        found[name] = _write(places[name], content(archive, member), member)
    for _ in read_chunks(plain):
        pass  # what follows the archive's end may still tell of damage
    return found


def _write(place: str, chunks: Iterable[bytes], member: tarfile.TarInfo) -> str:
    digest = hashlib.sha256()
    mode = 0o755 if member.mode & stat.S_IXUSR else 0o644
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
    with explained(place):
        file = os.open(place, flags, mode)
        try:
            for chunk in chunks:
                digest.update(chunk)
                _write_all(file, chunk)
            stamp = int(member.mtime) * 10**9
            os.utime(file, ns=(stamp, stamp))
        finally:
            os.close(file)
    return digest.hexdigest()


def _write_all(file: int, data: bytes) -> None:
    left = memoryview(data)
    while left:
        left = left[os.write(file, left) :]
