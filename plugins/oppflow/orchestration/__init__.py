"""The campaign's DAG in parts: parameters, tasks, and how tasks end."""

from oppflow.orchestration.campaign_tasks import campaign_tasks
from oppflow.orchestration.endings import task_defaults
from oppflow.orchestration.operators import POOL, simulate_operator
from oppflow.orchestration.parameters import campaign_parameters
from oppflow.orchestration.tasks import build_model, collect, pack_model, report, resolve_runs

__all__ = [
    "POOL",
    "build_model",
    "campaign_parameters",
    "campaign_tasks",
    "collect",
    "pack_model",
    "report",
    "resolve_runs",
    "simulate_operator",
    "task_defaults",
]
