"""The labels of a worker's container: whose it is, and what it does, for those who find it."""

from __future__ import annotations

import dataclasses
import hashlib
import itertools
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from airflow.sdk import get_current_context

from oppflow.runners.docker.package import worker_digest
from oppflow.runners.interface import Work
from oppflow.worker.jobs import SimulateJob, encode_job

_PREFIX = "oppflow."


@dataclass(frozen=True)
class TaskInstance:
    """One of Airflow's: all empty where Airflow has no part in it."""

    dag_id: str = ""
    run_id: str = ""
    task_id: str = ""
    map_index: str = ""
    attempt: str = ""

    @classmethod
    def current(cls) -> TaskInstance:
        """The one that this process executes."""
        try:
            context = get_current_context()
        except RuntimeError:
            return cls()
        instance = context["ti"]
        return cls(
            instance.dag_id,
            instance.run_id,
            instance.task_id,
            str(-1 if instance.map_index is None else instance.map_index),
            str(instance.try_number),
        )

    @classmethod
    def from_labels(cls, labels: Mapping[str, str]) -> TaskInstance:
        """The one that a container was started for."""
        fields = dataclasses.fields(cls)
        return cls(**{field.name: labels.get(_PREFIX + field.name, "") for field in fields})


def deployment_label(deployment: str) -> dict[str, str]:
    """What all containers and volumes of a deployment have in common."""
    return {_PREFIX + "deployment": deployment}


def work_labels(deployment: str, work: Work, task: TaskInstance) -> dict[str, str]:
    """The labels of the container that does the work.

    ``runs`` stand apart from the job: an attempt asks only for those that have no record yet, and
    a container that does more than that is what it wants.
    """
    job = work.job
    runs: Iterable[int] = ()
    if isinstance(job, SimulateJob):
        runs = [run.number for run in job.runs]
        job = dataclasses.replace(job, runs=())
    what = [encode_job(job), repr(sorted(map(repr, work.trees))), work.image, worker_digest()]
    return {
        **deployment_label(deployment),
        **{_PREFIX + name: value for name, value in dataclasses.asdict(task).items()},
        _PREFIX + "campaign": work.name.partition("-")[0],
        _PREFIX + "job": hashlib.sha256("\n".join(what).encode()).hexdigest(),
        _PREFIX + "runs": _as_ranges(runs),
    }


def does_the_work(found: Mapping[str, str], wanted: Mapping[str, str]) -> bool:
    """Whether a container does at least what is wanted, for whichever attempt it was started."""
    free = {_PREFIX + "attempt", _PREFIX + "runs"}
    same = all(found.get(name) == value for name, value in wanted.items() if name not in free)
    runs = _PREFIX + "runs"
    return same and _from_ranges(wanted[runs]) <= _from_ranges(found.get(runs, ""))


def _as_ranges(numbers: Iterable[int]) -> str:
    """``0-3,7``: labels travel with every listing of containers."""
    parts = []
    for _, group in itertools.groupby(enumerate(sorted(numbers)), lambda pair: pair[1] - pair[0]):
        members = [number for _, number in group]
        first, last = members[0], members[-1]
        parts.append(str(first) if first == last else f"{first}-{last}")
    return ",".join(parts)


def _from_ranges(text: str) -> set[int]:
    numbers: set[int] = set()
    for part in text.split(","):
        if match := re.fullmatch(r"(\d+)(?:-(\d+))?", part):
            numbers.update(range(int(match[1]), int(match[2] or match[1]) + 1))
    return numbers
