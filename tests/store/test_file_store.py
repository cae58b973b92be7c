"""What only a store in a folder can do, and how it fails."""

from __future__ import annotations

import errno
import io
import os
import time
from pathlib import Path

import pytest

from oppflow.errors import StoreError
from oppflow.store.file_store import FileStore

TTL = 1000


def make_old(path: Path, age: float) -> None:
    then = time.time() - age
    os.utime(path, (then, then))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "store"


class TestSweep:
    def test_removes_what_a_dead_writer_left(self, root: Path) -> None:
        incoming = root / "incoming"
        incoming.mkdir(parents=True)
        for name, age in (("dead", 25 * 3600), ("alive", 60)):
            (incoming / name).touch()
            make_old(incoming / name, age)
        FileStore(root).put(io.BytesIO(b"x"))
        assert [path.name for path in incoming.iterdir()] == ["alive"]

    def test_removes_what_nobody_used(self, root: Path) -> None:
        store = FileStore(root, ttl_seconds=TTL)
        old, new = (store.put(io.BytesIO(data)).digest for data in (b"old", b"new"))
        store.put_record("run", "old", {})
        for path in [Path(store._archive(old)), Path(store._record("run", "old")), root / "swept"]:
            make_old(path, 2 * 3600)
        store.put(io.BytesIO(b"one more"))
        assert store.missing([old, new]) == {old}
        assert store.get_records("run", ["old"]) == {}

    def test_reading_a_record_keeps_it(self, root: Path) -> None:
        store = FileStore(root, ttl_seconds=TTL)
        store.put_record("run", "k", {})
        make_old(Path(store._record("run", "k")), TTL - 10)
        store.get_records("run", ["k"])
        assert time.time() - Path(store._record("run", "k")).stat().st_mtime < 20

    def test_happens_once_an_hour(self, root: Path) -> None:
        store = FileStore(root, ttl_seconds=TTL)
        digest = store.put(io.BytesIO(b"old")).digest
        make_old(Path(store._archive(digest)), 2 * TTL)
        store.put(io.BytesIO(b"more"))
        assert store.missing([digest]) == set()


class TestFailure:
    @pytest.mark.parametrize(
        ("number", "hint"),
        [(errno.ENOSPC, "Make room"), (errno.EDQUOT, "quota"), (errno.EIO, "mounted")],
    )
    def test_a_disk_that_refuses_is_named(
        self, root: Path, monkeypatch: pytest.MonkeyPatch, number: int, hint: str
    ) -> None:
        def refuses(_: int) -> None:
            raise OSError(number, os.strerror(number))

        monkeypatch.setattr(os, "fsync", refuses)
        with pytest.raises(StoreError, match=hint) as caught:
            FileStore(root).put(io.BytesIO(b"x"))
        assert str(root) in caught.value.message
        assert caught.value.transient
        assert list(root.glob("incoming/*")) == []

    def test_a_root_that_is_a_file_is_said(self, root: Path) -> None:
        root.write_text("not a folder")
        with pytest.raises(StoreError, match="failed"):
            FileStore(root).put(io.BytesIO(b"x"))

    def test_asking_a_store_that_nobody_wrote_to_is_fine(self, root: Path) -> None:
        store = FileStore(root)
        assert store.missing(["0" * 64]) == {"0" * 64}
        assert store.get_records("run", ["k"]) == {}
        assert not root.exists()

    def test_damage_says_where_and_what_to_do(self, root: Path) -> None:
        store = FileStore(root)
        digest = store.put(io.BytesIO(b"precious")).digest
        Path(store._archive(digest)).write_bytes(b"prec")
        with store.open(digest) as stream, pytest.raises(Exception, match="4 bytes") as caught:
            stream.read()
        assert str(root) in str(caught.value)
