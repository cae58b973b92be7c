"""What executes a model, told from built trees; and where the tools for it are found."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from oppflow.errors import InfrastructureError, ModelError
from oppflow.omnetpp.products import Products
from oppflow.worker.jobs import Simulation
from oppflow.worker.ned_check import check_ned_folders
from oppflow.worker.program import command_line, image_path, included_ini_files, library_path
from oppflow.worker.toolchain import build_environment, opp_run, search_path


@pytest.fixture
def omnetpp(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An OMNeT++ of which only the names are there."""
    for name in ("opp_run", "opp_run_release", "opp_run_dbg", "ccache", "g++"):
        program = tmp_path / "omnetpp" / "bin" / name
        program.parent.mkdir(parents=True, exist_ok=True)
        program.write_text("#!/bin/sh\n")
        program.chmod(0o755)
    monkeypatch.setenv("OMNETPP_ROOT", str(tmp_path / "omnetpp"))
    monkeypatch.setenv("PATH", str(tmp_path / "omnetpp" / "bin"))
    return tmp_path / "omnetpp"


@pytest.fixture
def trees(tmp_path: Path) -> Path:
    """A model in simulations, and a library beside it."""
    for name, text in {
        "libs/q/Queue.ned": "",
        "libs/q/libq.so": "",
        "own/.nedfolders": "src\nsimulations\n",
        "own/.nedexclusions": "old\n",
        "own/src/own": "calls nobody",
        "own/simulations/omnetpp.ini": "include ../src/more.ini\n",
        "own/src/more.ini": "[General]\n",
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    Products(libraries=("libq.so",)).write(tmp_path / "libs" / "q")
    return tmp_path


def simulation(**more: Any) -> Simulation:
    values = {"projects": ("libs/q",), "exclude_ned": ("old", "older"), **more}
    return Simulation("omnetpp", "own", "simulations", ("omnetpp.ini",), "General", **values)


def test_a_model_without_a_program(trees: Path, omnetpp: Path) -> None:
    """opp_run loads the libraries; NED folders and exclusions of all trees."""
    line = command_line(simulation(), trees)
    assert line.program == ("opp_run_release", "-l", "../../libs/q/q")
    assert line.ned_path == ("../src", ".", "../../libs/q")
    assert line.exclude_ned == ("old", "older")
    assert command_line(simulation(mode="debug"), trees).program[0] == "opp_run_dbg"


def test_a_model_with_a_program(trees: Path, omnetpp: Path) -> None:
    """Libraries that it is linked with are not loaded once more."""
    Products(programs=("src/own", "test/deep/down/own")).write(trees / "own")
    assert command_line(simulation(), trees).program == ("../src/own", "-l", "../../libs/q/q")
    (trees / "own" / "src" / "own").write_text("needs libq.so\0")
    assert command_line(simulation(), trees).program == ("../src/own",)
    Products(programs=("simulations/own",)).write(trees / "own")
    (trees / "own" / "simulations" / "own").write_text("libq.so\0")
    assert command_line(simulation(), trees).program == ("./own",)


def test_libraries_are_found_where_the_trees_are(trees: Path) -> None:
    """Programs know only where they were built."""
    assert library_path(simulation(), trees) == str(trees / "libs" / "q")
    assert library_path(simulation(projects=()), trees) == ""


def test_images_of_all_trees(trees: Path) -> None:
    """As the IDE passes them; nothing where there are none."""
    assert image_path(simulation(), trees) == ""
    for tree in ("libs/q", "own"):
        (trees / tree / "images").mkdir()
    assert image_path(simulation(), trees) == f"{trees}/own/images;{trees}/libs/q/images"


def test_an_ini_file_that_tells_the_ned_path(trees: Path, omnetpp: Path) -> None:
    """Then the model's folders are not guessed."""
    (trees / "own" / ".nedfolders").unlink()
    assert command_line(simulation(), trees).ned_path == ("..", "../../libs/q")
    (trees / "own" / "src" / "more.ini").write_text("[General]\nned-path = .;../src\n")
    assert command_line(simulation(), trees).ned_path == ("../../libs/q",)


def test_ini_files_that_are_read(trees: Path) -> None:
    """With those that others include; a missing one is OMNeT++'s to tell."""
    found = included_ini_files(simulation(), trees)
    assert sorted(found) == ["own/simulations/omnetpp.ini", "own/src/more.ini"]
    (trees / "own" / "src" / "more.ini").unlink()
    assert included_ini_files(simulation(), trees) == []


def test_ned_folders_are_checked(trees: Path) -> None:
    """Those of projects too."""
    (trees / "libs/q/sub").mkdir()
    (trees / "libs/q/sub/X.ned").write_text("package elsewhere;")
    with pytest.raises(ModelError, match=r"in libs/q/sub/X\.ned") as caught:
        check_ned_folders(simulation(), trees)
    assert "libs/q/.nedfolders" in caught.value.hint
    check_ned_folders(simulation(exclude_ned=("sub",)), trees)


def test_no_opp_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An image without OMNeT++, say."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("OMNETPP_ROOT", raising=False)
    with pytest.raises(InfrastructureError, match="there is no opp_run here"):
        opp_run("release")


def test_compilers_are_called_through_ccache(
    tmp_path: Path, omnetpp: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where there is one, and a folder that outlives the worker."""
    monkeypatch.delenv("CCACHE_DIR", raising=False)
    assert build_environment(tmp_path) == {"OMNETPP_ROOT": str(omnetpp)}
    monkeypatch.setenv("CCACHE_DIR", "/cache")
    for _ in range(2):
        environment = build_environment(tmp_path)
    assert environment["CCACHE_DIR"] == "/cache"
    assert environment["PATH"] == f"{tmp_path}/ccache:{search_path()}"
    links = {path.name: path.readlink() for path in (tmp_path / "ccache").iterdir()}
    assert links == {"g++": omnetpp / "bin" / "ccache"}
