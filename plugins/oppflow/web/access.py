"""Who may do what: Airflow's own permissions, asked anew by every route."""

from __future__ import annotations

from typing import Any

from airflow.api_fastapi.app import get_auth_manager
from airflow.api_fastapi.auth.managers.models.resource_details import DagAccessEntity, DagDetails
from airflow.api_fastapi.core_api.security import GetUserDep, get_user, requires_access_dag
from airflow.api_fastapi.logging.decorators import action_logging
from fastapi import Depends

User = GetUserDep
"""The user, as an argument of a route."""

SIGNED_IN = Depends(get_user)
"""For those who are signed in."""

MAY_READ = Depends(requires_access_dag("GET", DagAccessEntity.RUN))
"""For those who may read the DAG runs of the DAG in the path."""

MAY_ACT = Depends(requires_access_dag("POST", DagAccessEntity.RUN))
"""For those who may trigger the DAG in the path."""

LOGGED = Depends(action_logging())
"""The action goes into Airflow's audit log."""


def may_act(user: Any, dag_id: str) -> bool:
    """Whether the user may trigger the DAG."""
    return get_auth_manager().is_authorized_dag(
        method="POST", access_entity=DagAccessEntity.RUN, details=DagDetails(id=dag_id), user=user
    )


def readable(user: Any, dag_ids: list[str]) -> list[str]:
    """Those of the DAGs whose DAG runs the user may read."""
    manager = get_auth_manager()
    return [
        dag_id
        for dag_id in dag_ids
        if manager.is_authorized_dag(
            method="GET",
            access_entity=DagAccessEntity.RUN,
            details=DagDetails(id=dag_id),
            user=user,
        )
    ]
