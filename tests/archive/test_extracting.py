"""How the files of an archive go to places of their own, or the archive is refused."""

from __future__ import annotations

import hashlib
import io
import os
from pathlib import Path

import pytest

from oppflow.archive import Limits, extract
from oppflow.errors import ArchiveError, ArchiveLimitError, InfrastructureError
from tests.support.trees import Tar


def places(folder: Path, *names: str) -> dict[str, str]:
    return {name: str(folder / str(index)) for index, name in enumerate(names)}


def take(tar: Tar, places: dict[str, str], limits: Limits | None = None) -> dict[str, str]:
    return extract(io.BytesIO(tar.packed()), places, limits=limits or Limits())


@pytest.mark.parametrize("mtime", [1_700_000_000, 1_700_000_000.987654321, 0])
def test_files_go_to_their_places(tmp_path: Path, mtime: float) -> None:
    """With their content, the second that they were changed in, and their digests."""
    tar = Tar().add("a.sca", b"one", mtime=mtime).add("runs/b", b"", mode=0o755)
    found = take(tar, places(tmp_path, "a.sca", "runs/b"))
    assert found["a.sca"] == hashlib.sha256(b"one").hexdigest()
    assert (tmp_path / "0").read_bytes() == b"one"
    assert int((tmp_path / "0").stat().st_mtime) == int(mtime)
    assert [os.access(tmp_path / name, os.X_OK) for name in ("0", "1")] == [False, True]


def test_what_was_expected_may_be_missing(tmp_path: Path) -> None:
    """Whoever knows what there should be compares."""
    assert set(take(Tar().add("a"), places(tmp_path, "a", "b"))) == {"a"}


@pytest.mark.parametrize("name", ["b", "../a", "/a", "./a"])
def test_what_was_not_expected_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(ArchiveError, match="not expected"):
        take(Tar().add(name), places(tmp_path, "a"))
    assert list(tmp_path.iterdir()) == []


def test_a_name_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ArchiveError, match="not expected"):
        take(Tar().add("a").add("a"), places(tmp_path, "a"))


def test_nothing_is_written_through_what_is_there(tmp_path: Path) -> None:
    """Neither over a file nor through a link."""
    (tmp_path / "0").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(InfrastructureError, match="cannot be written"):
        take(Tar().add("a"), places(tmp_path, "a"))
    assert not (tmp_path / "elsewhere").exists()


def test_more_bytes_than_the_limit(tmp_path: Path) -> None:
    tar = Tar().add("a", b"x" * 600).add("b", b"x" * 600)
    with pytest.raises(ArchiveLimitError, match="more than 1000 bytes"):
        take(tar, places(tmp_path, "a", "b"), Limits(max_bytes=1000))


@pytest.mark.parametrize("keep", [10, 100, -10])
def test_what_was_cut_is_refused(tmp_path: Path, keep: int) -> None:
    packed = Tar().add("a", os.urandom(5000)).packed()
    with pytest.raises(ArchiveError):
        extract(io.BytesIO(packed[:keep]), places(tmp_path, "a"))


def test_a_time_that_makes_no_sense(tmp_path: Path) -> None:
    with pytest.raises(ArchiveError, match="makes no sense"):
        take(Tar().add("a", pax_headers={"mtime": "nan"}), places(tmp_path, "a"))
