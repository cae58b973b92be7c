"""What of a tree is packed."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from oppflow.archive import Limits, pack_tree
from oppflow.archive.selection import select
from oppflow.errors import ArchiveError, ParameterError
from tests.support.trees import git, make_tree


def selected(root: Path) -> list[str]:
    return [entry.path for entry in select(root, Limits())]


def commit(root: Path, *paths: str) -> None:
    git(root, "init", "-q")
    git(root, "add", "-f", *paths)
    git(root, "commit", "-q", "-m", "tree")


class TestWithoutGit:
    def test_takes_sources_and_whatever_it_does_not_know(self, tmp_path: Path) -> None:
        sources = ["Makefile", "a.cc", "data/x.csv", "lib/libfoo.so", "lib/x.a", "n.ned", "o.ini"]
        assert selected(make_tree(tmp_path, *sources)) == sources

    @pytest.mark.parametrize(
        "path",
        [
            *(".git/config", ".hg/x", ".svn/x", "sub/.git", "sub/.git/HEAD"),
            *("a.o", "sub/a.obj", "a.PYC", "x/__pycache__/a.py", ".ccache/x", "a.gch", ".qtenvrc"),
            *("r.sca", "sub/r.vec", "r.vci", "r.elog"),
            *("out/gcc/x", "results/x.txt", "frames/1.png"),
        ],
    )
    def test_leaves_behind_what_is_no_source(self, tmp_path: Path, path: str) -> None:
        assert selected(make_tree(tmp_path, "a.cc", path)) == ["a.cc"]

    def test_output_folders_count_beside_an_ini_file_alone(self, tmp_path: Path) -> None:
        make_tree(tmp_path, "s/my.ini", "s/results/x", "s/out/x", "t/results/x.cc", "t/out/x.cc")
        assert selected(tmp_path) == ["s/my.ini", "t/out/x.cc", "t/results/x.cc"]

    def test_generated_messages_stay_behind_beside_their_definition(self, tmp_path: Path) -> None:
        make_tree(tmp_path, "A.msg", "A_m.cc", "A_m.h", "B_m.cc", "C.sm", "C_sm.cc", "my_m.txt")
        assert selected(tmp_path) == ["A.msg", "B_m.cc", "C.sm", "my_m.txt"]

    def test_dependencies_stay_behind_beside_their_source(self, tmp_path: Path) -> None:
        make_tree(tmp_path, "a.cc", "a.d", "script.d")
        assert selected(tmp_path) == ["a.cc", "script.d"]

    def test_what_a_build_put_beside_its_sources_stays_behind(self, tmp_path: Path) -> None:
        make_tree(tmp_path, "out/gcc/src/libM.so", "out/gcc/aloha*", "out/gcc/Makefile")
        make_tree(tmp_path, "src/libM.so", "src/aloha*", "Makefile", "src/libOther.so", "run*")
        make_tree(tmp_path, "link -> out/gcc/aloha", "libM_dbg.so -> /elsewhere/x")
        make_tree(tmp_path, "out/gcc/libM_dbg.so")
        assert selected(tmp_path) == ["Makefile", "run", "src/libOther.so"]


class TestWithGit:
    def test_what_git_tracks_is_source_whatever_its_name(self, tmp_path: Path) -> None:
        tracked = ["a.o", "in.sca", "lib/libf.so", "out/seed.txt", "results/ref.vec", "x/r.elog"]
        commit(make_tree(tmp_path, *tracked), ".")
        make_tree(tmp_path, "b.o", "my.sca", "out/gcc/x.o", "results/my.vec", "results/new.txt")
        assert selected(tmp_path) == tracked

    def test_new_sources_are_taken_and_new_libraries_are_not(self, tmp_path: Path) -> None:
        commit(make_tree(tmp_path, "a.cc"), ".")
        make_tree(tmp_path, "new.cc", "libnew.so", "libnew.so.1.2", "new.a", "new.exe", "big.dat")
        assert selected(tmp_path) == ["a.cc", "big.dat", "new.cc"]

    def test_a_folder_of_a_work_tree_is_asked_for(self, tmp_path: Path) -> None:
        commit(make_tree(tmp_path, "m/ref.sca", "other/x"), ".")
        assert selected(tmp_path / "m") == ["ref.sca"]

    def test_repositories_inside_are_asked_too(self, tmp_path: Path) -> None:
        for name in ("one", "two"):
            make_tree(tmp_path / name, "ref.sca")
        commit(tmp_path / "one", ".")
        assert selected(tmp_path) == ["one/ref.sca"]

    def test_a_folder_that_git_ignores_is_like_one_without_git(self, tmp_path: Path) -> None:
        commit(make_tree(tmp_path, "a.cc"), ".")
        make_tree(tmp_path, "cache/model/libshipped.so", "cache/model/a.cc")
        assert selected(tmp_path / "cache/model") == ["a.cc", "libshipped.so"]

    def test_a_hook_of_another_repository_does_not_mislead(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        commit(make_tree(tmp_path / "m", "ref.sca"), ".")
        monkeypatch.setenv("GIT_DIR", str(tmp_path / "nowhere"))
        assert selected(tmp_path / "m") == ["ref.sca"]

    def test_a_missing_git_is_no_work_tree(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        commit(make_tree(tmp_path, "a.cc", "ref.sca"), ".")
        monkeypatch.setenv("PATH", str(tmp_path))
        assert selected(tmp_path) == ["a.cc"]

    @pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a tree away")
    def test_a_repository_of_somebody_else_is_asked(self, tmp_path: Path) -> None:
        commit(make_tree(tmp_path, "ref.sca"), ".")
        for path in [tmp_path, tmp_path / ".git"]:
            os.chown(path, 12345, 12345)
        assert selected(tmp_path) == ["ref.sca"]

    def test_a_repository_starts_no_programs(self, tmp_path: Path) -> None:
        commit(make_tree(tmp_path, "ref.sca"), ".")
        git(tmp_path, "config", "core.fsmonitor", f"touch {tmp_path / 'started'} #")
        assert selected(tmp_path) == ["ref.sca"]
        assert not (tmp_path / "started").exists()


class TestRefusal:
    @pytest.mark.parametrize(
        "target", ["/etc/passwd", "../x", "sub/../../x", "sub/up/../x", "deep/../../x"]
    )
    def test_a_link_that_leaves_the_tree_is_named(self, tmp_path: Path, target: str) -> None:
        root = make_tree(
            tmp_path / "m", "a.cc", "sub/up -> ..", "deep -> a/b/c", f"bad -> {target}"
        )
        with pytest.raises(ArchiveError, match="bad -> ") as caught:
            selected(root)
        assert "relative link" in caught.value.hint

    def test_links_that_stay_are_kept_dangling_or_not(self, tmp_path: Path) -> None:
        links = ["l1 -> sub/a", "l2 -> sub/../sub", "l3 -> nowhere", "l4 -> l4", "sub/l5 -> ../a"]
        make_tree(tmp_path, "sub/a", *links)
        assert [entry.target for entry in select(tmp_path, Limits())][:4] == [
            *("sub/a", "sub/../sub", "nowhere", "l4")
        ]

    def test_a_pipe_is_named(self, tmp_path: Path) -> None:
        os.mkfifo(tmp_path / "pipe")
        with pytest.raises(ArchiveError, match="pipe is a named pipe"):
            selected(tmp_path)

    def test_a_socket_is_named(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(tmp_path)  # a socket's path must be short
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind("s")
            with pytest.raises(ArchiveError, match="s is a socket"):
                selected(tmp_path)

    @pytest.mark.parametrize("limits", [Limits(max_files=2), Limits(max_bytes=5)])
    def test_too_much_is_refused(self, tmp_path: Path, limits: Limits) -> None:
        make_tree(tmp_path, "aa", "bb", "cc")
        with pytest.raises(ParameterError, match="3 files of 6 bytes"):
            pack_tree(tmp_path, limits=limits)

    def test_what_is_left_behind_does_not_count(self, tmp_path: Path) -> None:
        make_tree(tmp_path, "aa", "bb.o", "out/cc")
        assert len(select(tmp_path, Limits(max_files=1))) == 1

    def test_no_folder_is_said(self, tmp_path: Path) -> None:
        with pytest.raises(ParameterError, match="no folder"):
            pack_tree(tmp_path / "missing")
