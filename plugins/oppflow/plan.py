"""What a campaign is going to do: its trees, its runs with the reason for each, its batches."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from oppflow.campaign import Run
from oppflow.errors import ParameterError
from oppflow.reproduction import reproduction
from oppflow.request import CampaignRequest

Pair = tuple[str, str]


@dataclass(frozen=True)
class Tree:
    """A packed source tree.

    ``place`` is its path below the trees' folder; ``archive`` names it in the store; the digests
    and the build key are those of `oppflow.keys`. ``origin`` is what the user named, ``home`` the
    folder it is in for good; where there is none, ``fetch`` is the shell command that makes it.
    ``build`` are the shell commands that built it, known once it was built.
    """

    place: str
    archive: str
    content_digest: str
    build_key: str
    origin: str = ""
    home: str = ""
    commit: str = ""
    fetch: str = ""
    build: tuple[str, ...] = ()
    size: int = 0
    files: int = 0


@dataclass(frozen=True)
class PackedCampaign:
    """What `pack_model` hands to every later task: references, never archive bytes.

    ``campaign`` identifies it in the store, ``owner`` is whose the results folder is. ``trees`` are
    in build order, the model last. ``unsteady`` are the ini entries that forbid reuse.
    """

    campaign: str
    owner: str
    dag_id: str
    run_id: str
    results: str
    started: str
    request: CampaignRequest
    engine: str
    ini_dir: str
    trees: tuple[Tree, ...]
    environment: dict[str, str]
    unsteady: tuple[str, ...] = ()

    @property
    def model(self) -> Tree:
        """The tree that holds the ini file."""
        return self.trees[-1]

    @property
    def image_id(self) -> str:
        """The worker image's ID, where the runner takes one."""
        return self.environment.get("id", "")

    def as_json(self) -> dict[str, Any]:
        """A JSON object, a few kB."""
        return dataclasses.asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> PackedCampaign:
        """Inverse of `as_json`."""
        request = {k: _tuples(v) for k, v in data["request"].items()}
        return cls(
            **{
                **data,
                "request": CampaignRequest(**request),
                "trees": tuple(
                    Tree(**{**tree, "build": tuple(tree["build"])}) for tree in data["trees"]
                ),
                "unsteady": tuple(data["unsteady"]),
            }
        )

    def reproduce(self, number: int, command: str = "") -> str:
        """The shell command that executes one run on its own, to be pasted as it stands.

        ``command`` is that of the run's record.
        """
        return reproduction(self, number, command)


def _tuples(value: Any) -> Any:
    return tuple(_tuples(item) for item in value) if isinstance(value, (list, tuple)) else value


@dataclass(frozen=True)
class PlannedRun:
    """A run, its key, whether a stored result is reused, and why or why not.

    ``fingerprint`` is that of its inputs; ``expected`` how long it will take in seconds, None where
    nothing is known of its like.
    """

    run: Run
    key: str
    fingerprint: str
    reuse: bool
    reason: str
    expected: float | None = None


