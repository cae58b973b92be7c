"""The nouns of a campaign: runs, their outcomes, and what is remembered of them.

Standard library only: the worker imports this inside its container.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any


class Outcome(str, Enum):
    """How a run ended."""

    DONE = "done"
    REUSED = "reused"
    TIME_LIMITED = "time_limited"
    FAILED = "failed"
    OUT_OF_MEMORY = "out_of_memory"
    LOST = "lost"
    STOPPED = "stopped"

    @property
    def is_good(self) -> bool:
        """Whether the run's results may be used."""
        return self in (Outcome.DONE, Outcome.REUSED)

    @property
    def is_final(self) -> bool:
        """Whether a retry leaves the run alone: the same inputs would end the same way."""
        return self not in (Outcome.LOST, Outcome.STOPPED)


@dataclass(frozen=True)
class Run:
    """One simulation: a configuration with values for its iteration variables and a repetition.

    ``variables`` are the iteration variables in nesting order, values spelt as OMNeT++ prints them
    (strings keep their quotes). ``result_name`` is what OMNeT++ names its files, without suffix:
    ``${configname}-${iterationvarsf}#${repetition}``.
    """

    number: int
    variables: tuple[tuple[str, str], ...]
    repetition: int
    seed_set: str
    result_name: str

    @property
    def label(self) -> str:
        """How tasks, logs and errors name the run: ``#12 load=0.5 rep=1``."""
        values = "".join(f"{name}={value} " for name, value in self.variables)
        return f"#{self.number} {values}rep={self.repetition}"

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Run:
        """Inverse of `as_json`."""
        variables = tuple((str(name), str(value)) for name, value in data["variables"])
        return cls(**{**data, "variables": variables})

    def as_json(self) -> dict[str, Any]:
        """A JSON object with the fields' names."""
        return dict(vars(self))


@dataclass(frozen=True)
class ResultFile:
    """A file that a run left: its name in the campaign's folder, size in bytes, SHA-256."""

    name: str
    size: int
    sha256: str


@dataclass(frozen=True)
class RunRecord:
    """What is known of a run once it ended.

    ``started`` and ``ended`` are UTC, ISO 8601; ``wall_time`` and ``cpu_time`` are seconds of the
    last attempt; ``archive`` is the SHA-256 that names the results in the store, or None where
    nothing was left; ``files`` are the files in it. ``message`` says why the run is not good;
    ``host`` is the machine that its task was on.
    """

    number: int
    key: str
    outcome: Outcome
    attempts: int = 1
    archive: str | None = None
    archive_bytes: int = 0
    files: tuple[ResultFile, ...] = ()
    started: str = ""
    ended: str = ""
    wall_time: float = 0.0
    cpu_time: float = 0.0
    simulated_time: str = ""
    events: int = 0
    exit_status: int | None = None
    message: str = ""
    last_lines: tuple[str, ...] = ()
    command: str = ""
    host: str = ""

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> RunRecord:
        """Inverse of `as_json`; fields of a later version are ignored."""
        values = {name: value for name, value in data.items() if name in cls.__dataclass_fields__}
        values["outcome"] = Outcome(values["outcome"])
        values["files"] = tuple(ResultFile(**file) for file in values.get("files", ()))
        values["last_lines"] = tuple(values.get("last_lines", ()))
        return cls(**values)

    def as_json(self) -> dict[str, Any]:
        """A JSON object with the fields' names."""
        # By hand: asdict copies deeply, which takes most of a second for 10,000 runs.
        return {
            **vars(self),
            "outcome": self.outcome.value,
            "files": [dict(vars(file)) for file in self.files],
            "last_lines": list(self.last_lines),
        }
