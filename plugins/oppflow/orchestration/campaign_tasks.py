"""The tasks of a campaign, wired: what every DAG that executes campaigns has."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from airflow.sdk import chain

from oppflow.orchestration.operators import POOL, simulate_operator
from oppflow.orchestration.tasks import build_model, collect, pack_model, report, resolve_runs
from oppflow.settings import Settings


def campaign_tasks(
    settings: Settings,
    *,
    queue: str = "",
    pack: Callable[[], Any] = pack_model,
    before_report: Callable[[], list[Any]] = list,
) -> None:
    """Make the tasks in the current DAG, see there for how they hang together.

    Simulations go to ``queue``, by default the deployment's first; the other tasks stay where
    sources and results lie. ``pack`` makes the first task; what ``before_report`` makes comes one
    after the other between ``collect`` and ``report``.
    """
    packed = pack()
    batches = resolve_runs(packed)
    built = build_model(packed)
    simulated = (
        simulate_operator(settings.runner)
        .partial(
            task_id="simulate",
            queue=queue or settings.queues[0],
            map_index_template="{{ task.batch['label'] }}",
            pool=POOL,
            pool_slots=settings.slots,
        )
        .expand(batch=batches)
    )
    chain([batches, built], simulated, collect(), *before_report(), report())