@dataclass(frozen=True)
class Plan:
    """Every run of a campaign, the warnings about them, and which are executed together.

    ``batches`` are the numbers of the runs that each mapped task executes, by map index.
    """

    runs: tuple[PlannedRun, ...]
    warnings: tuple[str, ...] = ()
    scalars_expected: bool = True
    batches: tuple[tuple[int, ...], ...] = ()

    def as_json(self) -> dict[str, Any]:
        """A JSON object, some 300 bytes a run: lists, for there may be tens of thousands."""
        return {
            "runs": [[*_values(one.run), *_values(one)[1:]] for one in self.runs],
            "warnings": list(self.warnings),
            "scalars_expected": self.scalars_expected,
            "batches": [list(batch) for batch in self.batches],
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Plan:
        """Inverse of `as_json`."""
        return cls(
            tuple(map(_planned_run, data["runs"])),
            tuple(data["warnings"]),
            data["scalars_expected"],
            tuple(map(tuple, data["batches"])),
        )

    @property
    def to_execute(self) -> tuple[PlannedRun, ...]:
        """The runs for which there is no stored result."""
        return tuple(planned for planned in self.runs if not planned.reuse)

    def summary(self) -> str:
        """How many runs, executed and reused, in how many tasks, for how long."""
        left = self.to_execute
        text = (
            f"{_count(len(self.runs), 'run')}: {len(left)} to execute in "
            f"{_count(len(self.batches), 'task')}, {len(self.runs) - len(left)} reused."
        )
        known = [planned.expected for planned in left if planned.expected is not None]
        if not left or not known:
            return text + (" How long they take is not known yet." if left else "")
        seconds = sum(known) / len(known) * len(left)
        return f"{text} Some {_duration(seconds)} of CPU time, going by earlier runs."


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _duration(seconds: float) -> str:
    """With the unit that a person would choose."""
    for size, unit in ((3600, "hours"), (60, "minutes")):
        if seconds >= size:
            return f"{seconds / size:.1f} {unit}"
    return f"{seconds:.1f} seconds"


_RUN_FIELDS = len(dataclasses.fields(Run))


def _values(instance: Run | PlannedRun) -> list[Any]:
    return list(vars(instance).values())


def _planned_run(row: Sequence[Any]) -> PlannedRun:
    number, variables, *rest = row
    run = Run(number, tuple((name, value) for name, value in variables), *rest[: _RUN_FIELDS - 2])
    return PlannedRun(run, *rest[_RUN_FIELDS - 2 :])


def batch_label(batch: Sequence[PlannedRun]) -> str:
    """How a mapped task is named: by its run, or by its first run and how many there are."""
    first = batch[0].run.label
    return first if len(batch) == 1 else f"{first} and {len(batch) - 1} more"


def once_each(runs: Sequence[tuple[Run, Any]]) -> list[tuple[Run, Any]]:
    """The runs in the filter's order, those that it names twice only once."""
    return list({run.number: (run, rest) for run, rest in runs}.values())


def check_names(names: Sequence[tuple[Run, str]]) -> None:
    """Refuse runs that would overwrite each other's results; a name is a result file's, no suffix.

    Raises:
        ParameterError: names two such runs.
    """
    repeated = [name for name, count in Counter(name for _, name in names).items() if count > 1]
    if not repeated:
        return
    rivals = [run.label for run, name in names if name == repeated[0]]
    raise ParameterError(
        f"{len(rivals)} runs would write the same result files {repeated[0]!r}: "
        f"{', '.join(rivals[:4])}{' ...' if len(rivals) > 4 else ''}.",
        hint="An iteration variable has a value twice, or the ini file sets an output file name "
        "without ${iterationvarsf} or ${repetition}.",
    )


def expects_scalars(pairs: Sequence[Pair]) -> bool:
    """Whether OMNeT++ will write a ``.sca``: not if the ini file records none, or elsewhere."""
    if effective(pairs, "outputscalarmanager-class") is not None:
        return False
    return effective(pairs, "**.scalar-recording") != "false"


def effective(pairs: Sequence[Pair], key: str) -> str | None:
    """The value that OMNeT++ takes for a key: the first one wins."""
    return next((value for name, value in pairs if name == key), None)


def refuse_unsuitable(pairs: Sequence[Pair]) -> None:
    """Refuse configurations that cannot be runs of a campaign.

    Raises:
        ParameterError: says which entry and why.
    """
    unsuitable = {
        "parallel-simulation": ("true", "a run of a campaign is one process on one machine"),
        "output-scalar-file-append": ("true", "each run writes result files of its own"),
        "user-interface": ("qtenv", "it wants Qtenv, and a campaign runs under Cmdenv"),
    }
    if (libraries := effective(pairs, "load-libs")) is not None:
        raise ParameterError(
            f"The configuration says load-libs = {libraries}, which a campaign cannot follow: "
            "the library is part of no source tree.",
            hint="Remove load-libs: the libraries that the model and its projects make are loaded "
            "all the same. Name the source tree that makes this one in projects.",
        )
    for key, (value, why) in unsuitable.items():
        if (effective(pairs, key) or "").strip('"').lower() == value:
            raise ParameterError(
                f"The configuration says {key} = {value}, which a campaign cannot do: {why}.",
                hint=f"Remove {key} from the ini file, or choose another configuration.",
            )


def warnings_about(
    runs: Sequence[Run], pairs: Sequence[Pair], *, abstract: bool, wall_time_limit: float
) -> list[str]:
    """What a user would want to know before a campaign spends hours."""
    found = []
    if abstract:
        found.append("This configuration is abstract: OMNeT++ runs it all the same.")
    limits = ("sim-time-limit", "cpu-time-limit", "real-time-limit")
    if not wall_time_limit and not any(effective(pairs, key) for key in limits):
        found.append(
            "Nothing limits these runs: if the model does not end by itself, they never do. "
            "Set sim-time-limit in the ini file, or wall_time_limit."
        )
    if len(runs) > 1 and all(run.seed_set == str(run.number) for run in runs):
        found.append(
            "Seeds follow run numbers: adding a value to an iteration variable gives other seeds "
            "to the runs behind it, which are then executed again. seed-set = ${repetition} in "
            "the ini file keeps them."
        )
    return found
