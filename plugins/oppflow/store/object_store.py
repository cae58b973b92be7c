"""A store in an object store: whatever fsspec has a file system for, as ``s3://BUCKET/PATH``."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta, timezone
from typing import Any, BinaryIO

import fsspec
from fsspec.core import url_to_fs

from oppflow.archive.streams import as_stream, read_chunks
from oppflow.errors import OppflowError, ParameterError, StoreError
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

# Bytes sent or fetched at once; S3 takes 10,000 parts of 5 MiB or more.
_BLOCK = 8 * 2**20

# From here on, listing all archives takes fewer round trips than asking for each.
_MANY = 20


class ObjectStore(Store):
    """Archives and records as objects below the URL's path.

    Credentials are the file system's own matter (for S3, the environment's AWS variables).
    Retention is the object store's: set a lifecycle rule for the path. That only one can claim a
    record is as sure as the file system's way to create a file only if there is none.
    """

    def __init__(self, url: str, where: str) -> None:
        self.where = where
        try:
            # A cached listing would not show what others store.
            self._fs, self._root = url_to_fs(url, use_listings_cache=False)
        except (ImportError, ValueError) as error:
            raise ParameterError(
                f"The store {where} cannot be opened: {error}.",
                hint="Install the package that it names, or correct OPPFLOW_STORE_URL.",
            ) from None  # it may quote a secret
        self._is_ready = False

    def __repr__(self) -> str:
        return f"ObjectStore({self.where!r})"

    @staticmethod
    def knows(scheme: str) -> bool:
        """Whether there is a file system for URLs of this scheme, installed or not."""
        return scheme in fsspec.available_protocols()

    def put(self, stream: BinaryIO, records: RecordsOf | None = None) -> StoredArchive:
        self._prepare()
        tally = Tally()
        aside = f"{self._root}/incoming/{secrets.token_hex(16)}"
        try:
            with self._opened(aside, "wb") as file:
                for chunk in tally.count(read_chunks(stream)):
                    with self._explained("Writing an archive"):
                        file.write(chunk)
            belonging = records(tally.archive) if records else ()
            with self._explained("Writing an archive"):
                self._fs.mv(aside, self._archive(tally.archive.digest))
        except BaseException:
            with suppress(Exception):  # else the sweep's; the error that led here says more
                self._fs.rm_file(aside)
            raise
        self.put_records(belonging)
        return tally.archive

    @contextmanager
    def open(self, digest: str) -> Iterator[BinaryIO]:
        path = self._archive(digest)
        with self._explained(f"Opening the archive {digest}"):
            if not self._fs.exists(path):
                raise missing_error(digest, self.where)
        with self._opened(path, "rb") as file:
            yield as_stream(verified(self._read(file), digest, self.where))

    def missing(self, digests: Iterable[str]) -> set[str]:
        paths = {digest: self._archive(digest) for digest in digests}
        with self._explained("Looking for archives"):
            if len(paths) < _MANY:
                return {digest for digest, path in paths.items() if not self._fs.exists(path)}
            there = {path.rpartition("/")[2] for path in self._fs.find(f"{self._root}/archives")}
            return paths.keys() - there

    def delete(self, digest: str) -> None:
        self._delete(self._archive(digest))

    def put_record(
        self, kind: str, key: str, value: Mapping[str, Any], *, only_if_absent: bool = False
    ) -> bool:
        path = self._record(kind, key)
        self._prepare()
        with self._explained(f"Writing the {kind} record {key!r}"):
            self._fs.makedirs(path.rpartition("/")[0], exist_ok=True)
            mode = "create" if only_if_absent else "overwrite"
            try:
                self._fs.pipe_file(path, encode_record(key, value), mode=mode)
            except FileExistsError:
                return False
        return True

    def put_records(self, records: Sequence[Record]) -> None:
        if not records:
            return
        self._prepare()
        texts = {self._record(r.kind, r.key): encode_record(r.key, r.value) for r in records}
        with self._explained(f"Writing {len(records)} records"):
            for folder in {path.rpartition("/")[0] for path in texts}:
                self._fs.makedirs(folder, exist_ok=True)
            self._fs.pipe(texts)  # all at once where the file system can

    def get_records(self, kind: str, keys: Sequence[str]) -> dict[str, dict[str, Any]]:
        paths = {self._record(kind, key): key for key in keys}
        found = {}
        with self._explained(f"Reading {kind} records"):
            texts = self._fs.cat(list(paths), on_error="return") if paths else {}
            for path, text in texts.items():
                if isinstance(text, FileNotFoundError):
                    continue
                if isinstance(text, Exception):
                    raise text
                if (value := decode_record(text)) is not None:
                    found[paths[path]] = value
        return found

    def delete_record(self, kind: str, key: str) -> None:
        self._delete(self._record(kind, key))

    def _delete(self, path: str) -> None:
        with self._explained(f"Deleting {path}"), suppress(FileNotFoundError):
            self._fs.rm_file(path)

    def _archive(self, digest: str) -> str:
        return f"{self._root}/archives/{checked_digest(digest)}"

    def _record(self, kind: str, key: str) -> str:
        return "/".join((self._root, "records", *record_name(kind, key)))

    @contextmanager
    def _opened(self, path: str, mode: str) -> Iterator[BinaryIO]:
        with self._explained(f"Opening {path}"):
            file = self._fs.open(path, mode, block_size=_BLOCK)
        try:
            yield file
        finally:
            with self._explained(f"Closing {path}"):
                file.close()

    def _read(self, file: BinaryIO) -> Iterator[bytes]:
        chunks = read_chunks(file)
        while True:
            with self._explained("Reading an archive"):
                chunk = next(chunks, None)
            if chunk is None:
                return
            yield chunk

    def _prepare(self) -> None:
        """Once: make what folders there are, and remove what dead writers left."""
        if self._is_ready:
            return
        with self._explained("Preparing"):
            for name in ("archives", "incoming"):
                self._fs.makedirs(f"{self._root}/{name}", exist_ok=True)
            oldest = datetime.now(timezone.utc) - timedelta(seconds=STALE_AFTER)
            for path in self._fs.find(f"{self._root}/incoming"):
                with suppress(FileNotFoundError):  # others sweep, too
                    if self._fs.modified(path) < oldest:
                        self._fs.rm_file(path)
        self._is_ready = True

    @contextmanager
    def _explained(self, what: str) -> Iterator[None]:
        try:
            yield
        except OppflowError:
            raise
        except Exception as error:  # each file system has errors of its own, with no common base
            raise StoreError(
                f"{what} in the store {self.where} failed: {type(error).__name__}: {error}.",
                hint="Check OPPFLOW_STORE_URL, the credentials in the environment, and that they "
                "allow listing, reading, writing and deleting there.",
            ) from error
