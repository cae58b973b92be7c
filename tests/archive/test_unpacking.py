"""How an archive becomes a tree, or is refused."""

from __future__ import annotations

import io
import os
import tarfile
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest

from oppflow.archive import Limits, compress_stream, pack_tree, unpack, unpack_tar
from oppflow.archive.entries import DEFAULT_LIMITS
from oppflow.archive.streams import as_stream
from oppflow.errors import ArchiveError, InfrastructureError, ParameterError
from tests.support.trees import Tar, make_tree

MIB = 2**20


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "below" / "tree"


def names(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


def nothing_is_left(target: Path) -> bool:
    return not target.parent.exists() or names(target.parent) == []


def refuse(tar: Tar, target: Path, why: str, limits: Limits = DEFAULT_LIMITS) -> None:
    """Expect that the archive is refused and leaves nothing."""
    with pytest.raises(ArchiveError, match=why):
        unpack(io.BytesIO(tar.packed()), target, limits=limits)
    assert nothing_is_left(target)


class TestUnpacking:
    def test_gives_what_was_packed(self, tmp_path: Path, target: Path) -> None:
        make_tree(tmp_path / "m", "a/b.cc", "run*", "link -> a/b.cc", "ü\udc80")
        tree = pack_tree(tmp_path / "m")
        assert unpack(tree.stream, target) == tree.listing
        assert (target / "a/b.cc").read_text() == "a/b.cc"
        assert (target / "link").readlink() == Path("a/b.cc")
        assert os.access(target / "run", os.X_OK)
        assert names(target.parent) == ["tree"]

    def test_all_files_get_one_time(self, target: Path) -> None:
        unpack(io.BytesIO(Tar().add("a", mtime=5).add("b", mtime=9).packed()), target)
        times = {(target / name).stat().st_mtime_ns for name in ("a", "b")}
        assert len(times) == 1
        assert times.pop() > 10**18

    def test_modes_are_those_of_plain_files(self, target: Path) -> None:
        tar = Tar().add("suid", mode=0o6755).add("secret", mode=0o000).add("d/open", mode=0o777)
        unpack(io.BytesIO(tar.packed()), target)
        umask = os.umask(0)
        os.umask(umask)
        modes = [(target / name).stat().st_mode & 0o7777 for name in ("suid", "secret", "d/open")]
        assert modes == [mode & ~umask for mode in (0o755, 0o644, 0o755)]

    def test_hard_links_are_files(self, target: Path) -> None:
        tar = Tar().add("d/a", b"content").hard_link("b", "d/a")
        listing = unpack(io.BytesIO(tar.packed()), target)
        assert (target / "b").read_bytes() == b"content"
        assert len({entry.sha256 for entry in listing}) == 1

    @pytest.mark.parametrize("tar_format", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT])
    def test_reads_all_formats(self, target: Path, tar_format: int) -> None:
        name = f"{'d' * 90}/{'n' * 90}"
        tar = Tar(tar_format).add("./", kind=tarfile.DIRTYPE).add("./" + name, b"x")
        tar.add("empty/", kind=tarfile.DIRTYPE).add("empty", kind=tarfile.DIRTYPE)
        assert [entry.path for entry in unpack(io.BytesIO(tar.packed()), target)] == [name]
        assert (target / "empty").is_dir()

    def test_links_may_lead_anywhere_inside(self, target: Path) -> None:
        tar = (
            Tar().link("a", "later/x").add("later/x", b"x").link("later/up", "../a").link("s", "s")
        )
        unpack(io.BytesIO(tar.packed()), target)
        assert (target / "later/up").read_bytes() == b"x"

    def test_a_plain_tar_is_unpacked_alike(self, target: Path) -> None:
        unpack_tar(io.BytesIO(Tar().add("a", b"x").plain()), target)
        assert (target / "a").read_bytes() == b"x"


