"""What all jobs of a worker share: its voice, its supervisor, and how it calls programs."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import oppflow
from oppflow.errors import InfrastructureError
from oppflow.worker.children import Child, Command, Ending
from oppflow.worker.events import EventWriter
from oppflow.worker.strays import PLACE_VARIABLE
from oppflow.worker.supervisor import Supervisor
from oppflow.worker.toolchain import search_path

LOCK_VARIABLE = "OPPFLOW_LOCK"
"""Names a descriptor that every simulation inherits: while one lives, its lock is held."""

_PACKAGE_ROOT = str(Path(oppflow.__file__).resolve().parents[1])


@dataclass(frozen=True)
class Session:
    """One job's means: where to speak, what runs children, where it may write."""

    emit: EventWriter
    supervisor: Supervisor
    scratch: Path

    def environment(self, home: Path, temporary: Path) -> dict[str, str]:
        """The whole environment of a program: built, so that nothing of the host's leaks in."""
        return {
            "PATH": search_path(),
            "HOME": str(home),
            "TMPDIR": str(temporary),
            "LANG": "C.UTF-8",
            "LC_ALL": "C.UTF-8",
            # An image may have SimPy in a folder of its own, and say so to the worker alone.
            "PYTHONPATH": os.environ.get("PYTHONPATH") or _PACKAGE_ROOT,
            "PYTHONDONTWRITEBYTECODE": "1",
            PLACE_VARIABLE: str(home),
        }

    def execute(
        self,
        arguments: tuple[str, ...],
        folder: Path,
        *,
        on_line: Callable[[str], None],
        error_file: Path | None = None,
        more: Mapping[str, str] | None = None,
    ) -> Ending:
        """Run one program to its end, in the job's scratch environment and ``more``.

        Raises:
            InfrastructureError: the program cannot be executed.
            Stopped, Abandoned: see `Supervisor.run_one`.
        """
        temporary = self.scratch / "tmp"
        temporary.mkdir(exist_ok=True)
        command = Command(
            arguments,
            folder,
            {**self.environment(self.scratch, temporary), **(more or {})},
            keep_open=inherited_lock(),
            error_file=error_file,
        )
        try:
            return self.supervisor.run_one(lambda: Child(command, on_line=on_line))
        except OSError as error:
            raise InfrastructureError(f"Cannot execute {arguments[0]}: {error}.") from error


def inherited_lock() -> tuple[int, ...]:
    """The lock's descriptor, where the runner handed one over."""
    text = os.environ.get(LOCK_VARIABLE, "")
    return (int(text),) if text.isdecimal() else ()
