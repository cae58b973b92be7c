"""The archives that people have become trees, or are refused."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import stat
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from oppflow.archive import EntryKind, Limits, unpack_file
from oppflow.errors import ArchiveError, ParameterError
from tests.support.trees import Tar

MIB = 2**20
UNIX = 3


class Zip:
    """A zip archive that is made entry by entry."""

    def __init__(self, method: int = zipfile.ZIP_DEFLATED) -> None:
        self._bytes = io.BytesIO()
        self._zip = zipfile.ZipFile(self._bytes, "w", method)

    def add(self, name: str, data: bytes = b"", mode: int = stat.S_IFREG | 0o644) -> Zip:
        """Add an entry with a Unix mode."""
        info = zipfile.ZipInfo(name)
        info.create_system, info.external_attr = UNIX, mode << 16
        info.compress_type = self._zip.compression
        self._zip.writestr(info, data)
        return self

    def link(self, name: str, target: str) -> Zip:
        """Add a symbolic link as Info-ZIP stores it."""
        return self.add(name, target.encode(), stat.S_IFLNK | 0o777)

    def content(self) -> bytes:
        """The archive's bytes."""
        self._zip.close()
        return self._bytes.getvalue()


@pytest.fixture
def upload(tmp_path: Path) -> Path:
    return tmp_path / "upload"


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "tree"


def refuse(upload: Path, why: str, limits: Limits | None = None) -> None:
    """Expect that the archive is refused and leaves nothing."""
    with pytest.raises(ArchiveError, match=why):
        unpack_file(upload, upload.parent / "tree", limits=limits or Limits())
    assert [path.name for path in upload.parent.iterdir()] == [upload.name]


TAR = Tar().add("m/run", b"#!", mode=0o755).link("m/link", "run")


@pytest.mark.parametrize(
    "data",
    [
        TAR.plain(),
        TAR.packed(),
        gzip.compress(TAR.plain()),
        gzip.compress(TAR.plain()[:700]) + gzip.compress(TAR.plain()[700:]),
        bz2.compress(TAR.plain()),
        lzma.compress(TAR.plain()),
        Zip().add("m/", mode=stat.S_IFDIR | 0o755)
        .add("m/run", b"#!", stat.S_IFREG | 0o755).link("m/link", "run").content(),
        Zip(zipfile.ZIP_STORED).add("m/run", b"#!", 0o755).link("m/link", "run").content(),
    ],
    ids=["tar", "zst", "gz", "two gz", "bz2", "xz", "zip", "stored zip"],
)  # fmt: skip
def test_every_format_keeps_execute_bits_and_links(upload: Path, target: Path, data: bytes) -> None:
    upload.write_bytes(data)
    link, run = unpack_file(upload, target)
    assert (link.path, link.kind, link.target) == ("m/link", EntryKind.LINK, "run")
    assert (run.path, run.executable, run.size) == ("m/run", True, 2)
    assert (target / "m/link").read_bytes() == b"#!"


