"""Telling, before any run starts, that OMNeT++ would refuse the model's NED files."""

from __future__ import annotations

from pathlib import Path

from oppflow.errors import ModelError
from oppflow.omnetpp.ned_packages import Misfit, misfits
from oppflow.worker.jobs import Simulation
from oppflow.worker.program import excluded_packages, ned_roots


def check_ned_folders(simulation: Simulation, trees: Path) -> None:
    """Check that all NED folders are there, and that they are the right ones.

    Raises:
        ModelError: names the first file whose package does not fit its place.
    """
    excluded = excluded_packages(simulation, trees)
    for tree, folder in ned_roots(simulation, trees):
        if not (trees / tree / folder).is_dir():
            raise ModelError(
                f"There is no folder {folder} in {tree}, where NED files should be.",
                hint=f"Mend {tree}/.nedfolders: it lists the folders of NED files, one a line.",
            )
        wrong = next(misfits(trees / tree, folder, excluded), None)
        if wrong is not None:
            raise _refusal(tree, wrong)


def _refusal(tree: str, wrong: Misfit) -> ModelError:
    root = tree if wrong.root == "." else f"{tree}/{wrong.root}"
    return ModelError(
        f"Declared package {wrong.declared!r} does not match expected package "
        f"{wrong.expected!r} in {tree}/{wrong.file}: OMNeT++ takes {root} for a root of NED files.",
        hint=f"Write the folders that are roots of NED packages into {tree}/.nedfolders, one a "
        "line, as the IDE does (src and simulations, for example); packages that shall not be "
        "loaded go into .nedexclusions or exclude_ned.",
    )