class TestRefusal:
    @pytest.mark.parametrize("name", ["/etc/x", "../x", "a/../../x", "a/..", "..", "/", "a/../b"])
    def test_places_outside(self, target: Path, name: str) -> None:
        refuse(Tar().add("fine", b"x").add(name, b"x"), target, "not inside its tree|twice")

    @pytest.mark.parametrize("link", ["/etc", "..", "../..", "d/../..", "./../x", "d/e/../../../x"])
    def test_links_that_leave(self, target: Path, link: str) -> None:
        refuse(Tar().add("fine", b"x").link("bad", link), target, "leaves the tree")

    def test_links_that_leave_together(self, target: Path) -> None:
        tar = Tar().link("d/escape", "later/../../..").link("d/later", "deep").link("x", "d/later")
        refuse(tar.add("d/deep/f", b""), target, "leaves the tree")

    def test_a_link_whose_way_another_changes_later(self, target: Path) -> None:
        refuse(
            Tar().link("bad", "a/b/c/../../../..").link("a/b", "..").add("c/x"),
            target,
            "leaves the tree",
        )

    @pytest.mark.parametrize("link", ["fine", "/tmp", "."])
    def test_entries_below_a_link(self, target: Path, link: str) -> None:
        tar = Tar().add("fine/x", b"x").link("link", link).add("link/y", b"evil")
        refuse(tar, target, "below 'link'")

    def test_a_folder_in_a_links_place(self, target: Path) -> None:
        tar = Tar().link("link", "fine").add("link", kind=tarfile.DIRTYPE)
        refuse(tar, target, "below 'link'")

    @pytest.mark.parametrize("existing", ["/etc/passwd", "../x", "later", "link", "d"])
    def test_hard_links_to_anything_but_earlier_files(self, target: Path, existing: str) -> None:
        tar = Tar().link("link", "f").add("d/f", b"x").hard_link("bad", existing)
        refuse(tar.add("later", b"x"), target, "hard link|not inside")

    @pytest.mark.parametrize(
        "kind", [tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE, b"Z", tarfile.GNUTYPE_SPARSE]
    )
    def test_what_is_no_file(self, target: Path, kind: bytes) -> None:
        refuse(Tar(tarfile.GNU_FORMAT).add("bad", kind=kind), target, "neither|holes")

    @pytest.mark.parametrize("second", ["a", "./a", "d//../a", "d/b/", "d"])
    def test_the_same_thing_twice(self, target: Path, second: str) -> None:
        tar = Tar().add("a", b"1").add("d/b", b"2").add(second, b"3")
        refuse(tar, target, "twice|not inside")

    def test_a_name_that_is_too_long(self, target: Path) -> None:
        refuse(Tar().add("n" * 300, b"x"), target, "cannot be a file's name")

    def test_a_target_that_is_there(self, tmp_path: Path) -> None:
        make_tree(tmp_path, "mine")
        with pytest.raises(ParameterError, match="there already"):
            unpack(io.BytesIO(Tar().packed()), tmp_path)
        assert names(tmp_path) == ["mine"]

    def test_a_target_that_appears_meanwhile(self, target: Path) -> None:
        def chunks() -> Iterator[bytes]:
            make_tree(target, "theirs")
            yield Tar().add("a").packed()

        with pytest.raises(ParameterError, match="meanwhile"):
            unpack(as_stream(chunks()), target)
        assert names(target.parent) == ["tree"]
        assert names(target) == ["theirs"]