@pytest.mark.parametrize(
    "compress",
    [bytes, gzip.compress, bz2.compress, lzma.compress, lambda _: TAR.packed(), lambda _: ZIP],
    ids=["tar", "gz", "bz2", "xz", "zst", "zip"],
)
class TestDamage:
    def test_a_cut_is_refused(self, upload: Path, compress: Callable[[bytes], bytes]) -> None:
        data = compress(TAR.plain().rstrip(b"\0"))
        for size in range(len(data) - 2, len(data) // 2, -31):
            upload.write_bytes(data[:size])
            refuse(upload, "damaged|cut short")

    def test_a_changed_byte_is_refused(
        self, upload: Path, compress: Callable[[bytes], bytes]
    ) -> None:
        data = bytearray(compress(TAR.plain()))
        data[45] ^= 0x55  # in the first header, or the first file's compressed content
        upload.write_bytes(data)
        refuse(upload, "damaged")


ZIP = Zip().add("run", bytes(range(256)) * 4).add("other", b"y").content()


class TestZip:
    @pytest.mark.parametrize("name", ["/etc/x", "../x", "a/../../x", "a/.."])
    def test_places_outside_are_refused(self, upload: Path, name: str) -> None:
        upload.write_bytes(Zip().add("fine").add(name).content())
        refuse(upload, "not inside its tree")

    def test_places_outside_as_windows_spells_them_are_refused(self, upload: Path) -> None:
        data = Zip().add("..\\..\\x").content()
        made_on = data.index(b"PK\x01\x02") + 5
        upload.write_bytes(data[:made_on] + b"\0" + data[made_on + 1 :])
        refuse(upload, "not inside its tree")

    @pytest.mark.parametrize("link", ["/etc", "../x", "d/../../x", ""])
    def test_links_that_leave_are_refused(self, upload: Path, link: str) -> None:
        upload.write_bytes(Zip().link("bad", link).content())
        refuse(upload, "leaves the tree|leads nowhere")

    def test_entries_below_a_link_are_refused(self, upload: Path) -> None:
        upload.write_bytes(Zip().add("d/x").link("link", "d").add("link/y").content())
        refuse(upload, "below 'link'")

    def test_devices_are_refused(self, upload: Path) -> None:
        upload.write_bytes(Zip().add("dev", mode=stat.S_IFCHR | 0o666).content())
        refuse(upload, "neither file")

    @pytest.mark.filterwarnings("ignore:Duplicate name")
    def test_duplicates_are_refused(self, upload: Path) -> None:
        upload.write_bytes(Zip().add("a", b"1").add("a", b"2").content())
        refuse(upload, "twice")

    def test_unusual_methods_are_refused(self, upload: Path) -> None:
        upload.write_bytes(Zip(zipfile.ZIP_BZIP2).add("a", bytes(1000)).content())
        refuse(upload, "unusual way")

    def test_a_password_is_refused(self, upload: Path) -> None:
        data = bytearray(Zip().add("a", b"1").content())
        data[data.index(b"PK\x01\x02") + 8] |= 1
        upload.write_bytes(data)
        refuse(upload, "encrypted")

    def test_sizes_in_headers_are_not_trusted(self, upload: Path) -> None:
        data = Zip().add("bomb", bytes(MIB)).content()
        upload.write_bytes(data.replace(MIB.to_bytes(4, "little"), (10).to_bytes(4, "little")))
        refuse(upload, "damaged|more than")

    def test_too_many_files_are_refused(self, upload: Path) -> None:
        upload.write_bytes(Zip().add("a").add("b").add("c").content())
        refuse(upload, "more than 2 files", Limits(max_files=2))


@pytest.mark.parametrize(
    "compress",
    [gzip.compress, bz2.compress, lzma.compress, lambda data: Zip().add("b", data).content()],
    ids=["gz", "bz2", "xz", "zip"],
)
def test_a_bomb_fills_neither_memory_nor_disk(
    upload: Path, compress: Callable[[bytes], bytes]
) -> None:
    upload.write_bytes(compress(Tar().add("bomb", bytes(64 * MIB)).plain()))
    assert upload.stat().st_size < MIB
    tracemalloc.start()
    try:
        refuse(upload, "more than", Limits(max_bytes=4 * MIB, max_files=10))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 32 * MIB  # xz keeps a dictionary of 8 MiB


@pytest.mark.parametrize("data", [b"", b"just text", b"x" * 1000])
def test_what_is_no_archive_is_told_what_works(upload: Path, target: Path, data: bytes) -> None:
    upload.write_bytes(data)
    with pytest.raises(ParameterError, match=r"\.tar\.zst"):
        unpack_file(upload, target)


def test_a_file_that_is_not_there_is_named(upload: Path, target: Path) -> None:
    with pytest.raises(ParameterError, match="upload"):
        unpack_file(upload, target)
