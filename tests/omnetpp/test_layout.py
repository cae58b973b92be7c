"""What is read of the files of OMNeT++'s IDE in a source tree."""

from __future__ import annotations

from pathlib import Path

import pytest

from oppflow.omnetpp.layout import (
    BuildFolder,
    build_folders,
    declared_ned_folders,
    has_sources,
    has_target,
    makefile,
    ned_exclusions,
    project_names,
    referenced_projects,
)
from oppflow.omnetpp.ned_packages import misfits, ned_folders

PROJECT = """<?xml version="1.0" encoding="UTF-8"?>
<projectDescription>
	<name>q&amp;a</name>
	<projects>
		<project>queueinglib</project>
		<project> inet4.5 </project>
	</projects>
	<buildSpec><buildCommand><name>org.omnetpp.cdt.MakefileBuilder</name></buildCommand></buildSpec>
</projectDescription>
"""
SPEC = """<?xml version="1.0" encoding="UTF-8" standalone="no"?>
<buildspec version="4.0">
    <dir path="." type="custom"/>
    <dir makemake-options="--make-so -I&quot;a b&quot; --meta:use-exported-libs"
         path="src" type="makemake"/>
    <dir path="gone" type="makemake"/>
    <dir path="doc" type="none"/>
</buildspec>
"""


def write(tree: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        (tree / name).write_text(text)
    return tree


def test_a_tree_that_says_nothing(tmp_path: Path) -> None:
    """All defaults."""
    assert declared_ned_folders(tmp_path) == ()
    assert ned_exclusions(tmp_path) == ()
    assert referenced_projects(tmp_path) == ()
    assert build_folders(tmp_path) == ()
    assert project_names(tmp_path) == (tmp_path.name,)
    assert makefile(tmp_path) is None
    assert not has_sources(tmp_path)


def test_ned_folders_and_exclusions(tmp_path: Path) -> None:
    """A line each; OMNeT++ 4 had exclusions among the folders."""
    files = {".nedfolders": "src\n\n examples \n-old.one\n", ".nedexclusions": "a.b\n\nc\n"}
    write(tmp_path, files)
    assert declared_ned_folders(tmp_path) == ("src", "examples")
    assert ned_exclusions(tmp_path) == ("a.b", "c", "old.one")


def test_project_files(tmp_path: Path) -> None:
    """Its own name is the first one; the others are those of tools."""
    write(tmp_path, {".project": PROJECT})
    assert project_names(tmp_path) == ("q&a", tmp_path.name)
    assert referenced_projects(tmp_path) == ("queueinglib", "inet4.5")


def test_build_folders(tmp_path: Path) -> None:
    """Those that are built, and are there."""
    write(tmp_path, {".oppbuildspec": SPEC, "src/a.cc": "", "doc/b": ""})
    assert build_folders(tmp_path) == (
        BuildFolder(".", "custom", ()),
        BuildFolder("src", "makemake", ("--make-so", "-Ia b", "--meta:use-exported-libs")),
    )


def test_makefiles_and_targets(tmp_path: Path) -> None:
    """As make takes them; an assignment is no rule."""
    write(tmp_path, {"Makefile": "all: x\nclean :\n\trm x\nmakefiles := no\n"})
    found = makefile(tmp_path)
    assert found == tmp_path / "Makefile"
    assert has_target(found, "all")
    assert has_target(found, "clean")
    assert not has_target(found, "makefiles")
    write(tmp_path, {"GNUmakefile": ""})
    assert makefile(tmp_path) == tmp_path / "GNUmakefile"


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"A.ned": ""}, (".",)),
        ({"sub/A.ned": "package sub;"}, (".",)),
        ({"package.ned": "package x.y;", "sub/A.ned": "package x.y.sub;"}, (".",)),
        ({"src/A.ned": "", "simulations/B.ned": "// package no;\npackage\n", "doc/x": ""},
         ("simulations", "src")),
        ({"src/package.ned": "package p;", "src/q/A.ned": "package p.q;"}, ("src",)),
        ({"A.ned": "", "src/B.ned": ""}, (".",)),  # nothing fits: OMNeT++ will say so
        ({".nedfolders": "ned", "src/B.ned": ""}, ("ned",)),
        ({".hidden/A.ned": "package z;", "B.ned": ""}, (".",)),
    ],
)  # fmt: skip
def test_roots_of_packages(tmp_path: Path, files: dict[str, str], expected: tuple[str]) -> None:
    """What is declared, else the tree, else the folders below it."""
    assert ned_folders(write(tmp_path, files)) == expected


def test_misfits_are_told_with_what_was_expected(tmp_path: Path) -> None:
    """Unless their package is excluded, or one above it."""
    write(tmp_path, {"a/b/X.ned": "package b;", "a/Y.ned": "package a;"})
    (found,) = misfits(tmp_path, ".")
    assert (found.file, found.declared, found.expected) == ("a/b/X.ned", "b", "a.b")
    assert list(misfits(tmp_path, ".", ["a.b"])) == []
    assert list(misfits(tmp_path, ".", ["a"])) == []
