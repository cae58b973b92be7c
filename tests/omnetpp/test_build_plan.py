"""Which commands build a tree, and what is told when they fail."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from oppflow.omnetpp.build_errors import BuildOutput
from oppflow.omnetpp.build_plan import BuildPlan, Step, UsedTree, beside_sources, used_tree
from oppflow.omnetpp.products import Products

MAKE = Step(".", ("make", "MODE=release", "-j2", "-Otarget"))
CLEAN = Step(".", ("make", "MODE=release", "clean"))
LIBRARY = UsedTree("../lib", (".", "src"), Products(libraries=("src/liblib.so",)))


def steps(tree: Path, features: Sequence[str] = (), **more: Any) -> list[Step]:
    values = {"used": [], "as_library": False, "mode": "release", **more}
    plan = BuildPlan(tree, "my model", jobs=2, **values)
    return plan.steps(lambda _: features)


def write(tree: Path, *names: str, **texts: str) -> None:
    for name in names:
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        (tree / name).touch()
    for name, text in texts.items():
        (tree / name).write_text(text)


def makemake(options: str, folder: str = ".") -> Step:
    return Step(folder, ("opp_makemake", "-f", *options.split()))


def test_nothing_to_compile(tmp_path: Path) -> None:
    """A tree of NED files is built as it is."""
    write(tmp_path, "A.ned", "omnetpp.ini")
    assert steps(tmp_path) == []


def test_no_makefile(tmp_path: Path) -> None:
    """One is made, for all folders; its program has the tree's name."""
    write(tmp_path, "src/a.cc")
    assert steps(tmp_path) == [makemake("--deep -I. -Isrc -o my_model"), MAKE]
    write(tmp_path, "my_model/b.cc")
    assert "my_model-model" in steps(tmp_path)[0].arguments


def test_a_project_becomes_a_library(tmp_path: Path) -> None:
    """That is what others link with, and opp_run loads."""
    write(tmp_path, "a.cc")
    assert steps(tmp_path, as_library=True)[0] == makemake("--deep -I. --make-so -o my_model")


def test_projects_are_included_and_linked(tmp_path: Path) -> None:
    """By relative paths, as they lie at home."""
    write(tmp_path, "a.cc")
    made = steps(tmp_path, used=[LIBRARY], features=["-DWITH_X"])[0]
    wanted = "--deep -I. -o my_model -I../lib -I../lib/src -L../lib/src -llib -DWITH_X"
    assert made == makemake(wanted)


def test_a_makefile_is_used(tmp_path: Path) -> None:
    """Cleaned first where it can be, and made by itself where it has a target for that."""
    write(tmp_path, "a.cc", Makefile="all:\n")
    assert steps(tmp_path) == [MAKE]
    write(tmp_path, Makefile="all:\nclean:\n")
    assert steps(tmp_path) == [CLEAN, MAKE]
    write(tmp_path, Makefile="all:\nclean:\nmakefiles:\n")
    first = Step(".", ("make", "MODE=release", "makefiles"))
    assert steps(tmp_path) == [first, CLEAN, MAKE]


def test_a_makefile_in_src(tmp_path: Path) -> None:
    """The second most usual place."""
    write(tmp_path, "src/a.cc", "src/Makefile")
    assert steps(tmp_path, mode="debug") == [Step("src", ("make", "MODE=debug", "-j2", "-Otarget"))]


def test_a_buildspec(tmp_path: Path) -> None:
    """Its options without the IDE's own; what those mean is done for them."""
    write(tmp_path, "src/a.cc")
    spec = tmp_path / ".oppbuildspec"
    spec.write_text('<dir path="src" makemake-options="--make-so -o x --meta:export-library"/>')
    make = Step("src", MAKE.arguments)
    assert steps(tmp_path, used=[LIBRARY]) == [makemake("--make-so -o x", "src"), make]
    meta = "--meta:use-exported-libs --meta:use-exported-include-paths --meta:feature-cflags"
    spec.write_text(f'<dir path="src" type="makemake" makemake-options="{meta}"/>')
    wanted = "-o my_model -I../../lib -I../../lib/src -L../../lib/src -llib -DY"
    assert steps(tmp_path, used=[LIBRARY], features=["-DY"])[0] == makemake(wanted, "src")


def test_a_buildspec_of_nested_folders(tmp_path: Path) -> None:
    """The outer makefile recurses; make is called there."""
    write(tmp_path, "a.cc", "inner/b.cc")
    (tmp_path / ".oppbuildspec").write_text(
        '<dir path="." makemake-options="--deep --meta:recurse"/>'
        '<dir path="inner" makemake-options="--nolink"/>'
    )
    assert steps(tmp_path) == [
        makemake("--deep -o my_model -dinner"), makemake("--nolink -o my_model", "inner"), MAKE,
    ]  # fmt: skip


def test_a_makefile_without_those_it_needs(tmp_path: Path) -> None:
    """The top one is somebody's own; that of src comes from the buildspec."""
    write(tmp_path, "src/a.cc", Makefile="all:\n\tcd src && make\n")
    (tmp_path / ".oppbuildspec").write_text(
        '<dir path="." type="custom"/><dir path="src" makemake-options="--deep"/>'
    )
    assert steps(tmp_path) == [makemake("--deep -o my_model", "src"), MAKE]


def test_what_a_build_depends_on_beside_its_files(tmp_path: Path) -> None:
    """Nothing where a makefile says it all: a framework is one build for all its users."""
    write(tmp_path, "src/a.cc")
    assert beside_sources(tmp_path, "x", as_library=True) == "x as a library"
    assert beside_sources(tmp_path, "x", as_library=False) == "x as a program"
    (tmp_path / ".oppbuildspec").write_text('<dir path="src" makemake-options=""/>')
    assert beside_sources(tmp_path, "x", as_library=True) == "x"
    write(tmp_path, "Makefile")
    assert beside_sources(tmp_path, "x", as_library=True) == ""


def test_steps_as_one_types_them() -> None:
    """At the top of the tree."""
    assert Step(".", ("make", "a b")).in_shell == "make 'a b'"
    assert Step("src", ("tell",), "x/h.h").in_shell == "(cd src && tell > x/h.h)"


def test_what_a_built_tree_offers(tmp_path: Path) -> None:
    """Folders of headers that are there, and what its build noted."""
    write(tmp_path, "src/a.cc")
    Products(libraries=("src/libx.so",)).write(tmp_path)
    assert used_tree(tmp_path, "../x") == UsedTree(
        "../x", (".", "src"), Products(libraries=("src/libx.so",))
    )


def test_a_failed_build_tells_its_first_error_and_its_end() -> None:
    """However much lies between."""
    output = BuildOutput()
    output.hear("a.cc:1:2: error: 'x' was not declared")
    for number in range(100):
        output.hear(f"note {number}")
    lines = output.told().splitlines()
    assert lines[:2] == ["  a.cc:1:2: error: 'x' was not declared", "  ..."]
    assert lines[-1] == "  note 99"
    assert len(lines) == 27
    assert output.hint() == ""


def test_hints() -> None:
    """For what a user can do something about."""
    cases = {
        "/usr/bin/ld: cannot find -lINET: No such file or directory": "library INET is not",
        "/usr/bin/ld: cannot find -loppmain_dbg: No such file": "choose the mode release",
        "/usr/bin/ld: cannot find -loppsimd: No such file": "choose the mode release",
        "a.cc:3:10: fatal error: inet/X.h: No such file or directory": "inet/X.h is not there",
    }
    for line, hint in cases.items():
        output = BuildOutput()
        output.hear(line)
        assert hint in output.hint()
