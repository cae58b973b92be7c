"""Asking Airflow which tasks have ended, to remove what they left on the container engine."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING

from airflow.sdk import get_current_context
from airflow.sdk.exceptions import AirflowException

from oppflow.errors import InfrastructureError

if TYPE_CHECKING:
    from oppflow.runners.docker.labels import TaskInstance
    from oppflow.settings import Settings

log = logging.getLogger(__name__)

_OFTEN_ENOUGH = 300.0  # seconds between two looks of a host's simulate tasks
_ENDED = ("success", "failed", "skipped", "upstream_failed", "removed")


def remove_leftovers(settings: Settings) -> None:
    """Remove containers of tasks that have ended for good; nothing for runners without any.

    A failure is no reason for a campaign to fail: it is told, and the next campaign tries again.
    """
    if settings.runner != "docker":
        return
    from oppflow.runners.docker.connection import connect
    from oppflow.runners.docker.reap import reap

    try:
        with connect(settings.docker_conn_id) as engine:
            reap(engine, settings.deployment, _Ended())
    except (InfrastructureError, AirflowException) as error:
        log.warning("What earlier tasks left on the container engine stays there: %s", error)


def remove_leftovers_here(settings: Settings) -> None:
    """`remove_leftovers` on a host that may never pack or collect: every five minutes at most.

    Each host has an engine of its own; a task that is tried again elsewhere leaves its container.
    """
    if settings.runner != "docker":
        return
    looked = settings.work_dir / "looked-for-leftovers"
    try:
        age = time.time() - looked.stat().st_mtime
    except OSError:
        age = _OFTEN_ENOUGH
    if age < _OFTEN_ENOUGH:
        return
    settings.work_dir.mkdir(parents=True, exist_ok=True)
    looked.touch()
    remove_leftovers(settings)


class _Ended:
    """Whether a task instance has ended for good, asked once for each DAG run."""

    def __init__(self) -> None:
        self._asker = get_current_context()["ti"]
        self._known: dict[tuple[str, str], Mapping[str, str | None]] = {}

    def __call__(self, task: TaskInstance) -> bool:
        key = (task.dag_id, task.run_id)
        if key not in self._known:
            states = self._asker.get_task_states(dag_id=task.dag_id, run_ids=[task.run_id])
            self._known[key] = states.get(task.run_id, {})
        name = task.task_id if task.map_index == "-1" else f"{task.task_id}_{task.map_index}"
        # Of a DAG run that Airflow does not know, nothing is known: it may be another Airflow's.
        return self._known[key].get(name) in _ENDED
