"""Objects below a URL: whatever fsspec has a file system for, as ``s3://BUCKET/PATH``."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from typing import Any, BinaryIO

from oppflow.archive.streams import CHUNK
from oppflow.errors import OppflowError
from oppflow.file_systems import OBJECT_STORES, S3, open_file_system
from oppflow.object_errors import MUTE, NO_BUCKET, Place, answered_code, code_of, explain

BLOCK = 5 * 2**20
"""Bytes sent at once, of which the client holds some copies; S3 takes no smaller parts."""

_READ = 4 * 2**20  # bytes fetched at once
_PARTS = 9_000  # of the 10,000 that S3 takes

_CREATING_TRIES = 5
_EXISTS = {"PreconditionFailed", "412"}


class Objects:
    """A URL's file system, used with errors that say what to do.

    Endpoint, region and credentials are the file system's own matter: for S3, what AWS documents
    (``AWS_ENDPOINT_URL``, ``AWS_ACCESS_KEY_ID``, ...) and ``FSSPEC_S3_...``. All methods raise
    `StoreError` for whatever the file system raises.
    """

    def __init__(self, url: str, place: Place) -> None:
        """Nothing is connected to before it is used.

        Raises:
            ParameterError: the URL cannot be opened: a package is missing, or it names no bucket.
        """
        self.place = place
        self._url = url
        self._scheme = url.partition("://")[0].lower()
        self._lock = threading.Lock()
        self._others: list[Any] = []
        self._pid = os.getpid()
        self._fs, self.root = open_file_system(url, place)

    @property
    def are_whole(self) -> bool:
        """Whether nobody ever sees half an object."""
        return self._scheme in OBJECT_STORES

    @property
    def fs(self) -> Any:
        """The file system; one of its own in a forked process, as connections cannot be shared."""
        if self._pid == os.getpid():
            return self._fs
        with self._lock:
            if self._pid != os.getpid():
                # Kept, as its end would close what the parent process still uses.
                self._others.append(self._fs)
                self._fs, self.root = open_file_system(self._url, self.place)
                self._pid = os.getpid()
            return self._fs

    def path(self, *names: str) -> str:
        """The path of an object below the URL."""
        return "/".join((self.root, *names))

    @contextmanager
    def explained(self, what: str) -> Iterator[None]:
        """Turn what a file system raises into `StoreError`, told as ``what`` failing."""
        try:
            yield
        except OppflowError:
            raise
        except Exception as error:  # each file system has errors of its own, with no common base
            raise explain(self._telling(error), what, self.place) from error

    def _telling(self, error: Exception) -> Exception:
        """The error, or one that says why where the server's answer did not."""
        if answered_code(error) in MUTE:
            try:
                self.fs.ls(self.root)
            except Exception as better:  # noqa: BLE001 - it says more, or it is not used
                if answered_code(better) not in {*MUTE, ""}:
                    return better
        return error

    def check_there(self) -> None:
        """Return if objects can be missing one by one: where the bucket is missing, all are."""
        if not self.are_whole:
            return
        with self.explained("Listing"):
            try:
                self.fs.ls(self.root)
            except FileNotFoundError as error:
                if code_of(error) == NO_BUCKET:
                    raise

    def make_folder(self, path: str) -> None:
        """Make a folder where there are any."""
        if not self.are_whole:
            self.fs.makedirs(path, exist_ok=True)

    def read(self, path: str) -> bytes | None:
        """A small object, or None if it is not there."""
        with self.explained(f"Reading {path}"):
            try:
                return bytes(self.fs.cat_file(path))
            except FileNotFoundError as error:
                if code_of(error) == NO_BUCKET:
                    raise
                return None

    def create(self, path: str, data: bytes) -> bool:
        """Write a small object if there is none; of all who try, one is told True.

        ``data`` is the caller's alone: so it knows its own where the answer to its first try was
        lost. As sure as the server: S3's ``If-None-Match``, where that is ignored, makes no
        difference between two who try at the same moment.
        """
        for attempt in range(_CREATING_TRIES):
            with self.explained(f"Writing {path}"):
                try:
                    if self.fs.exists(path):  # a server may ignore the condition
                        return False
                    self.make_folder(path.rpartition("/")[0])
                    self.fs.pipe_file(path, data, mode="create")
                except Exception as error:
                    code = code_of(error)
                    if isinstance(error, FileExistsError) or code in _EXISTS:
                        return self.read(path) == data
                    # Another's request for it is under way: who of the two is first is not known.
                    if code != "ConditionalRequestConflict" or attempt == _CREATING_TRIES - 1:
                        raise
                else:
                    return True
        return False

    def write(self, path: str, chunks: Iterable[bytes], *, size: int = 0) -> None:
        """Write an object, in parts if it is large; where ``chunks`` raise, none appears.

        ``size`` is how many bytes are expected: beyond 45 GB, S3 wants to know that in advance.
        """
        with self.explained(f"Opening {path}"):
            self.make_folder(path.rpartition("/")[0])
            file = self.fs.open(path, "wb", block_size=max(BLOCK, -(-size // _PARTS)))
        try:
            for chunk in chunks:
                with self.explained(f"Writing {path}"):
                    file.write(chunk)
            with self.explained(f"Writing {path}"):
                file.close()
        except BaseException:
            _throw_away(file)
            if not self.are_whole:
                with suppress(Exception):  # the error that led here says more
                    self.fs.rm_file(path)
            raise

    @contextmanager
    def chunks(self, path: str) -> Iterator[Iterator[bytes]]:
        """The bytes of an object.

        Raises:
            FileNotFoundError: it is not there.
        """
        try:
            with self.explained(f"Opening {path}"):
                file = self._opened(path)
        except _MissingError:
            raise FileNotFoundError(path) from None
        try:
            yield self._read(file, path)
        finally:
            with suppress(Exception):  # all was read, or somebody stopped reading
                file.close()

    def _opened(self, path: str) -> BinaryIO:
        try:
            return self.fs.open(  # type: ignore[no-any-return]
                path, "rb", block_size=_READ, cache_type="none"
            )
        except FileNotFoundError:
            self.check_there()
            raise _MissingError(path) from None

    def _read(self, file: BinaryIO, path: str) -> Iterator[bytes]:
        while True:
            with self.explained(f"Reading {path}"):
                block = file.read(_READ)
            if not block:
                return
            for start in range(0, len(block), CHUNK):
                yield block[start : start + CHUNK]

    def remove(self, path: str) -> None:
        """Remove an object; one that is not there is fine."""
        with self.explained(f"Deleting {path}"), suppress(FileNotFoundError):
            self.fs.rm_file(path)

    def move(self, path: str, target: str) -> None:
        """Give an object another name: copied by the server, in parts if it is large."""
        with self.explained(f"Moving {path}"):
            if self.are_whole:
                self.fs.cp_file(path, target)
                self.fs.rm_file(path)
            else:
                self.fs.mv(path, target)

    def abort_uploads(self, prefix: str, oldest: datetime) -> None:
        """End uploads in parts below a path that somebody began before ``oldest`` and left.

        Not everybody may list them: a lifecycle rule of the bucket does it as well.
        """
        if self._scheme not in S3:
            return
        bucket, _, keys = prefix.partition("/")
        with suppress(Exception):
            for upload in self.fs.list_multipart_uploads(bucket):
                if upload["Key"].startswith(keys) and upload["Initiated"] < oldest:
                    self.fs.abort_mpu(bucket, upload["Key"], upload["UploadId"])


class _MissingError(OppflowError):
    """An object is not there; passes through `Objects.explained`."""


def _throw_away(file: Any) -> None:
    """Abort an upload, whose parts would be kept and paid for; other files are closed."""
    with suppress(Exception):
        file.discard()
        file.closed = True  # else the rest would be sent when it is collected
        return
    with suppress(Exception):
        file.close()
