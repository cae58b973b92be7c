"""What every runner does: start a worker where the trees are, and pass on what it says."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import BinaryIO, Protocol

from oppflow.worker.events import Event
from oppflow.worker.jobs import Job

OpenArchive = Callable[[str], AbstractContextManager[BinaryIO]]
"""Opens an archive of the store by its digest."""

OpenOutput = Callable[[str], AbstractContextManager[BinaryIO]]
"""Opens a file that the worker made, by its path in the output folder; it is removed afterwards."""

OnEvent = Callable[[Event, OpenOutput], None]


@dataclass(frozen=True)
class TreeParts:
    """One tree to lay out: its place below the trees' folder, and the digests of its archives.

    ``products`` is what its build made, unpacked over the sources; None before the build.
    """

    place: str
    sources: str
    products: str | None = None


@dataclass(frozen=True)
class Work:
    """What a task wants done. ``name`` is the same for every attempt, and for nothing else.

    ``job`` has empty folders: where they are is the runner's business. ``image`` is the ID that
    `Runner.environment` told, where it told one.
    """

    name: str
    job: Job
    trees: tuple[TreeParts, ...]
    image: str = ""


class Runner(Protocol):
    """Starts workers. One at a time: a runner belongs to one attempt of one task."""

    def environment(self, engine: str, image: str = "") -> Mapping[str, str]:
        """What executes the model, for build keys: equal where results are equal.

        ``image`` is the worker image that the user chose; empty where it is left to the runner.

        Raises:
            ParameterError: this runner has no such engine, or no such image.
        """

    def run(self, work: Work, on_event: OnEvent) -> int:
        """Start a worker, hand it the work, pass on its events; its exit status.

        ``on_event`` may open what a ``finished`` or ``built`` event names, until it returns.
        No two workers with the same work's name are ever at it at once.

        Raises:
            InfrastructureError: the worker cannot be started, or died without a word.
        """

    def stop(self) -> None:
        """Ask the worker to end its simulations and report them; safe in a signal handler."""

    def drain(self) -> None:
        """Ask the worker to start no more runs."""
