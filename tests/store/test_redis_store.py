"""What only a store in Redis can do, and how it fails."""

from __future__ import annotations

import io
import time
from collections.abc import Iterator

import pytest
import redis

from oppflow.archive.streams import as_stream
from oppflow.errors import ArchiveMissingError, ParameterError, StoreError
from oppflow.store import Record, open_store
from oppflow.store.patience import Patience
from oppflow.store.redis_store import RedisStore
from tests.store.backstage import RedisBackstage
from tests.support.redis_server import NO_REDIS, RedisServer, redis_is_there, running_redis

pytestmark = pytest.mark.skipif(not redis_is_there(), reason=NO_REDIS)

MIB = 2**20
TTL = 1000


@pytest.fixture
def backstage(redis_server: RedisServer) -> Iterator[RedisBackstage]:
    backstage = RedisBackstage(redis_server.url)
    yield backstage
    backstage.client.close()


@pytest.fixture
def store(backstage: RedisBackstage) -> Iterator[RedisStore]:
    with RedisStore(backstage.url, "redis://here", ttl_seconds=TTL) as store:
        yield store


class TestExpiry:
    def test_an_unfinished_archive_expires_within_a_day(
        self, store: RedisStore, backstage: RedisBackstage
    ) -> None:
        def chunks() -> Iterator[bytes]:
            yield b"x" * 2 * MIB
            (name,) = backstage.client.scan_iter("oppflow:incoming:*")
            assert 0 < backstage.client.ttl(name) <= 24 * 3600

        store.put(as_stream(chunks()))

    def test_without_retention_nothing_expires(self, backstage: RedisBackstage) -> None:
        with open_store(backstage.url) as store:
            store.put(io.BytesIO(b"kept"))
            store.put_record("run", "k", {})
        assert {backstage.client.pttl(key) for key in backstage.client.scan_iter("*")} == {-1}

    def test_records_expire_and_reading_keeps_them(
        self, store: RedisStore, backstage: RedisBackstage
    ) -> None:
        store.put_record("run", "k", {})
        (name,) = backstage.client.scan_iter("oppflow:record:*")
        assert backstage.client.ttl(name) > TTL - 20
        backstage.client.expire(name, 100)
        store.get_records("run", ["k"])
        assert backstage.client.ttl(name) > TTL - 20

    def test_an_archive_that_goes_while_it_is_read_is_missing(
        self, store: RedisStore, backstage: RedisBackstage
    ) -> None:
        digest = store.put(as_stream(bytes([n]) * MIB for n in range(8))).digest
        with store.open(digest) as stream:
            stream.read(1)
            backstage.client.flushall()
            with pytest.raises(ArchiveMissingError):
                stream.read()


class TestFailure:
    @pytest.mark.parametrize("url", ["redis://:WRONG@127.0.0.1:{}/0", "redis://127.0.0.1:{}/0"])
    def test_a_wrong_password_is_not_tried_again_and_not_shown(self, url: str) -> None:
        start = time.monotonic()
        with running_redis(requirepass="right") as server:
            address = url.format(server.port)
            with open_store(address) as store, pytest.raises(StoreError) as caught:
                store.put(io.BytesIO(b"x"))
        assert not caught.value.transient
        assert "OPPFLOW_STORE_URL" in caught.value.hint
        assert "WRONG" not in f"{caught.value} {store!r}"
        assert time.monotonic() - start < 5

    def test_the_right_password_opens(self) -> None:
        with (
            running_redis(requirepass="p@ss/w?rd") as server,
            open_store(f"redis://:p%40ss%2Fw%3Frd@127.0.0.1:{server.port}/0") as store,
        ):
            digest = store.put(io.BytesIO(b"x")).digest
            assert store.missing([digest]) == set()

    def test_a_server_that_is_gone_is_named(self) -> None:
        with running_redis() as server:
            store = RedisStore(server.url, "redis://there", patience=Patience(1))
            store.put(io.BytesIO(b"x"))
            server.kill()
            with pytest.raises(StoreError, match="redis://there") as caught:
                store.put(io.BytesIO(b"x"))
            store.close()
        assert caught.value.transient
        assert "Check that Redis runs" in caught.value.hint

    def test_a_lost_connection_is_made_anew(
        self, store: RedisStore, backstage: RedisBackstage
    ) -> None:
        def chunks() -> Iterator[bytes]:
            for number in range(4):
                backstage.client.client_kill_filter(_type="normal", skipme=True)
                yield bytes([number]) * MIB

        digest = store.put(as_stream(chunks())).digest
        with store.open(digest) as stream:
            assert len(stream.read()) == 4 * MIB

    def test_full_memory_has_its_own_hint(self) -> None:
        with (
            running_redis(maxmemory="4mb") as server,
            open_store(server.url) as store,
            pytest.raises(StoreError, match="maxmemory") as caught,
        ):
            store.put(as_stream(bytes(MIB) for _ in range(8)))
        assert len(str(caught.value)) < 1000

    def test_eviction_in_between_is_noticed(
        self, store: RedisStore, backstage: RedisBackstage
    ) -> None:
        def chunks() -> Iterator[bytes]:
            yield b"x" * 2 * MIB
            backstage.client.delete(*backstage.client.scan_iter("oppflow:incoming:*"))
            yield b"y"

        with pytest.raises(StoreError, match="noeviction"):
            store.put(as_stream(chunks()))
        assert backstage.archives() == []

    def test_a_full_disk_of_the_server_has_its_own_hint(
        self, store: RedisStore, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def refuses(*_: object, **__: object) -> None:
            raise redis.ResponseError("MISCONF Redis is configured to save RDB snapshots, but ...")

        monkeypatch.setattr(store._client, "set", refuses)
        with pytest.raises(StoreError, match="cannot save to its disk"):
            store.put_record("run", "k", {})


class TestLostAnswers:
    """The server did what it was asked, but the answer was lost and the client asks again."""

    def test_a_claim_stays_with_who_made_it(
        self, store: RedisStore, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        really_set = store._client.set

        def twice(*args: object, **options: object) -> object:
            really_set(*args, **options)
            return really_set(*args, **options)

        monkeypatch.setattr(store._client, "set", twice)
        assert store.put_record("claim", "k", {}, only_if_absent=True)
        assert not store.put_record("claim", "k", {}, only_if_absent=True)

    def test_publishing_twice_is_publishing(
        self, store: RedisStore, backstage: RedisBackstage, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        really_rename = redis.client.Pipeline.rename

        def twice(pipe: redis.client.Pipeline, source: str, target: str) -> object:
            backstage.client.rename(source, target)
            return really_rename(pipe, source, target)

        monkeypatch.setattr(redis.client.Pipeline, "rename", twice)
        digest = store.put(io.BytesIO(b"x")).digest
        assert backstage.archives() == [digest]


@pytest.mark.parametrize(
    "url", ["redis://:secret@host:port/0", "redis://h:1?socket_timeout=secret"]
)
def test_a_malformed_url_is_refused_without_its_password(url: str) -> None:
    with pytest.raises(ParameterError) as caught:
        open_store(url)
    assert "secret" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_a_small_archive_and_its_records_take_one_round_trip(
    store: RedisStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a short run leaves."""
    sent = []
    execute = redis.client.Pipeline.execute
    monkeypatch.setattr(
        redis.client.Pipeline, "execute", lambda pipe: [sent.append(1), execute(pipe)][1]
    )
    records = [Record("run", f"c/{n}", {}) for n in range(2)]
    store.put(io.BytesIO(b"a short run's results"), lambda _: records)
    assert len(sent) == 1
    assert len(store.get_records("run", ["c/0", "c/1"])) == 2
