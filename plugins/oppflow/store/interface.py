"""What a store does, whatever it is made of."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from types import TracebackType
from typing import Any, BinaryIO, ClassVar, NamedTuple, TypeVar

_Self = TypeVar("_Self", bound="Store")


@dataclass(frozen=True)
class StoredArchive:
    """An archive in a store: the SHA-256 of its bytes, which is its name, and its size in bytes."""

    digest: str
    size: int


class Record(NamedTuple):
    """A JSON object under a short word and any text."""

    kind: str
    key: str
    value: Mapping[str, Any]


RecordsOf = Callable[[StoredArchive], Sequence[Record]]
"""The records that belong to an archive, which is known once it was read."""


class Store(ABC):
    """Archives, named by the SHA-256 of their bytes, and records, small JSON objects by name.

    Archives stream in pieces of 1 MiB. Any number of processes may use a store at once. Each method
    raises `StoreError` where the store cannot be reached or refuses, and `ParameterError` for a
    digest or kind that cannot be one. Where the store has a retention, whatever is put, opened,
    found present or read is kept for that time from then on.
    """

    is_far: ClassVar[bool] = False
    """Whether an archive takes a while to come, however small: then several are best asked for."""

    @abstractmethod
    def put(self, stream: BinaryIO, records: RecordsOf | None = None) -> StoredArchive:
        """Store the stream's bytes up to its end; what is there already stays.

        Nobody sees an archive before all of it is there. Where this process dies in between, or
        ``stream`` or ``records`` raise, nothing was stored, and what was written goes within a day.
        ``records`` are stored with it, never before it, and in the same round trip where the
        archive is small and the store can do so.
        """

    @abstractmethod
    def open(self, digest: str) -> AbstractContextManager[BinaryIO]:
        """Open an archive for reading once, from its start.

        The last bytes come out only after the SHA-256 of all was found right: reading them raises
        `ArchiveError` if it is not.

        Raises:
            ArchiveMissingError: The archive is not there (any more).
        """

    @abstractmethod
    def missing(self, digests: Iterable[str]) -> set[str]:
        """Which of the archives are not there; few round trips for however many."""

    @abstractmethod
    def delete(self, digest: str) -> None:
        """Remove an archive; one that is not there is fine."""

    @abstractmethod
    def put_record(
        self, kind: str, key: str, value: Mapping[str, Any], *, only_if_absent: bool = False
    ) -> bool:
        """Store a JSON object under a short word and any text; whether it was stored.

        With ``only_if_absent``, one of all who try it for a key is told True.
        """

    @abstractmethod
    def put_records(self, records: Sequence[Record]) -> None:
        """Store JSON objects, replacing what is there; few round trips for however many."""

    @abstractmethod
    def get_records(self, kind: str, keys: Sequence[str]) -> dict[str, dict[str, Any]]:
        """The records that are there, by key; few round trips for however many.

        A damaged record is as good as none: whoever misses it makes it again.
        """

    @abstractmethod
    def delete_record(self, kind: str, key: str) -> None:
        """Remove a record; one that is not there is fine."""

    def close(self) -> None:  # noqa: B027 - a store of files has nothing to let go of
        """Let go of connections."""

    def __enter__(self: _Self) -> _Self:
        """Use the store as a context that closes it."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
