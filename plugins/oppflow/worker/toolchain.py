"""Where OMNeT++'s programs are for a worker: below ``OMNETPP_ROOT``, or on ``PATH``."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from oppflow.errors import InfrastructureError

_COMPILERS = ("gcc", "g++", "cc", "c++", "clang", "clang++")


def search_path() -> str:
    """``PATH`` for the worker's programs."""
    path = os.environ.get("PATH", os.defpath)
    root = os.environ.get("OMNETPP_ROOT")
    return f"{root}/bin{os.pathsep}{path}" if root else path


def opp_run(mode: str) -> str:
    """The name of the program that simulates models made as libraries, in a mode.

    Raises:
        InfrastructureError: OMNeT++ is not installed where the worker runs.
    """
    own = "opp_run_dbg" if mode == "debug" else "opp_run_release"
    for name in (own, "opp_run"):
        if shutil.which(name, path=search_path()):
            return name
    raise InfrastructureError(
        "This model needs OMNeT++, and there is no opp_run here.",
        hint="Install OMNeT++ and put its bin folder on PATH, or set OMNETPP_ROOT.",
    )


def build_environment(scratch: Path) -> dict[str, str]:
    """What a build's environment has beyond that of a simulation.

    With ``ccache`` on ``PATH``, and a ``CCACHE_DIR`` that outlives the worker, compilers are called
    through it by links of their names, as distributions set it up. Builds work in folders of their
    own, so paths are made relative for it.
    """
    environment = {}
    program = shutil.which("opp_run", path=search_path())
    if program:
        environment["OMNETPP_ROOT"] = str(Path(program).resolve().parents[1])
    ccache = shutil.which("ccache")
    cache = os.environ.get("CCACHE_DIR")
    if ccache and cache:
        environment |= {
            "PATH": f"{_masquerade(ccache, scratch / 'ccache')}{os.pathsep}{search_path()}",
            "CCACHE_DIR": cache,
            "CCACHE_BASEDIR": str(scratch),
            "CCACHE_NOHASHDIR": "1",
        }
    return environment


def _masquerade(ccache: str, folder: Path) -> Path:
    folder.mkdir(exist_ok=True)
    for name in _COMPILERS:
        if shutil.which(name) and not (folder / name).is_symlink():
            (folder / name).symlink_to(ccache)
    return folder
