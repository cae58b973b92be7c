"""What only an object store can do, and how it fails."""

from __future__ import annotations

import io
import os
import time
from pathlib import Path

import pytest

from oppflow.errors import ParameterError, StoreError
from oppflow.store import open_store
from oppflow.store.object_store import ObjectStore


def test_removes_what_a_dead_writer_left(tmp_path: Path) -> None:
    incoming = tmp_path / "incoming"
    incoming.mkdir()
    for name, age in (("dead", 25 * 3600), ("alive", 60)):
        (incoming / name).touch()
        os.utime(incoming / name, (time.time() - age,) * 2)
    open_store(f"local://{tmp_path}").put(io.BytesIO(b"x"))
    assert [path.name for path in incoming.iterdir()] == ["alive"]


def test_whatever_a_file_system_raises_is_explained(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class StrangeError(Exception):
        pass

    def refuses(*_: object, **__: object) -> None:
        raise StrangeError("no such bucket")

    store = ObjectStore(f"local://{tmp_path}", "s3://bucket")
    monkeypatch.setattr(store._objects.fs, "pipe_file", refuses)
    with pytest.raises(StoreError, match="s3://bucket failed: StrangeError: no such") as caught:
        store.put_record("run", "k", {})
    assert "credentials" in caught.value.hint


def test_a_failure_is_not_taken_for_a_missing_record(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuses(*_: object, **__: object) -> None:
        raise TimeoutError("too slow")

    store = ObjectStore(f"local://{tmp_path}", "s3://bucket")
    monkeypatch.setattr(store._objects.fs, "cat_file", refuses)
    with pytest.raises(StoreError, match="too slow"):
        store.get_records("run", ["k"])


def test_a_package_that_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(*_: object, **__: object) -> None:
        raise ImportError("Install s3fs to access S3")

    monkeypatch.setattr("oppflow.file_systems.url_to_fs", absent)
    with pytest.raises(ParameterError, match="Install s3fs") as caught:
        open_store("s3://bucket/path")
    assert "secret" not in str(caught.value)


def test_shows_no_secret() -> None:
    assert repr(ObjectStore("memory://x", "memory://x")) == "ObjectStore('memory://x')"
