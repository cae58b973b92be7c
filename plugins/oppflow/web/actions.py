"""What a page can make happen: start campaigns, cancel them. Airflow does it, and checks it."""

from __future__ import annotations

import secrets
from datetime import datetime, timezone
from typing import Any

from airflow.api_fastapi.core_api.datamodels.dag_run import (
    DagRunMutableStates,
    DAGRunPatchBody,
    TriggerDAGRunPostBody,
)
from airflow.api_fastapi.core_api.routes.public.dag_run import patch_dag_run, trigger_dag_run
from fastapi import Request

from oppflow.plan import PackedCampaign
from oppflow.request import PARAMETERS
from oppflow.web.dag_runs import PLAN_PREFIX, database
from oppflow.web.state import CampaignState
from oppflow.web.states import BAD, RUNNING, WAITING

AIRFLOW = "oppflow.airflow"
"""Where a request's scope has Airflow's own application, which knows the DAGs."""


def trigger(request: Request, user: Any, dag_id: str, conf: dict[str, Any]) -> str:
    """Start a DAG run; its ID. One that only plans has an ID that says so.

    Raises:
        HTTPException: Airflow refuses the parameters.
    """
    run_id = None
    if conf.get("plan_only") is True:
        now = datetime.now(timezone.utc)
        run_id = f"{PLAN_PREFIX}{now:%Y-%m-%dT%H:%M:%S}.{secrets.token_hex(3)}"
    body = TriggerDAGRunPostBody(dag_run_id=run_id, logical_date=None, conf=conf)
    with database() as session:
        dag_bag = request.scope[AIRFLOW].state.dag_bag
        run = trigger_dag_run(dag_id, body, dag_bag, user, session, request)
        return str(getattr(run, "run_id", None) or run.dag_run_id)


def cancel(request: Request, user: Any, dag_id: str, run_id: str) -> None:
    """Mark a DAG run failed: Airflow ends its tasks, and they their simulations."""
    body = DAGRunPatchBody.model_validate({"state": DagRunMutableStates.FAILED})
    with database() as session:
        dag_bag = request.scope[AIRFLOW].state.dag_bag
        patch_dag_run(dag_id, run_id, body, session, dag_bag, user, None)


def again(state: CampaignState) -> dict[str, Any]:
    """The parameters that start the campaign once more, with a results folder of its own."""
    conf = {name: value for name, value in state.facts.conf.items() if name in PARAMETERS}
    if state.packed is not None:
        # Defaults may have changed since, and a schedule may have given what no conf tells.
        conf = {**_asked(state.packed), **conf}
    conf.pop("plan_only", None)
    conf.pop("results", None)
    return conf


def _asked(packed: PackedCampaign) -> dict[str, Any]:
    request = packed.as_json()["request"]
    request["options"] = dict(packed.request.options)
    request["memory"] = str(packed.request.memory)
    kept = {name: value for name, value in request.items() if value not in (None, "", (), {}, 0.0)}
    return {
        name: list(value) if isinstance(value, tuple) else value for name, value in kept.items()
    }


def only_missing(state: CampaignState) -> dict[str, Any]:
    """The parameters of a campaign that executes what this one lacks, and reuses the rest.

    Where nothing of it may be reused, its runs are those alone that this one lacks.
    """
    conf = {**again(state), "reuse_results": True}
    if state.packed is not None and state.packed.unsteady and state.runs is not None:
        conf["run_filter"] = run_numbers(missing(state))
    return conf


def missing(state: CampaignState) -> list[int]:
    """The numbers of the runs without a good result."""
    if state.runs is None:
        return []
    lacking = (*BAD, RUNNING, WAITING)
    return [run for run, now in state.runs.select("run", "state").iter_rows() if now in lacking]


def run_numbers(numbers: list[int]) -> str:
    """A run filter that names these runs: ``0,2,5-10``."""
    spans: list[list[int]] = []
    for number in sorted(numbers):
        if spans and number == spans[-1][1] + 1:
            spans[-1][1] = number
        else:
            spans.append([number, number])
    return ",".join(str(a) if a == b else f"{a}-{b}" for a, b in spans)
