"""Airflow's cluster policies, which it imports by this name: the queue that a campaign asks for.

A deployment with policies of its own, in Airflow's config folder, calls this one from there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from oppflow.queues import wanted_queue

if TYPE_CHECKING:
    from airflow.models.dagrun import DagRun
    from airflow.models.taskinstance import TaskInstance

__all__ = ["task_instance_mutation_hook"]


def task_instance_mutation_hook(task_instance: TaskInstance, dag_run: DagRun | None = None) -> None:
    """Send a campaign's simulations to the queue that its parameters name."""
    if dag_run is not None:
        task_instance.queue = wanted_queue(task_instance.task_id, task_instance.queue, dag_run.conf)
