"""Trees that workers share: unpacked once, read-only, kept while somebody uses them."""

from __future__ import annotations

import os
import stat
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from oppflow.archive import Limits, pack_tree
from oppflow.errors import ArchiveError
from oppflow.runners.interface import TreeParts
from oppflow.runners.trees import TreeCache, remove_tree
from tests.support.trees import make_tree

if TYPE_CHECKING:
    from tests.runners.conftest import Tasks

DAY = 24 * 3600


@pytest.fixture
def cache(tmp_path: Path) -> TreeCache:
    """A cache over the archives ``src`` and ``made``."""
    make_tree(tmp_path / "home", "model.py", "run.sh*", "sub/data.txt", "link -> sub")
    make_tree(tmp_path / "products", "sub/model.pyc", "model.py")
    (tmp_path / "products/model.py").write_text("made anew")
    for name, tree in (("src", "home"), ("made", "products")):
        packed = pack_tree(tmp_path / tree)
        (tmp_path / name).write_bytes(packed.stream.read())
    return TreeCache(tmp_path / "trees", lambda name: (tmp_path / name).open("rb"), Limits())


def test_a_tree_is_at_its_place_with_its_products(cache: TreeCache) -> None:
    """What the build made lies over the sources; execute bits and links are as at home."""
    with cache.provide([TreeParts("a/b", "src", "made"), TreeParts("a/c", "src")]) as folder:
        assert (folder / "a/b/model.py").read_text() == "made anew"
        assert (folder / "a/c/model.py").read_text() == "model.py"
        assert os.access(folder / "a/b/run.sh", os.X_OK)
        assert (folder / "a/b/link").readlink() == Path("sub")
        names = {path.relative_to(folder).as_posix() for path in folder.rglob("*")}
    assert not [name for name in names if "products" in name]


def test_a_shared_tree_is_read_only(cache: TreeCache) -> None:
    """Folders too, so that nothing can be put beside."""
    with cache.provide([TreeParts("a", "src")]) as folder:
        for path in [folder, *folder.rglob("*")]:
            if not path.is_symlink():
                assert not stat.S_IMODE(path.stat().st_mode) & 0o222, path


def test_trees_that_differ_have_folders_of_their_own(cache: TreeCache) -> None:
    """By content and place; what is equal is unpacked once."""
    with cache.provide([TreeParts("a", "src")]) as first:
        before = first.stat().st_ctime_ns, (first / "a").stat().st_ino
        with cache.provide([TreeParts("a", "src")]) as second:
            assert second == first
            assert (second / "a").stat().st_ino == before[1]
    with cache.provide([TreeParts("b", "src")]) as third:
        assert third != first
    with cache.provide([TreeParts("a", "src", "made")]) as fourth:
        assert fourth != first


def test_a_bad_archive_leaves_nothing_behind(cache: TreeCache, tmp_path: Path) -> None:
    """The next attempt starts from nothing, as after a kill."""
    (tmp_path / "src").write_bytes((tmp_path / "src").read_bytes()[:-9])
    with pytest.raises(ArchiveError), cache.provide([TreeParts("a", "src")]):
        pass
    assert list((tmp_path / "trees").iterdir()) == []


def test_two_tasks_at_once_share_one_tree(tasks: Tasks) -> None:
    """Whoever is faster; both simulate."""
    started = [tasks.start("own_words/OwnWords", name=f"work-{n}") for n in range(3)]
    assert [task.process.wait(60) for task in started] == [0, 0, 0]
    assert len(list((tasks.work_dir / "trees").iterdir())) == 1


def test_unused_trees_go_after_two_weeks(cache: TreeCache, tmp_path: Path) -> None:
    """Not one that a long campaign is at work in; what a killed task left goes after a day."""
    now, parts = time.time(), [TreeParts("used", "src")]
    with cache.provide([TreeParts("old", "src")]) as old, cache.provide(parts) as used:
        pass
    with cache.provide([TreeParts("new", "src")]) as new, cache.provide(parts):
        half, fresh = tmp_path / "trees" / ".half", tmp_path / "trees" / ".fresh"
        for folder, age in ((old, 15), (used, 15), (half, 2), (fresh, 0.5)):
            folder.mkdir(exist_ok=True)
            os.utime(folder, (now - age * DAY, now - age * DAY))
        cache.prune()
        left = set((tmp_path / "trees").iterdir())
    assert left == {used, new, fresh}


def test_removing_what_is_read_only_or_not_there(tmp_path: Path) -> None:
    """And what a link leads to stays."""
    make_tree(tmp_path, "outside/file", "tree/sub/file", "tree/link -> ../outside")
    for path in ("tree/sub/file", "tree/sub", "tree"):
        (tmp_path / path).chmod(0o500)
    remove_tree(tmp_path / "tree")
    remove_tree(tmp_path / "tree")
    assert not (tmp_path / "tree").exists()
    assert os.access(tmp_path / "outside/file", os.W_OK)
