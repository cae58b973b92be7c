"""The tasks of a campaign. Each imports what it needs when it runs: Airflow parses this often."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from airflow.sdk import get_current_context, task

from oppflow.orchestration.endings import explained
from oppflow.orchestration.leftovers import remove_leftovers

if TYPE_CHECKING:
    from oppflow.deployment import Deployment
    from oppflow.plan import PackedCampaign
    from oppflow.runners.interface import Runner

Json = dict[str, Any]

# Without multiple_outputs=False, Airflow would store each value of a dict once more.


@task(multiple_outputs=False)
def pack_model() -> Json:
    """Check the parameters, pack the source trees into the store."""
    with explained():
        from oppflow.deployment import Deployment

        return pack_campaign(Deployment.from_environment())


def pack_campaign(
    deployment: Deployment, check: Callable[[PackedCampaign], None] | None = None
) -> Json:
    """What `pack_model` does; ``check`` may refuse what was packed."""
    from oppflow.stages.pack import Identity
    from oppflow.stages.pack import pack_model as pack

    remove_leftovers(deployment.settings)
    context = get_current_context()
    dag_run = context["dag_run"]
    identity = Identity(
        dag_id=dag_run.dag_id,
        run_id=dag_run.run_id,
        started=dag_run.run_after.astimezone(timezone.utc),
        packed=datetime.now(timezone.utc),
    )
    given = dag_run.conf or {}
    return pack(deployment, identity, dict(context["params"]), given, check=check).as_json()


@task
def resolve_runs(packed: Json) -> list[Json]:
    """Ask OMNeT++ which runs there are; the batches of those that have no stored result."""
    with explained():
        from oppflow.deployment import Deployment
        from oppflow.plan import PackedCampaign
        from oppflow.stages.resolve import resolve_runs as resolve

        campaign = PackedCampaign.from_json(packed)
        return resolve(Deployment.from_environment(), campaign, _end_with_task)


@task(multiple_outputs=False)
def build_model(packed: Json) -> Json:
    """Build every source tree that has no stored build."""
    with explained():
        from oppflow.deployment import Deployment
        from oppflow.plan import PackedCampaign
        from oppflow.stages.build import build_model as build

        campaign = PackedCampaign.from_json(packed)
        return dict(build(Deployment.from_environment(), campaign, _end_with_task))


@task(trigger_rule="all_done", multiple_outputs=False)
def collect() -> Json:
    """Bring every result home, verified, and write the manifest."""
    with explained():
        from oppflow.deployment import Deployment
        from oppflow.stages.collect import collect as bring_home

        deployment = Deployment.from_environment()
        remove_leftovers(deployment.settings)
        packed = packed_campaign()
        if packed is None:
            return {}
        return bring_home(deployment, packed, task_states())


@task(trigger_rule="all_done", multiple_outputs=False)
def report() -> Json:
    """Write tables and charts, then give the verdict on the campaign."""
    with explained():
        from oppflow.deployment import Deployment
        from oppflow.stages.report import report as write

        return dict(write(Deployment.from_environment(), packed_campaign(), task_states()))


def _end_with_task(runner: Runner) -> None:
    """Have Airflow stop the runner when it ends this task: a container would not notice."""
    get_current_context()["ti"].task.on_kill = runner.stop  # type: ignore[method-assign]


def packed_campaign() -> PackedCampaign | None:
    """What `pack_model` handed on; None where it failed, so that there is nothing to work on."""
    from oppflow.plan import PackedCampaign

    packed = get_current_context()["ti"].xcom_pull(task_ids="pack_model")
    return PackedCampaign.from_json(packed) if packed is not None else None


def task_states() -> Mapping[str, Mapping[str, int]]:
    """How many task instances of each task ended how; mapped ones count under their task."""
    context = get_current_context()
    dag_run = context["dag_run"]
    states = context["ti"].get_task_states(dag_id=dag_run.dag_id, run_ids=[dag_run.run_id])
    counts: dict[str, dict[str, int]] = {}
    for name, state in states.get(dag_run.run_id, {}).items():
        task_id = name if name in context["dag"].task_ids else name.rpartition("_")[0]
        by_state = counts.setdefault(task_id, {})
        by_state[str(state)] = by_state.get(str(state), 0) + 1
    return counts
