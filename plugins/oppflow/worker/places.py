"""The places that the runs of a batch work in, one after the other."""

from __future__ import annotations

from pathlib import Path

from oppflow.worker.jobs import Simulation
from oppflow.worker.place import Place
from oppflow.worker.program import included_ini_files


class Places:
    """Gives each run a place as good as new: making one takes longer than a short run does."""

    def __init__(self, simulation: Simulation, trees: Path, scratch: Path) -> None:
        self._trees = trees
        self._scratch = scratch
        self._ini_files = simulation.ini_files
        self._ini_path = Path(simulation.model, simulation.ini_dir).as_posix()
        self._included = included_ini_files(simulation, trees)
        self._free: list[Place] = []
        self._made = 0

    def take(self) -> Place:
        """A place for one run."""
        if self._free:
            return self._free.pop()
        self._made += 1
        place = Place(self._scratch / f"place-{self._made}", self._ini_path)
        place.make(self._trees, self._ini_files, self._included)
        return place

    def give_back(self, place: Place) -> None:
        """The run has ended. Another may have its place, unless this one changed it."""
        if place.clear():
            self._free.append(place)
        else:
            place.remove()
