"""How a tree becomes an archive."""

from __future__ import annotations

import hashlib
import io
import os
import subprocess
import tarfile
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest

from oppflow.archive import Entry, EntryKind, decompress_stream, pack_tree
from oppflow.errors import ArchiveError, InfrastructureError
from tests.support.trees import make_tree

MIB = 2**20


def refuses(*_: object) -> None:
    """What the system says to who may not read."""
    raise PermissionError(13, "Permission denied")


def packed(root: Path) -> bytes:
    return pack_tree(root).stream.read()


def members(data: bytes) -> list[tarfile.TarInfo]:
    with tarfile.open(fileobj=decompress_stream(io.BytesIO(data)), mode="r|") as tar:
        return list(tar)


class TestBytes:
    def test_the_same_tree_gives_the_same_bytes(self, tmp_path: Path) -> None:
        paths = ["b/z.cc", "a.ini", "b/run*", "link -> b/z.cc", "ü"]
        one = make_tree(tmp_path / "one", *paths)
        two = make_tree(tmp_path / "elsewhere" / "two", *reversed(paths))
        os.utime(two / "a.ini", (1, 1))
        (two / "b").chmod(0o700)
        (two / "b/z.cc").chmod(0o600)
        (two / "empty").mkdir()
        assert packed(one) == packed(two)

    @pytest.mark.parametrize(
        "change",
        [
            lambda root: (root / "a").write_text("x"),
            lambda root: (root / "a").chmod(0o744),
            lambda root: (root / "a").rename(root / "b"),
            lambda root: (root / "new").touch(),
        ],
    )
    def test_another_tree_gives_other_bytes(
        self, tmp_path: Path, change: Callable[[Path], object]
    ) -> None:
        make_tree(tmp_path, "a")
        before = packed(tmp_path)
        change(tmp_path)
        assert packed(tmp_path) != before

    def test_headers_tell_nothing_of_who_packed_when(self, tmp_path: Path) -> None:
        make_tree(tmp_path, "file", "link -> file", "run*")
        (tmp_path / "file").chmod(0o4640)
        entries = members(packed(tmp_path))
        assert [entry.name for entry in entries] == ["file", "link", "run"]
        assert [entry.mode for entry in entries] == [0o644, 0o777, 0o755]
        for entry in entries:
            assert (entry.mtime, entry.uid, entry.gid, entry.uname, entry.gname) == (
                0,
                0,
                0,
                "",
                "",
            )

    def test_others_can_read_it(self, tmp_path: Path) -> None:
        long = f"{'d' * 120}/{'n' * 200}"
        make_tree(tmp_path / "m", long, "link -> " + long)
        (tmp_path / "m.tar").write_bytes(
            decompress_stream(io.BytesIO(packed(tmp_path / "m"))).read()
        )
        listing = subprocess.run(
            ["tar", "-tf", str(tmp_path / "m.tar")], capture_output=True, check=True, text=True
        )
        assert listing.stdout.splitlines() == [long, "link"]
        assert listing.stderr == ""

    def test_memory_does_not_grow_with_the_tree(self, tmp_path: Path) -> None:
        for name in ("a", "b"):
            (tmp_path / name).write_bytes(os.urandom(MIB) * 32)
        tracemalloc.start()
        try:
            stream = pack_tree(tmp_path).stream
            while stream.read(MIB):
                pass
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        assert peak < 10 * MIB


class TestListing:
    def test_tells_what_was_packed(self, tmp_path: Path) -> None:
        make_tree(tmp_path, "run*", "link -> a/b", "a/b")
        tree = pack_tree(tmp_path)
        tree.stream.read()

        def sha256(text: str) -> str:
            return hashlib.sha256(text.encode()).hexdigest()

        assert tree.listing == (
            Entry("a/b", EntryKind.FILE, executable=False, size=3, sha256=sha256("a/b")),
            Entry("link", EntryKind.LINK, False, 0, sha256("a/b"), target="a/b"),
            Entry("run", EntryKind.FILE, executable=True, size=4, sha256=sha256("run*")),
        )

    def test_is_not_known_before_the_end(self, tmp_path: Path) -> None:
        tree = pack_tree(make_tree(tmp_path, "a"))
        with pytest.raises(InfrastructureError, match="not read to its end"):
            _ = tree.listing

    def test_an_empty_tree_is_a_tree(self, tmp_path: Path) -> None:
        tree = pack_tree(tmp_path)
        assert members(tree.stream.read()) == []
        assert tree.listing == ()


class TestChanges:
    @pytest.fixture
    def tree(self, tmp_path: Path) -> Path:
        make_tree(tmp_path, "a")
        (tmp_path / "big").write_bytes(os.urandom(4 * MIB))
        return tmp_path

    @pytest.mark.parametrize(
        ("change", "how"),
        [
            (lambda big: big.unlink(), "it is gone"),
            (lambda big: (big.unlink(), os.mkfifo(big)), "it is no file any more"),
        ],
    )
    def test_before_a_file_is_opened(
        self, tree: Path, change: Callable[[Path], object], how: str
    ) -> None:
        packing = pack_tree(tree)
        change(tree / "big")
        with pytest.raises(InfrastructureError, match=how) as caught:
            packing.stream.read()
        assert "big" in caught.value.message

    @pytest.mark.parametrize(
        ("change", "how"),
        [
            (lambda big: os.truncate(big, 3 * MIB), "it lost"),
            (lambda big: big.open("ab").write(b"more"), "it grew"),
            (os.utime, "it was written to"),
        ],
    )
    @pytest.mark.filterwarnings("ignore:unclosed file:ResourceWarning")  # the lambda's own
    def test_while_a_file_is_read(
        self, tree: Path, change: Callable[[Path], object], how: str
    ) -> None:
        packing = pack_tree(tree)
        packing.stream.read(MIB)
        change(tree / "big")
        with pytest.raises(InfrastructureError, match=how):
            packing.stream.read()

    def test_a_link_in_a_files_place_is_not_followed(self, tree: Path) -> None:
        packing = pack_tree(tree)
        (tree / "big").unlink()
        (tree / "big").symlink_to("/etc/passwd")
        with pytest.raises(InfrastructureError, match="something else took its place"):
            packing.stream.read()

    def test_an_unreadable_file_is_named(self, tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        packing = pack_tree(tree)
        monkeypatch.setattr(os, "open", refuses)
        with pytest.raises(ArchiveError, match="a cannot be read: Permission denied"):
            packing.stream.read()

    def test_a_folder_that_cannot_be_read_is_named(
        self, tree: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(os, "scandir", refuses)
        with pytest.raises(ArchiveError, match="cannot be read") as caught:
            pack_tree(tree)
        assert "permission" in caught.value.hint
