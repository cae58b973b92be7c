"""What a worker is asked to do: one job, read as JSON from standard input.

The three kinds share the place of their inputs. Directories are absolute, as the worker sees them;
everything below ``trees`` is read-only for it.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, TypeVar

from oppflow.campaign import Run

_Request = TypeVar("_Request", bound="_JsonRequest")


class WrongJobError(ValueError):
    """The worker was given something that is not a job."""


class _JsonRequest:
    """A frozen dataclass that travels as a flat JSON object; lists come back as tuples."""

    @classmethod
    def from_json(cls: type[_Request], data: Mapping[str, Any]) -> _Request:
        def plain(value: Any) -> Any:
            return tuple(plain(item) for item in value) if isinstance(value, list) else value

        return cls(**{name: plain(value) for name, value in data.items()})


@dataclass(frozen=True)
class Simulation(_JsonRequest):
    """What is common to all runs of a campaign: how a simulation is called.

    ``model`` and ``projects`` are folders below the trees' folder; ``ini_dir`` is the folder of the
    ini files within the model (``""`` for its top), ``ini_files`` their names. ``options`` are
    (key, value) pairs that override the ini. ``engine`` is ``omnetpp`` or ``embedded``.
    """

    engine: str
    model: str
    ini_dir: str
    ini_files: tuple[str, ...]
    config: str
    projects: tuple[str, ...] = ()
    options: tuple[tuple[str, str], ...] = ()
    exclude_ned: tuple[str, ...] = ()
    mode: str = "release"


@dataclass(frozen=True)
class ResolveJob:
    """Ask OMNeT++ which runs there are. ``run_filter`` is as for ``opp_run -r``, may be empty."""

    kind: ClassVar[str] = "resolve"
    simulation: Simulation
    run_filter: str
    trees: str
    scratch: str


@dataclass(frozen=True)
class BuildJob:
    """Build the trees in the order given; what each makes goes to ``output``, one tar a tree.

    ``all_trees`` are all that there are, each behind those that it may use, the model last;
    empty means the same ones.
    """

    kind: ClassVar[str] = "build"
    engine: str
    tree_names: tuple[str, ...]
    mode: str
    trees: str
    scratch: str
    output: str
    all_trees: tuple[str, ...] = ()


@dataclass(frozen=True)
class SimulateJob:
    """Execute runs. Times are seconds, ``memory`` is bytes for each run (0: no limit).

    ``slots`` simulations run at once. With ``keep_going`` false, the first run that is not good
    ends those that have not started as ``stopped``. ``keep`` are the result file kinds to pack;
    ``scalars_expected`` says that a run without a ``.sca`` is not whole.
    """

    kind: ClassVar[str] = "simulate"
    simulation: Simulation
    runs: tuple[Run, ...]
    trees: str
    scratch: str
    output: str
    slots: int = 1
    memory: int = 0
    wall_time_limit: float = 0.0
    keep_going: bool = True
    keep: tuple[str, ...] = ("sca", "vec", "elog")
    scalars_expected: bool = True


Job = ResolveJob | BuildJob | SimulateJob
_KINDS: dict[str, Any] = {job.kind: job for job in (ResolveJob, BuildJob, SimulateJob)}


def encode_job(job: Job) -> str:
    """The job as one line of JSON, without a line end."""
    return json.dumps({"kind": job.kind, **dataclasses.asdict(job)})


def decode_job(line: str) -> Job:
    """Inverse of `encode_job`.

    Raises:
        WrongJobError: the line is not JSON, of no known kind, or lacks or adds a field.
    """
    try:
        data = dict(json.loads(line))
        job_type = _KINDS[data.pop("kind")]
        if "simulation" in data:
            data["simulation"] = Simulation.from_json(data["simulation"])
        if "runs" in data:
            data["runs"] = tuple(Run.from_json(run) for run in data["runs"])
        plain = {k: tuple(v) if isinstance(v, list) else v for k, v in data.items()}
        job: Job = job_type(**plain)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise WrongJobError(f"not a job: {error}") from error
    return job