class TestLimits:
    def test_too_many_bytes(self, target: Path) -> None:
        tar = Tar().add("a", bytes(600)).add("b", bytes(600))
        refuse(tar, target, "more than 1000 bytes", Limits(max_bytes=1000))

    def test_as_many_as_allowed(self, target: Path) -> None:
        tar = Tar().add("a", bytes(600)).add("d/b", bytes(600))
        unpack(io.BytesIO(tar.packed()), target, limits=Limits(max_bytes=1200, max_files=3))
        assert len(list(target.iterdir())) == 2

    @pytest.mark.parametrize("name", ["{}", "d/e/f/{}", "d{}/"])
    def test_too_many_files_or_folders(self, target: Path, name: str) -> None:
        tar = Tar()
        for number in range(12):
            kind = tarfile.DIRTYPE if name.endswith("/") else tarfile.REGTYPE
            tar.add(name.format(number), kind=kind)
        refuse(tar, target, "more than 10 files", Limits(max_files=10))

    def test_a_bomb_neither_fills_memory_nor_disk(self, target: Path) -> None:
        size = 2**40
        header = tarfile.TarInfo("bomb")
        header.size = size
        start = header.tobuf(tarfile.GNU_FORMAT)
        bomb = compress_stream(as_stream([start, *[bytes(MIB)] * 512]))
        tracemalloc.start()
        try:
            with pytest.raises(ArchiveError, match="more than"):
                unpack(bomb, target, limits=Limits(max_bytes=20 * MIB))
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        assert nothing_is_left(target)
        assert peak < 16 * MIB

    def test_a_huge_header_is_refused_before_it_is_read(self, target: Path) -> None:
        header = tarfile.TarInfo("x")
        header.type, header.size = tarfile.XHDTYPE, 2**30
        start = header.tobuf(tarfile.GNU_FORMAT)
        stream = compress_stream(as_stream([start, *[b"x" * MIB] * 16]))
        with pytest.raises(ArchiveError, match="header of 1073741824 bytes"):
            unpack(stream, target)

    def test_what_follows_the_end_counts(self, target: Path) -> None:
        stream = compress_stream(as_stream([Tar().plain(), *[bytes(MIB)] * 64]))
        with pytest.raises(ArchiveError, match="far more"):
            unpack(stream, target, limits=Limits(max_bytes=MIB, max_files=1))
        assert nothing_is_left(target)


class TestDamage:
    packed = Tar().add("a", os.urandom(3000)).link("l", "a").add("b", b"y" * 700).packed()

    def test_every_cut_is_refused(self, tmp_path: Path) -> None:
        for size in range(len(self.packed)):
            with pytest.raises(ArchiveError):
                unpack(io.BytesIO(self.packed[:size]), tmp_path / "t")
        assert names(tmp_path) == []

    def test_every_changed_byte_is_refused(self, tmp_path: Path) -> None:
        for at in range(0, len(self.packed), 7):
            data = bytearray(self.packed)
            data[at] ^= 0x55
            with pytest.raises(ArchiveError):
                unpack(io.BytesIO(data), tmp_path / "t")
        assert names(tmp_path) == []

    def test_every_cut_of_a_plain_tar_is_refused(self, tmp_path: Path) -> None:
        plain = Tar().add("a", b"x" * 700).add("b", b"y").plain()
        end = 512 + 1024 + 512 + 512
        for size in range(0, end, 64):
            with pytest.raises(ArchiveError):
                unpack_tar(io.BytesIO(plain[:size]), tmp_path / "t")
        assert names(tmp_path) == []

    @pytest.mark.parametrize("at", [0, 512 + 1024])
    def test_a_damaged_header_is_not_the_end(self, target: Path, at: int) -> None:
        plain = bytearray(Tar().add("a", b"x" * 700).add("b", b"y").plain())
        plain[at + 5] ^= 1
        with pytest.raises(ArchiveError, match="damaged"):
            unpack_tar(io.BytesIO(plain), target)

    def test_something_after_the_archive_is_refused(self, target: Path) -> None:
        with pytest.raises(ArchiveError, match="damaged"):
            unpack(io.BytesIO(self.packed + b"and more"), target)

    def test_what_the_source_finds_at_its_end_prevents_the_tree(self, target: Path) -> None:
        def chunks() -> Iterator[bytes]:
            yield self.packed
            raise ArchiveError("the digest is wrong")

        with pytest.raises(ArchiveError, match="digest is wrong"):
            unpack(as_stream(chunks()), target)
        assert nothing_is_left(target)


class TestDisk:
    def test_a_full_disk_is_named(self, target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        def full(*_: object, **__: object) -> None:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(os, "utime", full)
        with pytest.raises(InfrastructureError, match="Make room"):
            unpack(io.BytesIO(Tar().add("a").packed()), target)
        assert nothing_is_left(target)

    def test_a_parent_that_is_no_folder_is_named(self, tmp_path: Path) -> None:
        make_tree(tmp_path, "file")
        with pytest.raises(InfrastructureError, match="cannot be written"):
            unpack(io.BytesIO(Tar().packed()), tmp_path / "file" / "tree")
