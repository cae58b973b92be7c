"""What every store does alike."""

from __future__ import annotations

import hashlib
import io
import os
import signal
import subprocess
import sys
import tracemalloc
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import BinaryIO

import pytest

from oppflow.archive.streams import as_stream
from oppflow.errors import ArchiveError, ArchiveMissingError, ParameterError
from oppflow.store import Record, Store, open_store
from tests.store.backstage import Backstage

MIB = 2**20
TTL = 1000


def content(store: Store, digest: str) -> bytes:
    with store.open(digest) as stream:
        return stream.read()


def breaking_off(size: int) -> BinaryIO:
    """A stream whose source fails after ``size`` bytes."""

    def chunks() -> Iterator[bytes]:
        yield b"x" * size
        raise RuntimeError("the source broke off")

    return as_stream(chunks())


class TestArchives:
    @pytest.mark.parametrize("size", [0, 1, MIB, MIB + 1, 3 * MIB + 17])
    def test_gives_back_the_same_bytes(self, store: Store, size: int) -> None:
        data = bytes(range(256)) * (size // 256) + b"z" * (size % 256)
        stored = store.put(io.BytesIO(data))
        assert stored.digest == hashlib.sha256(data).hexdigest()
        assert stored.size == size
        assert content(store, stored.digest) == data

    def test_storing_again_changes_nothing(self, store: Store, backstage: Backstage) -> None:
        first = store.put(io.BytesIO(b"the same"))
        assert store.put(io.BytesIO(b"the same")) == first
        assert backstage.archives() == [first.digest]
        assert content(store, first.digest) == b"the same"

    def test_many_may_store_the_same_at_once(self, store: Store, backstage: Backstage) -> None:
        data = b"same" * MIB
        with ThreadPoolExecutor(6) as pool:
            stored = set(pool.map(lambda _: store.put(io.BytesIO(data)), range(6)))
        assert len(stored) == 1
        assert content(store, stored.pop().digest) == data
        assert backstage.incoming() == 0

    def test_a_reader_keeps_what_is_stored_again(self, store: Store) -> None:
        data = b"again" * MIB
        digest = store.put(io.BytesIO(data)).digest
        with store.open(digest) as stream:
            start = stream.read(10)
            store.put(io.BytesIO(data))
            assert start + stream.read() == data

    def test_a_failing_source_leaves_nothing(self, store: Store, backstage: Backstage) -> None:
        with pytest.raises(RuntimeError, match="broke off"):
            store.put(breaking_off(2 * MIB))
        assert backstage.archives() == []
        assert backstage.incoming() == 0

    def test_a_killed_writer_leaves_nothing_that_is_seen(
        self, store: Store, backstage: Backstage
    ) -> None:
        if not backstage.is_shared:
            pytest.skip("no other process can write to it")
        program = (
            "import sys, time\n"
            "from oppflow.archive.streams import as_stream\n"
            "from oppflow.store import open_store\n"
            "def chunks():\n"
            "    yield from [b'x' * 2**20] * 20\n"
            "    print('half', flush=True)\n"
            "    time.sleep(60)\n"
            "open_store(sys.argv[1]).put(as_stream(chunks()))\n"
        )
        writer = subprocess.Popen(
            [sys.executable, "-c", program, backstage.url],
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": "plugins"},
        )
        with writer:
            assert writer.stdout is not None
            assert writer.stdout.readline() == b"half\n"
            writer.send_signal(signal.SIGKILL)
        assert backstage.archives() == []
        assert backstage.incoming() == 1
        assert store.missing([hashlib.sha256(b"x" * 20 * MIB).hexdigest()])

    def test_damage_is_detected_before_the_end(self, store: Store, backstage: Backstage) -> None:
        digest = store.put(io.BytesIO(b"precious" * MIB)).digest
        backstage.damage(digest)
        with store.open(digest) as stream:
            stream.read(4 * MIB)
            with pytest.raises(ArchiveError, match=digest):
                stream.read(4 * MIB)

    def test_storing_again_mends_damage(self, store: Store, backstage: Backstage) -> None:
        digest = store.put(io.BytesIO(b"precious")).digest
        backstage.damage(digest)
        store.put(io.BytesIO(b"precious"))
        assert content(store, digest) == b"precious"

    def test_what_is_not_there_is_said_with_a_hint(self, store: Store) -> None:
        with pytest.raises(ArchiveMissingError, match="retention") as caught, store.open("0" * 64):
            pass
        assert not caught.value.transient

    def test_tells_what_is_missing(self, store: Store) -> None:
        digest = store.put(io.BytesIO(b"here")).digest
        absent = {f"{number:064x}" for number in range(2500)}
        assert store.missing(iter([*absent, digest, digest])) == absent
        assert store.missing([]) == set()

    def test_deletes_what_is_there_or_not(self, store: Store) -> None:
        digest = store.put(io.BytesIO(b"gone soon")).digest
        store.delete(digest)
        store.delete(digest)
        assert store.missing([digest]) == {digest}

    @pytest.mark.parametrize(
        "digest", ["../../etc/passwd", "", "A" * 64, "0" * 63, "0" * 64 + "\n"]
    )
    def test_refuses_what_is_no_digest(self, store: Store, digest: str) -> None:
        with pytest.raises(ParameterError):
            store.missing([digest])
        with pytest.raises(ParameterError), store.open(digest):
            pass

    def test_never_holds_a_whole_archive(self, store: Store, backstage: Backstage) -> None:
        if not backstage.is_shared:
            pytest.skip("it is kept in this process' memory")
        store.missing(["0" * 64])  # what a client loads once does not count
        tracemalloc.start()
        try:
            digest = store.put(as_stream(bytes([n]) * MIB for n in range(64))).digest
            with store.open(digest) as stream:
                while stream.read(MIB):
                    pass
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        assert peak < 20 * MIB


class TestRetention:
    @pytest.fixture(autouse=True)
    def _only_where_there_is_one(self, backstage: Backstage) -> None:
        if not backstage.retains:
            pytest.skip("left to the object store's own rules")

    def test_starts_when_an_archive_is_stored(self, backstage: Backstage) -> None:
        with open_store(backstage.url, ttl_seconds=TTL) as store:
            digest = store.put(io.BytesIO(b"kept")).digest
        assert TTL - 20 < backstage.remaining(digest, TTL) <= TTL

    @pytest.mark.parametrize("use", ["put", "open", "missing"])
    def test_starts_anew_with_every_use(self, backstage: Backstage, use: str) -> None:
        with open_store(backstage.url, ttl_seconds=TTL) as store:
            digest = store.put(io.BytesIO(b"kept")).digest
            backstage.set_age(digest, 100, TTL)
            if use == "put":
                store.put(io.BytesIO(b"kept"))
            elif use == "open":
                content(store, digest)
            else:
                assert store.missing([digest]) == set()
        assert backstage.remaining(digest, TTL) > TTL - 20

    def test_a_retention_that_keeps_nothing_is_refused(self, backstage: Backstage) -> None:
        with pytest.raises(ParameterError, match="keeps nothing"):
            open_store(backstage.url, ttl_seconds=0)


KEYS = ["plain", "a/b", "../../up", "", "ü€😀", "k" * 1000, "a\nb\0c", "\udc80", "*", ":"]


class TestRecords:
    @pytest.mark.parametrize("key", KEYS)
    def test_any_text_is_a_key(self, store: Store, key: str) -> None:
        value = {"text": "ü\n", "nested": {"list": [1, 2.5, None, True]}}
        assert store.put_record("run", key, value)
        assert store.get_records("run", [key]) == {key: value}

    def test_keys_and_kinds_are_kept_apart(self, store: Store) -> None:
        for number, key in enumerate(KEYS):
            store.put_record("run", key, {"number": number})
        store.put_record("build", "plain", {"number": -1})
        found = store.get_records("run", KEYS)
        assert [found[key]["number"] for key in KEYS] == list(range(len(KEYS)))

    def test_the_last_value_counts(self, store: Store) -> None:
        store.put_record("run", "k", {"n": 1})
        assert store.put_record("run", "k", {"n": 2})
        assert store.get_records("run", ["k"]) == {"k": {"n": 2}}

    def test_one_of_many_claims_a_key(self, store: Store, backstage: Backstage) -> None:
        if not backstage.claims_safely:
            pytest.skip("fsspec looks first and creates then, here")

        def claim(_: int) -> bool:
            return store.put_record("claim", "k", {"same": "value"}, only_if_absent=True)

        with ThreadPoolExecutor(8) as pool:
            assert sum(pool.map(claim, range(8))) == 1
        assert store.get_records("claim", ["k"]) == {"k": {"same": "value"}}

    def test_what_is_claimed_cannot_be_claimed(self, store: Store) -> None:
        assert store.put_record("claim", "k", {"by": "one"}, only_if_absent=True)
        assert not store.put_record("claim", "k", {"by": "two"}, only_if_absent=True)
        assert store.get_records("claim", ["k"]) == {"k": {"by": "one"}}

    def test_a_deleted_record_can_be_claimed_again(self, store: Store) -> None:
        assert store.put_record("claim", "k", {}, only_if_absent=True)
        store.delete_record("claim", "k")
        store.delete_record("claim", "k")
        assert store.get_records("claim", ["k"]) == {}
        assert store.put_record("claim", "k", {}, only_if_absent=True)

    def test_ten_thousand_keys_are_read_at_once(self, store: Store, backstage: Backstage) -> None:
        keys = [f"run {number}" for number in range(backstage.many)]
        for key in keys[::10]:
            store.put_record("run", key, {"key": key})
        found = store.get_records("run", keys)
        assert found == {key: {"key": key} for key in keys[::10]}

    def test_a_damaged_record_is_as_good_as_none(self, store: Store, backstage: Backstage) -> None:
        store.put_record("run", "k", {"n": 1})
        backstage.damage_record("run", "k")
        assert store.get_records("run", ["k"]) == {}
        store.put_record("run", "k", {"n": 2})
        assert store.get_records("run", ["k"]) == {"k": {"n": 2}}

    @pytest.mark.parametrize("kind", ["", "../x", "Run", "a b", "x" * 33])
    def test_refuses_what_is_no_kind(self, store: Store, kind: str) -> None:
        with pytest.raises(ParameterError):
            store.put_record(kind, "k", {})


class TestManyRecords:
    def test_all_are_stored_and_replace_others(self, store: Store) -> None:
        store.put_record("run", "c/1", {"old": True})
        store.put_records(
            [Record("run", f"c/{n}", {"n": n}) for n in range(1200)] + [Record("plan", "c", {})]
        )
        found = store.get_records("run", [f"c/{n}" for n in range(1200)])
        assert found["c/1"] == {"n": 1}
        assert len(found) == 1200
        assert store.get_records("plan", ["c"]) == {"c": {}}
        store.put_records([])

    @pytest.mark.parametrize("size", [10, 3 * MIB])
    def test_an_archive_comes_with_its_records(self, store: Store, size: int) -> None:
        stored = store.put(
            io.BytesIO(b"x" * size), lambda made: [Record("run", "c/1", {"archive": made.digest})]
        )
        assert store.get_records("run", ["c/1"]) == {"c/1": {"archive": stored.digest}}
        assert content(store, stored.digest) == b"x" * size

    @pytest.mark.parametrize("size", [10, 3 * MIB])
    def test_who_objects_last_stores_nothing(
        self, store: Store, backstage: Backstage, size: int
    ) -> None:
        def object_to(_: object) -> list[Record]:
            raise ArchiveError("It is not what was sent.")

        with pytest.raises(ArchiveError, match="not what was sent"):
            store.put(io.BytesIO(b"y" * size), object_to)
        assert backstage.archives() == []
        assert backstage.incoming() == 0
