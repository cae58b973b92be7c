"""A store in a folder, which all who use it see: a disk of one machine, or a network drive."""

from __future__ import annotations

import errno
import os
import secrets
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO

from oppflow.archive.streams import as_stream, read_chunks
from oppflow.errors import StoreError
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

_SWEEP_EVERY = 3600.0  # seconds


class FileStore(Store):
    """Archives and records as files below ``root``.

    With ``ttl_seconds``, what nobody used for that long goes when somebody puts an archive, looked
    for once an hour.
    """

    def __init__(self, root: Path, *, ttl_seconds: int | None = None) -> None:
        self.root = root
        self._place = str(root)
        self._ttl = ttl_seconds

    def __repr__(self) -> str:
        return f"FileStore({str(self.root)!r})"

    def put(self, stream: BinaryIO, records: RecordsOf | None = None) -> StoredArchive:
        tally = Tally()
        self._sweep()
        with self._aside() as (aside, file):
            for chunk in tally.count(read_chunks(stream)):
                with self._explained("Writing an archive"):
                    file.write(chunk)
            with self._explained("Writing an archive"):
                file.flush()
                # A name that outlives a power cut while its bytes do not would be a damaged archive
                os.fsync(file.fileno())
            belonging = records(tally.archive) if records else ()
            with self._explained("Writing an archive"):
                _place(aside, Path(self._archive(tally.archive.digest)))
        self.put_records(belonging)
        return tally.archive

    @contextmanager
    def open(self, digest: str) -> Iterator[BinaryIO]:
        path = self._archive(digest)
        with self._explained(f"Opening the archive {digest}"):
            try:
                file = open(path, "rb")  # noqa: PTH123, SIM115 -- closed below
                self._keep(path)
            except FileNotFoundError as error:
                raise missing_error(digest, str(self.root)) from error
        with file:
            yield as_stream(verified(self._read(file), digest, str(self.root)))

    def missing(self, digests: Iterable[str]) -> set[str]:
        with self._explained("Looking for archives"):
            return {digest for digest in digests if not self._keep(self._archive(digest))}

    def delete(self, digest: str) -> None:
        with self._explained(f"Deleting the archive {digest}"):
            Path(self._archive(digest)).unlink(missing_ok=True)

    def put_record(
        self, kind: str, key: str, value: Mapping[str, Any], *, only_if_absent: bool = False
    ) -> bool:
        path = Path(self._record(kind, key))
        with self._aside() as (aside, file), self._explained(f"Writing the {kind} record {key!r}"):
            file.write(encode_record(key, value))
            file.flush()
            if not only_if_absent:
                _place(aside, path)
                return True
            os.fsync(file.fileno())  # a claim that a power cut emptied would never be given up
            path.parent.mkdir(parents=True, exist_ok=True)
            try:
                path.hardlink_to(aside)
            except FileExistsError:
                return False
            return True

    def put_records(self, records: Sequence[Record]) -> None:
        for record in records:
            self.put_record(*record)

    def get_records(self, kind: str, keys: Sequence[str]) -> dict[str, dict[str, Any]]:
        found = {}
        with self._explained(f"Reading {kind} records"):
            for key in keys:
                path = self._record(kind, key)
                try:
                    with open(path, "rb") as file:  # noqa: PTH123 -- as below
                        value = decode_record(file.read())
                except FileNotFoundError:
                    continue
                if value is not None:
                    found[key] = value
                    self._keep(path)
        return found

    def delete_record(self, kind: str, key: str) -> None:
        with self._explained(f"Deleting the {kind} record {key!r}"):
            Path(self._record(kind, key)).unlink(missing_ok=True)

    # Paths as text: with 10,000 of them, making objects takes as long as reading the files.
    def _archive(self, digest: str) -> str:
        return f"{self._place}/archives/{checked_digest(digest)[:2]}/{digest}"

    def _record(self, kind: str, key: str) -> str:
        folder, name = record_name(kind, key)
        return f"{self._place}/records/{folder}/{name[:2]}/{name}.json"

    @contextmanager
    def _aside(self) -> Iterator[tuple[Path, BinaryIO]]:
        aside = self.root / "incoming" / secrets.token_hex(16)
        with self._explained("Writing"):
            aside.parent.mkdir(parents=True, exist_ok=True)
            file = aside.open("xb")
        try:
            with file:
                yield aside, file
        finally:
            with suppress(OSError):  # else the sweep's; the error that led here says more
                aside.unlink(missing_ok=True)

    def _read(self, file: BinaryIO) -> Iterator[bytes]:
        chunks = read_chunks(file)
        while True:
            with self._explained("Reading an archive"):
                chunk = next(chunks, None)
            if chunk is None:
                return
            yield chunk

    def _keep(self, path: str) -> bool:
        """Whether the file is there; if so its retention starts anew."""
        if self._ttl is None:
            return os.path.exists(path)  # noqa: PTH110
        try:
            os.utime(path)
        except FileNotFoundError:
            return False
        return True

    def _sweep(self) -> None:
        mark = self.root / "swept"
        now = time.time()
        with self._explained("Sweeping"):
            if mark.exists() and now - mark.stat().st_mtime < _SWEEP_EVERY:
                return
            self.root.mkdir(parents=True, exist_ok=True)
            mark.touch()
            _remove_older(self.root / "incoming", now - STALE_AFTER)
            if self._ttl is not None:
                _remove_older(self.root / "archives", now - self._ttl)
                _remove_older(self.root / "records", now - self._ttl)

    @contextmanager
    def _explained(self, what: str) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            hints = {
                errno.ENOSPC: "Make room on the store's disk, or delete campaigns' results there.",
                errno.EDQUOT: "The disk quota is used up: make room, or have it raised.",
                errno.EACCES: "Give the user that Airflow runs as permission to write there.",
                errno.EPERM: "Give the user that Airflow runs as permission to write there.",
                errno.EROFS: "The disk is mounted read-only: mount it for writing.",
            }
            raise StoreError(
                f"{what} in the store {self.root} failed: {error.strerror or error}.",
                hint=hints.get(error.errno or 0, "Check the disk, and that it is mounted."),
            ) from error


def _place(aside: Path, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    aside.replace(path)


def _remove_older(folder: Path, oldest: float) -> None:
    for parent, _, names in os.walk(folder):
        for name in names:
            with suppress(FileNotFoundError):  # others sweep, too
                if (path := Path(parent, name)).stat().st_mtime < oldest:
                    path.unlink()
