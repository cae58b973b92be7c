"""What the runs of a batch have in common, looked up and made once."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

from oppflow.worker.children import Command, spawn
from oppflow.worker.fork_server import Start, starting
from oppflow.worker.jobs import SimulateJob
from oppflow.worker.memory import MemoryGuard
from oppflow.worker.places import Places
from oppflow.worker.program import command_line, image_path, library_path, model_binaries
from oppflow.worker.session import Session, inherited_lock

_MANY = 20
"""A larger batch is one of short runs. Their output is passed on once they took a second, so that a
log has the endings of others only; and what they have in common is done once."""


class Ground:
    """How a batch's runs are called and started, where they work, what limits them."""

    def __init__(self, job: SimulateJob, session: Session) -> None:
        """Look at the job's trees.

        Raises:
            InfrastructureError: what is to execute the model is not here.
        """
        self._job = job
        self._session = session
        simulation, trees = job.simulation, Path(job.trees)
        self.line = command_line(simulation, trees)
        self.memory = MemoryGuard()
        self.places = Places(simulation, trees, session.scratch)
        self.holds_back = len(job.runs) > _MANY
        paths = {
            "LD_LIBRARY_PATH": library_path(simulation, trees),
            "OMNETPP_IMAGE_PATH": image_path(simulation, trees),
        }
        self.environment = {name: path for name, path in paths.items() if path}

    def starting(self) -> AbstractContextManager[Start]:
        """How the runs are started: many of them from a program that is loaded once."""
        simulation, trees = self._job.simulation, Path(self._job.trees)
        if len(self._job.runs) <= _MANY or simulation.engine == "embedded":
            return nullcontext(spawn)
        temporary = self._session.scratch / "tmp"
        temporary.mkdir(exist_ok=True)
        command = Command(
            (self.line.program[0], "-v"),
            trees / simulation.model / simulation.ini_dir,
            {**self._session.environment(self._session.scratch, temporary), **self.environment},
            keep_open=inherited_lock(),
        )
        return starting(command, model_binaries(simulation, trees), self._session)
