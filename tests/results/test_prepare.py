"""What the compose deployment's first service says of a results root in an object store."""

from __future__ import annotations

from pathlib import Path

import pytest

from oppflow.errors import StoreError
from oppflow.orchestration.prepare import _check_results
from oppflow.settings import Settings
from oppflow.store import open_store


@pytest.fixture
def work_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("OPPFLOW_WORK", str(tmp_path))
    return tmp_path


def check(url: str, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("OPPFLOW_RESULTS", url)
    return _check_results(Settings.from_environment())


def test_one_that_can_be_written_is_left_as_it_was(
    bucket: str, work_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name is claimed and let go of: nothing of it stays, there or here."""
    assert check(f"{bucket}/results", monkeypatch) == f"{bucket}/results can be written"
    objects = open_store(bucket)._objects  # type: ignore[attr-defined]
    assert objects.fs.find(objects.root) == []
    assert [path for path in work_dir.rglob("*") if path.is_file()] == []


def test_a_bucket_that_is_missing_is_told(
    bucket: str, work_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before anything starts, and no bucket is made."""
    with pytest.raises(StoreError, match="NoSuchBucket"):
        check("s3://no-such-bucket-here/results", monkeypatch)
