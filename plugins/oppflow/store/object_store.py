"""A store in an object store: whatever fsspec has a file system for, as ``s3://BUCKET/PATH``."""

from __future__ import annotations

import secrets
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from datetime import datetime, timedelta, timezone
from typing import Any, BinaryIO

from oppflow.archive.streams import as_stream, read_chunks
from oppflow.object_errors import NO_BUCKET, Place, code_of
from oppflow.objects import BLOCK, Objects
from oppflow.store.content import (
    STALE_AFTER,
    Tally,
    checked_digest,
    decode_record,
    encode_record,
    missing_error,
    record_name,
    verified,
)
from oppflow.store.interface import Record, RecordsOf, Store, StoredArchive

# From here on, listing all archives takes fewer round trips than asking for each.
_MANY = 500
_AT_ONCE = 16


class ObjectStore(Store):
    """Archives and records as objects below the URL's path.

    Credentials are the file system's own matter (for S3, the environment's AWS variables).
    Retention is the object store's: set a lifecycle rule for the path. That only one can claim a
    record is as sure as the file system's way to create a file only if there is none.
    """

    is_far = True

    def __init__(self, url: str, where: str) -> None:
        self.where = where
        self._objects = Objects(url, Place("store", where, "OPPFLOW_STORE_URL"))
        self._is_swept = False

    def __repr__(self) -> str:
        return f"ObjectStore({self.where!r})"

    def put(self, stream: BinaryIO, records: RecordsOf | None = None) -> StoredArchive:
        self._sweep()
        tally = Tally()
        chunks = tally.count(read_chunks(stream))
        # What fits into one block needs no name aside, where nobody ever sees half of it.
        start, is_all = _start(chunks) if self._objects.are_whole else (deque[bytes](), False)
        if is_all:
            belonging = records(tally.archive) if records else ()
            data = b"".join(start)
            with self._objects.explained("Writing an archive"):
                self._objects.fs.pipe_file(self._archive(tally.archive.digest), data)
        else:
            aside = self._objects.path("incoming", secrets.token_hex(16))
            self._objects.write(aside, _all(start, chunks))
            try:
                belonging = records(tally.archive) if records else ()
                archive = self._archive(tally.archive.digest)
                with self._objects.explained("Writing an archive"):
                    self._objects.make_folder(archive.rpartition("/")[0])
                self._objects.move(aside, archive)
            except BaseException:
                with suppress(Exception):  # else the sweep's; the error that led here says more
                    self._objects.remove(aside)
                raise
        self.put_records(belonging)
        return tally.archive

    @contextmanager
    def open(self, digest: str) -> Iterator[BinaryIO]:
        with ExitStack() as stack:
            try:
                chunks = stack.enter_context(self._objects.chunks(self._archive(digest)))
            except FileNotFoundError:
                raise missing_error(digest, self.where) from None
            yield as_stream(verified(chunks, digest, self.where))

    def missing(self, digests: Iterable[str]) -> set[str]:
        paths = {digest: self._archive(digest) for digest in digests}
        with self._objects.explained("Looking for archives"):
            if len(paths) < _MANY:
                with ThreadPoolExecutor(_AT_ONCE) as pool:
                    there = pool.map(self._objects.fs.exists, paths.values())
                    gone = {digest for digest, is_there in zip(paths, there, strict=True)
                            if not is_there}  # fmt: skip
            else:
                found = self._objects.fs.find(self._objects.path("archives"))
                gone = paths.keys() - {path.rpartition("/")[2] for path in found}
        if gone:
            self._objects.check_there()
        return set(gone)

    def delete(self, digest: str) -> None:
        self._objects.remove(self._archive(digest))

    def put_record(
        self, kind: str, key: str, value: Mapping[str, Any], *, only_if_absent: bool = False
    ) -> bool:
        path = self._record(kind, key)
        if only_if_absent:
            claim = secrets.token_hex(16)
            return self._objects.create(path, encode_record(key, value, claim=claim))
        with self._objects.explained(f"Writing the {kind} record {key!r}"):
            self._objects.make_folder(path.rpartition("/")[0])
            self._objects.fs.pipe_file(path, encode_record(key, value))
        return True

    def put_records(self, records: Sequence[Record]) -> None:
        if not records:
            return
        texts = {self._record(r.kind, r.key): encode_record(r.key, r.value) for r in records}
        with self._objects.explained(f"Writing {len(records)} records"):
            for folder in {path.rpartition("/")[0] for path in texts}:
                self._objects.make_folder(folder)
            self._objects.fs.pipe(texts)  # all at once where the file system can

    def get_records(self, kind: str, keys: Sequence[str]) -> dict[str, dict[str, Any]]:
        paths = {self._record(kind, key): key for key in keys}
        found = {}
        with self._objects.explained(f"Reading {kind} records"):
            texts = self._objects.fs.cat(list(paths), on_error="return") if paths else {}
            for path, text in texts.items():
                if isinstance(text, FileNotFoundError) and code_of(text) != NO_BUCKET:
                    continue
                if isinstance(text, Exception):
                    raise text
                if (value := decode_record(text)) is not None:
                    found[paths[path]] = value
        return found

    def delete_record(self, kind: str, key: str) -> None:
        self._objects.remove(self._record(kind, key))

    def _archive(self, digest: str) -> str:
        return self._objects.path("archives", checked_digest(digest))

    def _record(self, kind: str, key: str) -> str:
        return self._objects.path("records", *record_name(kind, key))

    def _sweep(self) -> None:
        """Once: remove what dead writers left."""
        if self._is_swept:
            return
        oldest = datetime.now(timezone.utc) - timedelta(seconds=STALE_AFTER)
        incoming = self._objects.path("incoming")
        with self._objects.explained("Listing"):
            fs = self._objects.fs
            for path in fs.find(incoming):
                with suppress(FileNotFoundError):  # others sweep, too
                    if fs.modified(path) < oldest:
                        fs.rm_file(path)
        self._objects.abort_uploads(f"{incoming}/", oldest)
        self._is_swept = True


def _start(chunks: Iterator[bytes]) -> tuple[deque[bytes], bool]:
    """The first block of a stream, and whether that is all of it."""
    start: deque[bytes] = deque()
    size = 0
    for chunk in chunks:
        start.append(chunk)
        size += len(chunk)
        if size >= BLOCK:
            return start, False
    return start, True


def _all(start: deque[bytes], rest: Iterator[bytes]) -> Iterator[bytes]:
    """The stream again; nothing of its start is held for longer than it takes."""
    while start:
        yield start.popleft()
    yield from rest
