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

from oppflow.web.dag_runs import PLAN_PREFIX, database

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
