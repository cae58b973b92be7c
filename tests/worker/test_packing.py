"""What a run leaves behind, and under which names."""

from __future__ import annotations

import hashlib
import os
import tarfile
from pathlib import Path

import pytest

from oppflow.worker.packing import pack, result_entries, safe_name
from tests.support.trees import make_tree
from tests.support.workers import Bench, run_worker


def named(*paths: str, keep: tuple[str, ...] = ("sca", "vec", "elog")) -> list[str]:
    """The names of a run's files in the campaign's folder."""
    files = [(path, Path("/made") / str(index)) for index, path in enumerate(paths)]
    return [name for name, _ in result_entries(files, "Run-x=1-#0", keep, Path("/none"))]


def test_result_files_keep_their_names() -> None:
    """In the result folder, and where an ini file sends them itself."""
    assert named("a.sca", "sub/b.vec", "../results/c.sca") == ["a.sca", "c.sca", "sub/b.vec"]


def test_other_files_go_to_a_folder_of_the_run() -> None:
    """Wherever they were written: their names may be the same in every run."""
    assert named("stats.csv", "../extra.txt", "../../up/x.dat", "../results/y.txt") == [
        "runs/Run-x=1-#0/extra.txt",
        "runs/Run-x=1-#0/results/y.txt",
        "runs/Run-x=1-#0/stats.csv",
        "runs/Run-x=1-#0/up/x.dat",
    ]


def test_files_of_one_name_are_all_kept() -> None:
    """One in the result folder, one beside the ini file, a result file twice."""
    assert named("x.txt", "../x.txt", "a.sca", "../results/a.sca") == [
        "a.sca",
        "runs/Run-x=1-#0/2-x.txt",
        "runs/Run-x=1-#0/results/a.sca",
        "runs/Run-x=1-#0/x.txt",
    ]


@pytest.mark.parametrize(
    ("keep", "left"),
    [
        (("sca",), ["a.sca"]),
        (("vec",), ["a.vci", "a.vec"]),
        (("elog",), ["a.elog"]),
        ((), []),
    ],
)
def test_kinds_that_are_not_wanted_stay_behind(keep: tuple[str, ...], left: list[str]) -> None:
    """A vector file's index goes with it."""
    assert named("a.elog", "a.sca", "a.vci", "a.vec", keep=keep) == sorted(left)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("General-x=1-#0", "General-x=1-#0"),
        ("a/b", "a_b"),
        ("../x", "_.._x"),
        ("..", "_.."),
        ("", "_"),
        ("a\nb\\c\0", "a_b_c_"),
        ("{{ x }} 'q'", "{{ x }} 'q'"),
    ],
)
def test_a_runs_name_is_one_files_name(text: str, name: str) -> None:
    """Never another folder's."""
    assert safe_name(text) == name


def test_a_pack_tells_what_is_in_it(tmp_path: Path) -> None:
    """Digests of the tar and of every file; times and execute bits stay, owners do not."""
    make_tree(tmp_path, "a.vec", "run.sh*")
    os.utime(tmp_path / "a.vec", (1_700_000_000, 1_700_000_000))
    entries = [("b.vec", tmp_path / "a.vec"), ("r/run.sh", tmp_path / "run.sh")]
    packed = pack(entries, tmp_path / "x.tar", tmp_path)
    data = (tmp_path / "x.tar").read_bytes()
    assert (packed.size, packed.sha256) == (len(data), hashlib.sha256(data).hexdigest())
    assert packed.files[0].sha256 == hashlib.sha256(b"a.vec").hexdigest()
    with tarfile.open(tmp_path / "x.tar") as tar:
        first, second = tar.getmembers()
    assert (first.name, first.mtime, first.mode, first.uid) == ("b.vec", 1_700_000_000, 0o644, 0)
    assert (second.mode, second.uname) == (0o755, "")


def test_the_same_files_give_the_same_bytes(tmp_path: Path) -> None:
    """So that storing them again changes nothing."""
    make_tree(tmp_path, "a", "b")
    entries = [("a", tmp_path / "a"), ("b", tmp_path / "b")]
    first = pack(entries, tmp_path / "1.tar", tmp_path)
    assert pack(entries, tmp_path / "2.tar", tmp_path) == first
    assert not list(tmp_path.glob("*.part"))


def test_a_memory_limit_is_each_runs_own(tmp_path: Path) -> None:
    """Two at once, each with room for itself."""
    job = Bench(tmp_path, "hungry").simulate(
        "Modest", 2, slots=2, memory=200 * 2**20, options={"repeat": "2", "*.megabytes": "100"}
    )
    assert run_worker(job).outcomes == ["done", "done"]


def test_more_memory_than_allowed(tmp_path: Path) -> None:
    """The outcome names the limit, not only a Python error."""
    job = Bench(tmp_path, "hungry").simulate("Hungry", memory=200 * 2**20)
    worker = run_worker(job)
    (finished,) = worker.named("finished")
    assert worker.process.returncode == 1
    assert finished["record"]["outcome"] == "out_of_memory"
    assert "200 MiB" in finished["record"]["message"]
