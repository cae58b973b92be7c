"""What executes a campaign's simulations, told from the built trees."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

from oppflow.errors import ParameterError
from oppflow.omnetpp.commands import CommandLine
from oppflow.omnetpp.inifile import read_with_includes
from oppflow.omnetpp.layout import declared_ned_folders, ned_exclusions
from oppflow.omnetpp.ned_packages import ned_folders
from oppflow.omnetpp.products import Products, library_argument, mentions
from oppflow.worker.jobs import Simulation
from oppflow.worker.toolchain import opp_run

_NED_PATH = re.compile(r"^\s*ned-path\s*=", re.MULTILINE)


def command_line(simulation: Simulation, trees: Path) -> CommandLine:
    """How the simulation's engine is called in the ini files' folder; its paths are relative.

    Raises:
        InfrastructureError: there is no such engine here.
    """
    calls = _Calls(simulation, trees)
    embedded = simulation.engine == "embedded"
    return CommandLine(
        program=(sys.executable, "-m", "oppflow.engine") if embedded else calls.program(),
        ini_files=simulation.ini_files,
        config=simulation.config,
        options=simulation.options,
        ned_path=calls.tops() if embedded else calls.ned_path(),
        exclude_ned=calls.exclusions(),
    )


def library_path(simulation: Simulation, trees: Path) -> str:
    """``LD_LIBRARY_PATH``: trees are built elsewhere, so programs do not know where they run."""
    folders = [
        (trees / tree / library).parent
        for tree in (*simulation.projects, simulation.model)
        for library in Products.read(trees / tree).libraries
    ]
    return os.pathsep.join(dict.fromkeys(map(str, folders)))


def model_binaries(simulation: Simulation, trees: Path) -> list[Path]:
    """The programs and libraries that the builds of all trees made."""
    return [
        trees / tree / name
        for tree in (*simulation.projects, simulation.model)
        for products in [Products.read(trees / tree)]
        for name in (*products.programs, *products.libraries)
    ]


def image_path(simulation: Simulation, trees: Path) -> str:
    """``OMNETPP_IMAGE_PATH``: the ``images`` folders of all trees, as the IDE passes them.

    By the environment, since ``-i`` is new in OMNeT++ 6 and an option would be in the results.
    """
    folders = [trees / tree / "images" for tree in (simulation.model, *simulation.projects)]
    return ";".join(str(folder) for folder in folders if folder.is_dir())


def included_ini_files(simulation: Simulation, trees: Path) -> list[str]:
    """The ini files that are read, by their paths below the trees' folder."""
    return [f"{simulation.model}/{name}" for name in _ini_texts(simulation, trees)]


def _ini_texts(simulation: Simulation, trees: Path) -> dict[str, str]:
    tree = trees / simulation.model
    try:
        return read_with_includes(tree, simulation.ini_dir, simulation.ini_files)
    except ParameterError:
        return {}  # OMNeT++ will say what is wrong with them


def ned_roots(simulation: Simulation, trees: Path) -> list[tuple[str, str]]:
    """Every tree with each of its NED folders; not those that the ini files tell themselves."""
    return _Calls(simulation, trees).ned_roots()


def excluded_packages(simulation: Simulation, trees: Path) -> tuple[str, ...]:
    """The NED packages that are not loaded: those of the trees, and those of the campaign."""
    return _Calls(simulation, trees).exclusions()


class _Calls:
    def __init__(self, simulation: Simulation, trees: Path) -> None:
        self._simulation = simulation
        self._trees = trees
        self._start = Path(simulation.model, simulation.ini_dir)
        self._all = (simulation.model, *simulation.projects)

    def tops(self) -> tuple[str, ...]:
        return tuple(self._from_here(top) for top in self._all)

    def program(self) -> tuple[str, ...]:
        """The model's own program, else ``opp_run``; with the libraries that are not linked."""
        model = self._simulation.model
        libraries = [
            f"{tree}/{library}"
            for tree in (*self._simulation.projects, model)
            for library in Products.read(self._trees / tree).libraries
        ]
        own = [f"{model}/{name}" for name in Products.read(self._trees / model).programs]
        if own:
            chosen = min(own, key=self._distance)
            libraries = [one for one in libraries if not mentions(self._trees / chosen, one)]
            words = [self._from_here(chosen)]
            if "/" not in words[0]:
                words = [f"./{words[0]}"]
        else:
            words = [opp_run(self._simulation.mode)]
        for library in libraries:
            words += ["-l", library_argument(self._from_here(library), self._simulation.mode)]
        return tuple(words)

    def _distance(self, program: str) -> tuple[int, str]:
        """A program beside the ini file is likelier meant than one in a far corner of the tree."""
        return len(Path(self._from_here(program)).parts), program

    def ned_path(self) -> tuple[str, ...]:
        folders = [f"{tree}/{folder}" for tree, folder in self.ned_roots()]
        return tuple(dict.fromkeys(map(self._from_here, folders)))

    def ned_roots(self) -> list[tuple[str, str]]:
        return [
            (tree, folder)
            for tree in self._all
            if not (tree == self._simulation.model and self._ini_says_ned_path())
            for folder in ned_folders(self._trees / tree)
        ]

    def _ini_says_ned_path(self) -> bool:
        """Whether the ini files tell the model's NED folders, and ``.nedfolders`` does not."""
        if declared_ned_folders(self._trees / self._simulation.model):
            return False
        texts = _ini_texts(self._simulation, self._trees)
        return any(_NED_PATH.search(text) for text in texts.values())

    def exclusions(self) -> tuple[str, ...]:
        listed = [name for tree in self._all for name in ned_exclusions(self._trees / tree)]
        return tuple(dict.fromkeys([*listed, *self._simulation.exclude_ned]))

    def _from_here(self, path: str) -> str:
        return os.path.relpath(path, self._start)
