"""Streams on their way from a worker into the store."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Sequence
from typing import Any, BinaryIO, cast

from oppflow.archive import QUICK, compress_stream
from oppflow.errors import ArchiveError
from oppflow.store import Record, RecordsOf, Store, StoredArchive


class _HashingReader(io.RawIOBase):
    """Reads a stream and knows the SHA-256 of what was read so far."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._hash = hashlib.sha256()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self._stream.read(len(buffer))
        buffer[: len(data)] = data
        self._hash.update(data)
        return len(data)

    @property
    def sha256(self) -> str:
        return self._hash.hexdigest()


def store_tar(
    store: Store, stream: BinaryIO, sha256: str, records: RecordsOf | None = None
) -> StoredArchive:
    """Compress a worker's plain tar into the store, checking that it is what the worker made.

    ``records`` are stored with it.

    Raises:
        ArchiveError: its SHA-256 is not the one that the worker told; nothing is stored.
        StoreError: the store refuses.
    """
    reader = _HashingReader(stream)

    def checked(stored: StoredArchive) -> Sequence[Record]:
        if reader.sha256 != sha256:
            raise ArchiveError("An archive changed between the worker and the store.")
        return records(stored) if records else ()

    plain = cast("BinaryIO", io.BufferedReader(reader, 1024 * 1024))
    with compress_stream(plain, QUICK) as compressed:
        return store.put(compressed, checked)
