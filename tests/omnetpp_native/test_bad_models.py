"""Models that cannot be built or run: one clear error, before any run starts."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from oppflow.deployment import Deployment
from oppflow.errors import ModelError, OppflowError, ParameterError
from tests.support.campaigns import pack, run_campaign
from tests.support.omnetpp import find_omnetpp

Copy = Callable[..., Path]
MODEL = "src_and_simulations#simulations"


def failure(deployment: Deployment, stage: str, **parameters: object) -> OppflowError:
    """The error of the stage that must fail; nothing was simulated, and trying again is no use."""
    finished = run_campaign(deployment, config="General", **parameters)
    assert not finished.green
    error = finished.errors[stage]
    assert not error.transient
    assert not any(name.startswith("simulate") for name in finished.errors)
    return error


def test_a_compile_error_shows_the_compilers_words(
    deployment: Deployment, copy_model: Copy
) -> None:
    """And where it is, without the build's own folders."""
    source = copy_model("src_and_simulations") / "src" / "Ping.cc"
    source.write_text(source.read_text().replace("delete message;", "delete massage;"))
    error = failure(deployment, "build_model", model=MODEL)
    assert isinstance(error, ModelError)
    assert "src/Ping.cc:17:20: error: " in error.message
    assert "massage" in error.message
    assert "/scratch/" not in error.message
    assert "make MODE=release" in error.hint


def test_a_library_that_is_not_there(deployment: Deployment, copy_model: Copy) -> None:
    """The linker's words name it; the hint says where it could come from."""
    tree = copy_model("src_and_simulations")
    (tree / "makefrag").write_text("LIBS += -lnowhere\n")
    error = failure(deployment, "build_model", model=MODEL)
    assert "cannot find -lnowhere" in error.message
    assert "The library nowhere is not there" in error.hint
    assert "projects" in error.hint


def test_a_header_of_another_tree(deployment: Deployment, copy_model: Copy) -> None:
    """The likeliest reason is a project that nobody named."""
    tree = copy_model("netlib_user")
    (tree / ".project").unlink()
    error = failure(deployment, "build_model", model="netlib_user")
    assert "netlib/Counter.h is not there" in error.hint
    assert "name that in projects" in error.hint


def test_a_project_that_is_missing(deployment: Deployment, copy_model: Copy) -> None:
    """The model's .project names it."""
    copy_model("netlib_user")
    with pytest.raises(ParameterError, match="netlib_user needs the project netlib") as caught:
        pack(deployment, model="netlib_user")
    assert "projects" in caught.value.hint


def test_the_wrong_ned_root(deployment: Deployment, copy_model: Copy) -> None:
    """In OMNeT++'s words, before anything is simulated."""
    tree = copy_model("src_and_simulations")
    (tree / ".nedfolders").write_text(".\n")
    error = failure(deployment, "resolve_runs", model=MODEL)
    assert "Declared package '' does not match expected package" in error.message
    assert ".nedfolders" in error.hint
    (tree / ".nedfolders").write_text("src\nnothere\n")
    error = failure(deployment, "resolve_runs", model=MODEL)
    assert "There is no folder nothere in src_and_simulations" in error.message


@pytest.mark.parametrize("library", ["../src/mine", "{root}/lib/oppcommon"])
def test_load_libs_is_refused(deployment: Deployment, copy_model: Copy, library: str) -> None:
    """Whether it can be loaded here or not: it would not be part of any key."""
    ini = copy_model("src_and_simulations") / "simulations" / "omnetpp.ini"
    path = library.format(root=find_omnetpp())
    ini.write_text(ini.read_text().replace("[General]", f"[General]\nload-libs = {path}"))
    error = failure(deployment, "resolve_runs", model=MODEL)
    assert isinstance(error, ParameterError)
    assert "load-libs" in error.message
    assert "Remove load-libs" in error.hint


def test_debug_mode_without_debug_libraries(deployment: Deployment, copy_model: Copy) -> None:
    """Said as what it is, not as a missing library of the model."""
    root = find_omnetpp()
    assert root is not None
    if any((root / "lib").glob("liboppsimd.*")):
        pytest.skip("this OMNeT++ has its debug libraries")
    copy_model("src_and_simulations")
    error = failure(deployment, "build_model", model=MODEL, mode="debug")
    assert "choose the mode release" in error.hint


def test_ned_types_that_are_not_there(deployment: Deployment, copy_model: Copy) -> None:
    """OMNeT++'s error is the run's."""
    ini = copy_model("src_and_simulations") / "simulations" / "omnetpp.ini"
    ini.write_text(ini.read_text().replace("network = Game", "network = Nothere"))
    finished = run_campaign(deployment, model=MODEL, config="General")
    assert finished.outcomes == {"failed": 1}
    assert "Nothere" in finished.run(0)["message"]
