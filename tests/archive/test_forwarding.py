"""Trees on their way into a container: checked as if they were unpacked here."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import pytest

from oppflow.archive import END_OF_TAR, ForwardedTree, Limits, pack_tree
from oppflow.errors import ArchiveError
from tests.support.trees import Tar, make_tree

SMALL = Limits(max_bytes=2**20, max_files=10)


def forwarded(*archives: bytes, limits: Limits = SMALL, check: bool = True) -> tarfile.TarFile:
    tree = ForwardedTree("trees/model", limits)
    data = b"".join(chunk for one in archives for chunk in tree.entries(io.BytesIO(one)))
    if check:
        tree.check()
    return tarfile.open(fileobj=io.BytesIO(data + END_OF_TAR))


def test_a_tree_arrives_with_its_folders_below_its_place(tmp_path: Path) -> None:
    """Readable by everybody, writable by root."""
    root = make_tree(tmp_path / "m", "omnetpp.ini", "src/run*", "link -> src/run")
    found = {one.name: one for one in forwarded(pack_tree(root).stream.read())}
    assert list(found) == ["trees/model", "trees/model/link", "trees/model/omnetpp.ini",
                           "trees/model/src", "trees/model/src/run"]  # fmt: skip
    assert {name.rpartition("/")[2]: oct(one.mode) for name, one in found.items()} == {
        "model": "0o755", "link": "0o777", "omnetpp.ini": "0o644", "src": "0o755", "run": "0o755",
    }  # fmt: skip
    assert {one.uid for one in found.values()} == {0}
    assert len({one.mtime for one in found.values()}) == 1


def test_what_comes_later_lies_over_what_came_before() -> None:
    """As products do over sources."""
    first = Tar().add("a", b"old").link("b", "a").packed()
    with forwarded(first, Tar().add("a", b"new").add("b", b"file").packed()) as tar:
        last = {one.name: one for one in tar}
        a, b = (tar.extractfile(last[f"trees/model/{name}"]) for name in "ab")
        assert a
        assert b
        assert (a.read(), b.read()) == (b"new", b"file")


@pytest.mark.parametrize(
    ("tar", "why"),
    [
        (Tar().add("/etc/passwd", b"x"), "not inside its tree"),
        (Tar().add("../x", b"x"), "not inside its tree"),
        (Tar().link("out", "/etc"), "leaves the tree"),
        (Tar().link("out", "../../x"), "leaves the tree"),
        (Tar().link("a", "b").add("a/x", b"x"), "below a link"),
        (Tar().add("device", kind=tarfile.CHRTYPE), "neither file, folder nor link"),
        (Tar().add("a", b"x").hard_link("b", "a"), "neither file, folder nor link"),
        (Tar().add("big", bytes(2**20 + 1)), "more than 1048576 bytes"),
    ],
)
def test_what_unpacking_would_refuse_is_refused(tar: Tar, why: str) -> None:
    """Who made it is not known: a build is a model's own program."""
    with pytest.raises(ArchiveError, match=why):
        forwarded(tar.packed())


def test_too_many_files_are_refused() -> None:
    """Each takes room on the engine's disk, however small it is."""
    tar = Tar()
    for number in range(11):
        tar.add(f"file{number}")
    with pytest.raises(ArchiveError, match="more than 10 files"):
        forwarded(tar.packed())


def test_a_cut_archive_is_refused() -> None:
    """Before anything can say that the volume is whole."""
    packed = Tar().add("a", b"x" * 5000).packed()
    with pytest.raises(ArchiveError, match=r"cut short|damaged"):
        forwarded(packed[:-20])
