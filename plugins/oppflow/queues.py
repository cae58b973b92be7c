"""Which Celery queue a task goes to: machines take work from the queues that they serve."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from oppflow.settings import Settings


def wanted_queue(task_id: str, queue: str, conf: Mapping[str, Any] | None) -> str:
    """The queue of a task instance whose DAG says ``queue``, and whose DAG run has ``conf``.

    Only simulations move, only between the deployment's queues, and tasks of other
    DAGs stay where they are.
    """
    wanted = (conf or {}).get("queue")
    if not wanted or task_id != "simulate":
        return queue
    queues = Settings.from_environment().queues
    return str(wanted) if wanted in queues and queue in queues else queue
