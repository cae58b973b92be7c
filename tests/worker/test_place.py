"""A run's own place: what it sees, what it may write, and what counts as its results."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from oppflow.worker.place import Place
from tests.support.trees import make_tree
from tests.support.workers import Bench, run_worker


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """A model with its ini file in sims, beside a project."""
    make_tree(
        tmp_path / "trees",
        "lib/lib.py", "lib/data/table.csv", "own/src/model.py", "own/sims/omnetpp.ini",
        "own/sims/maps/a.xml", "own/sims/link -> maps/a.xml", "own/sims/broken -> nothing",
        "own/src/up -> ../sims", "own/sims/lib -> ../../lib",
    )  # fmt: skip
    place = Place(tmp_path / "run", "own/sims")
    place.make(tmp_path / "trees", ("omnetpp.ini",))
    return place


def test_everything_is_where_it_is_at_home(place: Place) -> None:
    """Relative paths from the ini file's folder resolve, to siblings and to projects."""
    at = place.working_dir
    for path in ("omnetpp.ini", "maps/a.xml", "link", "../src/model.py", "../../lib/lib.py"):
        assert (at / path).is_file(), path
    assert (at / "lib/data/table.csv").read_text() == "lib/data/table.csv"
    assert (at / "link").readlink() == Path("maps/a.xml")
    assert (at / "broken").is_symlink()


def test_the_ini_file_is_the_runs_own(place: Place, tmp_path: Path) -> None:
    """Writing to it changes nothing for others."""
    (place.working_dir / "omnetpp.ini").write_text("changed")
    assert (tmp_path / "trees/own/sims/omnetpp.ini").read_text() == "own/sims/omnetpp.ini"


def test_folders_below_the_ini_file_are_the_runs_own(place: Place, tmp_path: Path) -> None:
    """What is made there stays there."""
    (place.working_dir / "maps" / "new.xml").write_text("new")
    (place.working_dir.parent / "other").mkdir()
    (place.working_dir.parent / "other" / "x.txt").write_text("new")
    assert not (tmp_path / "trees/own/sims/maps/new.xml").exists()
    assert not (tmp_path / "trees/own/other").exists()


def test_new_files_are_told_by_where_they_are(place: Place) -> None:
    """Links and empty folders are none; the campaign's ini files are told by their names."""
    (place.result_dir / "sub").mkdir()
    (place.result_dir / "sub" / "a.sca").write_text("")
    (place.working_dir / "maps" / "new.xml").write_text("")
    (place.working_dir.parent / "up.txt").write_text("")
    (place.working_dir / "more").symlink_to("maps")
    os.mkfifo(place.working_dir / "pipe")
    names = [name for name, _ in place.new_files()]
    assert names == ["sub/a.sca", "../../up.txt", "../omnetpp.ini", "../maps/new.xml"]


def test_a_place_goes_with_all_that_is_in_it(place: Place, tmp_path: Path) -> None:
    """And never what its links lead to."""
    place.remove()
    assert not place.root.exists()
    assert (tmp_path / "trees/lib/data/table.csv").is_file()


def test_a_place_that_was_not_changed_serves_another_run(place: Place) -> None:
    """Without anything of the run before."""
    for folder in (place.result_dir, place.home, place.temporary):
        (folder / "sub").mkdir()
        (folder / "sub" / "a.txt").write_text("")
        (folder / "b.sca").write_text("")
    assert place.clear()
    for folder in (place.result_dir, place.home, place.temporary):
        assert list(folder.iterdir()) == []
    assert list(place.new_files()) == []


@pytest.mark.parametrize(
    "change",
    [
        lambda at: (at / "new.txt").write_text("new"),
        lambda at: (at / "maps" / "a.xml").unlink(),
        lambda at: (at / "omnetpp.ini").write_text("[General]"),
        lambda at: (at / "omnetpp.ini").unlink(),
        lambda at: (at / "maps").rename(at / "other"),
        lambda at: (at.parent / "src").unlink(),
        lambda at: ((at / "link").unlink(), (at / "link").symlink_to("broken")),
    ],
)
def test_a_place_that_was_changed_does_not(place: Place, change: Callable[[Path], None]) -> None:
    """Whatever it was."""
    time.sleep(0.02)  # the clock of files is coarse
    change(place.working_dir)
    assert not place.clear()


def test_a_run_sees_an_environment_of_its_own(tmp_path: Path) -> None:
    """No stray NEDPATH or OMNETPP_* gets in; home and temporary files are in the run's place."""
    bench = Bench(tmp_path, "own_words")
    model = bench.root / "trees/own_words/model.py"
    told = (
        "    def initialize(self) -> None:\n        import os\n        print(sorted(os.environ))\n"
    )
    model.write_text(model.read_text().replace("    def initialize(self) -> None:\n", told))
    os.environ["OMNETPP_STRAY"] = "1"
    try:
        worker = run_worker(bench.simulate("OwnWords"))
    finally:
        del os.environ["OMNETPP_STRAY"]
    (line,) = [event["line"] for event in worker.named("output") if "PATH" in event["line"]]
    assert set(eval(line)) == {
        "HOME", "LANG", "LC_ALL", "OPPFLOW_PLACE", "PATH", "PYTHONDONTWRITEBYTECODE", "PYTHONPATH",
        "TMPDIR",
    }  # fmt: skip
