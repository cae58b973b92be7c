"""Campaigns as Airflow knows them: DAG runs, their tasks, what they returned. Its database only."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timezone
from typing import Any

from airflow.models.dag import DagModel, DagTag
from airflow.models.dagrun import DagRun
from airflow.models.taskinstance import TaskInstance
from airflow.models.xcom import XComModel
from airflow.utils.session import create_session
from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from oppflow.web.state import DagRunFacts

TAG = "oppflow"
"""What marks the DAGs whose DAG runs are campaigns."""

PLAN_PREFIX = "plan__"
"""How the IDs of DAG runs begin that only make a plan, for a preview."""


@contextmanager
def database() -> Iterator[Session]:
    """A session of this thread's own."""
    with create_session(scoped=False) as session:
        yield session


def campaign_dags(session: Session) -> list[str]:
    """The IDs of the DAGs that run campaigns."""
    query = (
        select(DagModel.dag_id)
        .join(DagTag, DagTag.dag_id == DagModel.dag_id)
        .where(DagTag.name == TAG, ~DagModel.is_stale)
        .order_by(DagModel.dag_id)
    )
    return list(session.scalars(query))


def newest_runs(
    session: Session, dag_ids: Sequence[str], *, plans: bool, offset: int, limit: int
) -> tuple[list[DagRunFacts], int]:
    """DAG runs, the newest first, and how many there are; ``plans`` for those of previews too."""
    where: list[ColumnElement[bool]] = [DagRun.dag_id.in_(dag_ids)]
    if not plans:
        where.append(~DagRun.run_id.startswith(PLAN_PREFIX, autoescape=True))
    total = session.scalar(select(func.count()).select_from(DagRun).where(*where)) or 0
    query = select(DagRun).where(*where).order_by(DagRun.id.desc()).offset(offset).limit(limit)
    return [_facts(run) for run in session.scalars(query)], total


def facts_of(session: Session, dag_id: str, run_id: str) -> DagRunFacts | None:
    """What Airflow knows of a DAG run, its tasks' states included."""
    query = select(DagRun).where(DagRun.dag_id == dag_id, DagRun.run_id == run_id)
    run = session.scalar(query)
    if run is None:
        return None
    states, planned = _task_states(session, dag_id, run_id)
    return replace(_facts(run), tasks=states, planned=planned)


def _task_states(
    session: Session, dag_id: str, run_id: str
) -> tuple[dict[str, dict[str, int]], str]:
    """Task instances by task and state, and when `resolve_runs` ended."""
    query = (
        select(
            TaskInstance.task_id,
            TaskInstance.state,
            func.count(),
            func.max(TaskInstance.end_date),
        )
        .where(TaskInstance.dag_id == dag_id, TaskInstance.run_id == run_id)
        .group_by(TaskInstance.task_id, TaskInstance.state)
    )
    states: dict[str, dict[str, int]] = {}
    planned = ""
    for task_id, state, count, ended in session.execute(query):
        states.setdefault(task_id, {})[str(state) if state else "none"] = count
        if task_id == "resolve_runs" and ended is not None:
            planned = str(ended)
    return states, planned


def _facts(run: DagRun) -> DagRunFacts:
    return DagRunFacts(
        run.dag_id,
        run.run_id,
        str(run.state),
        _utc(run.queued_at or run.run_after),
        _utc(run.start_date),
        _utc(run.end_date),
        run.triggering_user_name or "",
        run.conf if isinstance(run.conf, dict) else {},
    )


def _utc(moment: datetime | None) -> datetime | None:
    return moment.astimezone(timezone.utc) if moment else None


def handed_on(session: Session, dag_id: str, run_id: str) -> Mapping[str, Any] | None:
    """What the task `pack_model` returned, which outlives the store."""
    query = select(XComModel).where(
        XComModel.dag_id == dag_id,
        XComModel.run_id == run_id,
        XComModel.task_id == "pack_model",
        XComModel.key == "return_value",
    )
    row = session.scalar(query)
    value = XComModel.deserialize_value(row) if row is not None else None
    return value if isinstance(value, dict) else None
