"""What a worker's container may do and use: as little as it needs."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from docker.types import LogConfig, Mount, Ulimit

from oppflow.runners.docker import bootstrap, paths
from oppflow.runners.docker.engine import Engine, Json
from oppflow.runners.docker.package import worker_digest
from oppflow.worker.jobs import BuildJob, Job, SimulateJob

_WORKERS_OWN = 128 * 1024**2  # bytes: what the worker takes beside the simulations
_COMPILER = 2 * 1024**3  # bytes: a C++ compiler at its hungriest
_PROCESSES = 1024
STOP_SECONDS = 4
"""Airflow kills a task 5 s after it asked it to stop."""


@dataclass(frozen=True)
class Resources:
    """What a container may use: processors, bytes of memory."""

    cores: int
    memory: int

    @classmethod
    def of(cls, job: Job, engine: Engine) -> Resources:
        """For the runs that a job executes at once; for a build, all processors there are."""
        if isinstance(job, SimulateJob):
            return cls(job.slots, job.slots * job.memory + _WORKERS_OWN)
        cores = engine.cores() if isinstance(job, BuildJob) else 1
        return cls(cores, cores * _COMPILER)


def model_engine(job: Job) -> str:
    """What the job's model is for: ``embedded`` or ``omnetpp``."""
    return job.engine if isinstance(job, BuildJob) else job.simulation.engine


def compiles(job: Job) -> bool:
    """Whether the job calls C++ compilers, whose cache is worth keeping."""
    return isinstance(job, BuildJob) and job.engine == "omnetpp"


def worker_config(
    engine: Engine,
    image_id: str,
    job: Job,
    *,
    labels: Mapping[str, str],
    mounts: Sequence[Mount],
) -> Json:
    """The configuration of a container that does a job; ``mounts`` are beside its own volume."""
    resources = Resources.of(job, engine)
    return {
        **_common(image_id, labels),
        "Entrypoint": ["python3", "-c", inspect.getsource(bootstrap)],
        "Cmd": [model_engine(job), worker_digest(), paths.PACKAGE],
        "WorkingDir": paths.SCRATCH,
        "Env": [
            f"HOME={paths.SCRATCH}",
            f"CCACHE_DIR={paths.CACHE}",
            "LANG=C.UTF-8",
            "PYTHONDONTWRITEBYTECODE=1",
        ],
        "HostConfig": engine.host_config(
            **_hardened(),
            nano_cpus=resources.cores * 10**9,
            mem_limit=resources.memory,
            memswap_limit=resources.memory,  # equal: no swap
            mounts=[*mounts, Mount(paths.OWN, None, type="volume", no_copy=True)],
            log_config=LogConfig(type="json-file", config={"max-size": "100m", "max-file": "4"}),
        ),
    }


def keeper_config(engine: Engine, image_id: str, labels: Mapping[str, str], mount: Mount) -> Json:
    """The configuration of a container that does nothing, until its standard input ends.

    It holds a volume open for writing. The input ends with whoever started it.
    """
    return {
        **_common(image_id, labels),
        "Entrypoint": ["python3", "-c", "import sys; sys.stdin.read()"],
        "Cmd": [],
        "HostConfig": engine.host_config(
            **_hardened(),
            mem_limit=_WORKERS_OWN,
            memswap_limit=_WORKERS_OWN,
            mounts=[mount],
        ),
    }


def _common(image_id: str, labels: Mapping[str, str]) -> Json:
    return {
        "Image": image_id,
        "Labels": dict(labels),
        "User": f"{paths.USER}:{paths.USER}",
        "WorkingDir": "/",
        "OpenStdin": True,
        "StdinOnce": True,
        "AttachStdin": True,
        "NetworkDisabled": True,
        "Healthcheck": {"Test": ["NONE"]},
        "StopTimeout": STOP_SECONDS,
    }


def _hardened() -> dict[str, Any]:
    return {
        "network_mode": "none",
        "cap_drop": ["ALL"],
        "security_opt": ["no-new-privileges"],
        "read_only": True,
        "init": True,
        "pids_limit": _PROCESSES,
        "ulimits": [Ulimit(name="core", soft=0, hard=0)],
        "tmpfs": {"/tmp": "size=64m,mode=1777"},  # noqa: S108 -- the container's own
        "restart_policy": {"Name": "no"},
    }
