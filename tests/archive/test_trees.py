"""Whatever a tree is like, it comes back as it was, or is refused for a reason."""

from __future__ import annotations

import io
import os
import tempfile
from contextlib import suppress
from pathlib import Path

from hypothesis import example, given, settings
from hypothesis import strategies as st

from oppflow.archive import EntryKind, compress_stream, decompress_stream, pack_tree, rules, unpack
from oppflow.errors import ArchiveError

# any name that a file can have and the rules do not know
letters = st.characters(codec="utf-8", exclude_characters="/\0.", exclude_categories=["Cc"])
names = st.text(letters, min_size=1, max_size=12).filter(
    lambda name: name not in rules.OUTPUTS | rules.CACHES
)
paths = st.lists(names, min_size=1, max_size=4).map("/".join)
contents = st.one_of(st.binary(max_size=300), st.integers(0, 3).map(lambda n: b"x" * n * 512))
targets = st.lists(st.one_of(names, st.sampled_from([".", ".."])), min_size=1, max_size=5)
trees = st.dictionaries(paths, st.tuples(contents, st.booleans()), max_size=8)
links = st.dictionaries(paths, targets.map("/".join), max_size=5)


def build(root: Path, files: dict[str, tuple[bytes, bool]], links: dict[str, str]) -> None:
    """Make what can be made of it: a name may be taken, as a file or as a folder."""
    root.mkdir()
    for path, (data, executable) in files.items():
        place = root / path
        with suppress(OSError):
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(data)
            place.chmod(0o755 if executable else 0o644)
    for path, target in links.items():
        with suppress(OSError):
            (root / path).symlink_to(target)


def described(root: Path) -> dict[str, object]:
    """All files and links below a folder."""
    found: dict[str, object] = {}
    for folder, folders, files in os.walk(root):
        for name in [*folders, *files]:
            path = Path(folder, name)
            if path.is_symlink():
                found[str(path.relative_to(root))] = str(path.readlink())
            elif path.is_file():
                found[str(path.relative_to(root))] = path.read_bytes(), os.access(path, os.X_OK)
    return found


@settings(max_examples=150, deadline=None, database=None)
@given(trees, links)
@example({"a": (b"x", True)}, {"l": "a", "m": "l/../../a"})
def test_a_tree_comes_back_as_it_was(
    files: dict[str, tuple[bytes, bool]], links: dict[str, str]
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        root, copy = Path(folder, "root"), Path(folder, "copy")
        build(root, files, links)
        try:
            tree = pack_tree(root)
        except ArchiveError:
            assert any(".." in target for target in links.values())
            return
        data = tree.stream.read()
        assert unpack(io.BytesIO(data), copy) == tree.listing
        assert described(copy) == described(root)
        assert pack_tree(copy).stream.read() == data
        for entry in tree.listing:
            if entry.kind is EntryKind.LINK:
                end = Path(os.path.realpath(copy / entry.path))
                assert end.is_relative_to(os.path.realpath(copy))


@settings(max_examples=50, deadline=None, database=None)
@given(st.binary(max_size=5000), st.integers(1, 4000))
def test_compressing_loses_nothing(data: bytes, step: int) -> None:
    packed = compress_stream(io.BytesIO(data)).read()
    stream = decompress_stream(io.BytesIO(packed))
    assert b"".join(iter(lambda: stream.read(step), b"")) == data


@settings(max_examples=100, deadline=None, database=None)
@given(st.binary(max_size=2000), st.booleans())
def test_noise_is_no_archive(data: bytes, compressed: bool) -> None:
    noise = io.BytesIO(data)
    with tempfile.TemporaryDirectory() as folder:
        try:
            unpack(compress_stream(noise) if compressed else noise, Path(folder, "tree"))
        except ArchiveError:
            assert list(Path(folder).iterdir()) == []
        else:
            assert not any(data[:512])  # the mark of the end
