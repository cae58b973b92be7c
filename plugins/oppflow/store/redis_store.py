"""A store in Redis, 5.0 or later, for workers that share no disk."""

from __future__ import annotations

import itertools
import secrets
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any, BinaryIO, TypeVar, cast

import redis
from redis.exceptions import RedisError, ResponseError

from oppflow.archive.streams import as_stream, read_chunks
from oppflow.errors import ParameterError, StoreError
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
from oppflow.store.patience import PATIENCE, Patience
from oppflow.store.redis_errors import explain

Item = TypeVar("Item")

_PREFIX = "oppflow"
_BATCH = 1000  # names in one round trip: some 100 kB

# Seconds
_CONNECT_TIMEOUT = 5.0
_ANSWER_TIMEOUT = 30.0
_HEALTH_CHECK_EVERY = 30.0


class RedisStore(Store):
    """Archives as hashes of numbered pieces, records as strings, below ``oppflow:``.

    ``where`` is the URL as messages may show it. Not for Redis Cluster, where a key cannot be
    renamed across slots.
    """

    def __init__(
        self,
        url: str,
        where: str,
        *,
        ttl_seconds: int | None = None,
        patience: Patience = PATIENCE,
    ) -> None:
        self.where = where
        self._ttl = ttl_seconds
        try:
            self._client = redis.Redis.from_url(
                url,
                socket_connect_timeout=_CONNECT_TIMEOUT,
                socket_timeout=_ANSWER_TIMEOUT,
                health_check_interval=_HEALTH_CHECK_EVERY,
                retry=patience,
            )
        except ValueError:
            # Not chained: the library's error may quote a password.
            raise ParameterError(
                f"{where!r} is no URL of a Redis server.",
                hint="Write redis://:PASSWORD@HOST:PORT/DB, with %XX for special characters.",
            ) from None

    def __repr__(self) -> str:
        return f"RedisStore({self.where!r})"

    def put(self, stream: BinaryIO, records: RecordsOf | None = None) -> StoredArchive:
        tally = Tally()
        chunks = tally.count(read_chunks(stream))
        first = list(itertools.islice(chunks, 2))
        if len(first) < 2:
            self._put_small(b"".join(first), tally.archive, records)
            return tally.archive
        self._put_large(itertools.chain(first, chunks), tally, records)
        return tally.archive

    def _put_small(self, content: bytes, archive: StoredArchive, records: RecordsOf | None) -> None:
        """In one transaction, which whoever reads sees whole or not at all."""
        belonging = records(archive) if records else ()
        name = self._archive(archive.digest)
        fields: dict[Any, Any] = {"size": archive.size, "chunks": 1 if content else 0}
        if content:
            fields["0"] = content
        with self._explained("Writing an archive"), self._client.pipeline() as pipe:
            pipe.hset(name, mapping=fields)
            self._keep(pipe, name)
            for record in belonging:
                self._set(pipe, record)
            pipe.execute()

    def _put_large(self, chunks: Iterator[bytes], tally: Tally, records: RecordsOf | None) -> None:
        aside = f"{_PREFIX}:incoming:{secrets.token_hex(16)}"
        try:
            count = 0
            for chunk in chunks:
                with self._explained("Writing an archive"), self._client.pipeline() as pipe:
                    pipe.hset(aside, str(count), cast("str", chunk))  # typed for str alone
                    pipe.expire(aside, STALE_AFTER)
                    pipe.execute()
                count += 1
            belonging = records(tally.archive) if records else ()
            with self._explained("Writing an archive"):
                self._publish(aside, tally.archive, count)
        except BaseException as error:
            # A server that is gone is not waited for twice. What is left there expires.
            if not isinstance(error.__cause__, (redis.ConnectionError, redis.TimeoutError)):
                with suppress(RedisError):  # the error that led here says more
                    self._client.unlink(aside)
            raise
        self.put_records(belonging)

    def _publish(self, aside: str, archive: StoredArchive, count: int) -> None:
        name = self._archive(archive.digest)
        with self._client.pipeline() as pipe:
            pipe.hset(aside, mapping={"size": archive.size, "chunks": count})
            pipe.hlen(aside)
            if pipe.execute()[1] != count + 2:
                raise StoreError(
                    f"The store {self.where} lost a part of an archive while it was written.",
                    hint="Redis evicts keys: set its maxmemory-policy to noeviction, and maxmemory "
                    "to more than the campaigns' results.",
                )
        try:
            with self._client.pipeline() as pipe:
                pipe.rename(aside, name)
                pipe.persist(name)
                self._keep(pipe, name)
                pipe.execute()
        except ResponseError:
            # A retry after a lost answer finds nothing to rename: the first try did it.
            if not self._client.exists(name):
                raise

    @contextmanager
    def open(self, digest: str) -> Iterator[BinaryIO]:
        name = self._archive(digest)
        with self._explained(f"Opening the archive {digest}"), self._client.pipeline() as pipe:
            pipe.hget(name, "chunks")
            self._keep(pipe, name)
            count = pipe.execute()[0]
        if count is None:
            raise missing_error(digest, self.where)
        yield as_stream(verified(self._read(digest, int(count)), digest, self.where))

    def _read(self, digest: str, count: int) -> Iterator[bytes]:
        name = self._archive(digest)
        for number in range(count):
            with self._explained(f"Reading the archive {digest}"), self._unordered() as pipe:
                pipe.hget(name, str(number))
                self._keep(pipe, name)
                chunk = pipe.execute()[0]
            if chunk is None:
                raise missing_error(digest, self.where)
            yield chunk

    def missing(self, digests: Iterable[str]) -> set[str]:
        names = {digest: self._archive(digest) for digest in digests}
        found: list[int] = []
        for batch in _batches(list(names.values())):
            with self._explained("Looking for archives"), self._unordered() as pipe:
                for name in batch:
                    if self._ttl is None:
                        pipe.exists(name)
                    else:
                        pipe.expire(name, self._ttl)
                found += pipe.execute()
        return {digest for digest, there in zip(names, found, strict=True) if not there}

    def delete(self, digest: str) -> None:
        with self._explained(f"Deleting the archive {digest}"):
            self._client.unlink(self._archive(digest))

    def put_record(
        self, kind: str, key: str, value: Mapping[str, Any], *, only_if_absent: bool = False
    ) -> bool:
        name = self._record(kind, key)
        text = encode_record(key, value, written=secrets.token_hex(16))
        with self._explained(f"Writing the {kind} record {key!r}"):
            if self._client.set(name, text, ex=self._ttl, nx=only_if_absent):
                return True
            # A retry after a lost answer finds what the first try wrote: by its token, ours.
            return bool(self._client.get(name) == text)

    def put_records(self, records: Sequence[Record]) -> None:
        for batch in _batches(records):
            with self._explained(f"Writing {len(batch)} records"), self._unordered() as pipe:
                for record in batch:
                    self._set(pipe, record)
                pipe.execute()

    def _set(self, pipe: redis.client.Pipeline, record: Record) -> None:
        text = encode_record(record.key, record.value)
        pipe.set(self._record(record.kind, record.key), text, ex=self._ttl)

    def get_records(self, kind: str, keys: Sequence[str]) -> dict[str, dict[str, Any]]:
        found = {}
        for batch in _batches(list(dict.fromkeys(keys))):
            names = [self._record(kind, key) for key in batch]
            with self._explained(f"Reading {kind} records"), self._unordered() as pipe:
                pipe.mget(names)
                for name in names:
                    self._keep(pipe, name)
                texts = pipe.execute()[0]
            for key, text in zip(batch, texts, strict=True):
                if text is not None and (value := decode_record(text)) is not None:
                    found[key] = value
        return found

    def delete_record(self, kind: str, key: str) -> None:
        with self._explained(f"Deleting the {kind} record {key!r}"):
            self._client.unlink(self._record(kind, key))

    def close(self) -> None:
        self._client.close()

    def _archive(self, digest: str) -> str:
        return f"{_PREFIX}:archive:{checked_digest(digest)}"

    def _record(self, kind: str, key: str) -> str:
        return ":".join((_PREFIX, "record", *record_name(kind, key)))

    def _keep(self, pipe: redis.client.Pipeline, name: str) -> None:
        """Let the key's retention start anew; one that is not there is fine."""
        if self._ttl is not None:
            pipe.expire(name, self._ttl)

    def _unordered(self) -> redis.client.Pipeline:
        """A round trip for commands that need not happen at once."""
        return self._client.pipeline(transaction=False)

    @contextmanager
    def _explained(self, what: str) -> Iterator[None]:
        try:
            yield
        except (RedisError, OSError) as error:
            raise explain(error, what, self.where) from error


def _batches(items: Sequence[Item]) -> Iterator[Sequence[Item]]:
    for start in range(0, len(items), _BATCH):
        yield items[start : start + _BATCH]
