"""What the routes answer with, read through bounded caches: plain calls that may take a while."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta, timezone
from typing import Any

import polars as pl

from oppflow.deployment import Deployment
from oppflow.errors import OppflowError
from oppflow.plan import PackedCampaign
from oppflow.stages.pack import CAMPAIGN, campaign_key
from oppflow.web import dag_runs
from oppflow.web.cache import Cache
from oppflow.web.estimate import seconds_left
from oppflow.web.filters import select_runs
from oppflow.web.results import NotThereError
from oppflow.web.state import CampaignState, DagRunFacts, StateReader
from oppflow.web.text import shown
from oppflow.web.views import counts

# Campaigns held in memory: one of 10,000 runs is some 5 MB.
_STATES = 8
_SUMMARIES = 1000
_LIVE, _ENDED, _TROUBLED = 1.0, 10.0, 5.0  # seconds for which a state is good
_FRESH, _LASTING = 5.0, 300.0  # likewise a summary, while a campaign runs and afterwards

Json = dict[str, Any]


Facts = tuple[DagRunFacts, Mapping[str, Any] | None]
"""A DAG run, and what its first task handed on."""


def facts_from_airflow(dag_id: str, run_id: str) -> Facts | None:
    """What Airflow's database tells of a campaign; None where it knows no such DAG run."""
    with dag_runs.database() as session:
        facts = dag_runs.facts_of(session, dag_id, run_id)
        return None if facts is None else (facts, dag_runs.handed_on(session, dag_id, run_id))


class CampaignPage:
    """Everything that the page asks for, for all who look."""

    def __init__(
        self,
        deployment: Deployment | None = None,
        facts: Callable[[str, str], Facts | None] = facts_from_airflow,
    ) -> None:
        self._lock = threading.Lock()
        self._deployment = deployment
        self._facts = facts
        self._states: Cache[CampaignState] = Cache(_STATES)
        self._summaries: Cache[Json] = Cache(_SUMMARIES)
        self.charts: Cache[Json] = Cache(64)

    @property
    def deployment(self) -> Deployment:
        """The deployment, opened when it is first needed.

        Raises:
            ParameterError, StoreError: the settings or the store are wrong; asked again next time.
        """
        with self._lock:
            if self._deployment is None:
                self._deployment = Deployment.from_environment()
            return self._deployment

    def state(self, dag_id: str, run_id: str) -> CampaignState:
        """The campaign as it is now, at most a second old while it runs.

        Raises:
            NotThereError: Airflow knows no such DAG run.
        """
        return self._states.get(
            (dag_id, run_id), lambda before: self._read(dag_id, run_id, before), _lifetime
        )

    def forget(self, dag_id: str, run_id: str) -> None:
        """Read the campaign anew: somebody acted on it."""
        self._states.forget((dag_id, run_id))
        self._summaries.forget((dag_id, run_id))

    def _read(self, dag_id: str, run_id: str, before: CampaignState | None) -> CampaignState:
        found = self._facts(dag_id, run_id)
        if found is None:
            raise NotThereError(f"Airflow knows no DAG run {shown(run_id)!r} of {shown(dag_id)!r}.")
        facts, handed_on = found
        return StateReader(self.deployment).read(facts, handed_on, before)

    def overview(self, state: CampaignState) -> Json:
        """One campaign without its runs: parameters, counts, phases, estimate, warnings."""
        runs, facts = state.runs, state.facts
        lanes = self.deployment.settings.cores
        left = seconds_left(runs, lanes) if runs is not None and not facts.is_over else None
        planned = state.planned
        return {
            **_head(facts, state.packed),
            **_numbers(state),
            "tasks": {task: dict(states) for task, states in facts.tasks.items()},
            "estimated_end": _in_seconds(left),
            "variables": [
                {
                    "name": v.name,
                    "column": f"${v.name}",
                    "values": len(v.values),
                    "number": v.is_number,
                }
                for v in (planned.variables if planned else ())
            ],
            "columns": [
                name for name in (runs.columns if runs is not None else ()) if name != "key"
            ],
            "warnings": [shown(text) for text in (planned.warnings if planned else ())],
            "trouble": shown(state.trouble),
            "collected": state.collected,
            "parameters": _parameters(state.packed),
            "unsteady": [shown(text) for text in (state.packed.unsteady if state.packed else ())],
            "version": state.version,
        }

    def listed(self, dag_ids: Sequence[str], *, plans: bool, offset: int, limit: int) -> Json:
        """A page of the list of campaigns; counts only where they are known already."""
        with dag_runs.database() as session:
            facts, total = dag_runs.newest_runs(
                session, dag_ids, plans=plans, offset=offset, limit=limit
            )
        keys = [campaign_key(one.dag_id, one.run_id) for one in facts]
        trouble = ""
        try:
            records = self.deployment.store.get_records(CAMPAIGN, keys)
        except OppflowError as error:
            records, trouble = {}, shown(str(error))
        rows = []
        for one, key in zip(facts, keys, strict=True):
            packed = _packed(records.get(key))
            rows.append({**_head(one, packed), "counts": None, "cpu_time": None})
        return {"campaigns": rows, "total": total, "trouble": trouble}

    def summary(self, dag_id: str, run_id: str) -> Json:
        """Head and numbers of one campaign, for a line of the list."""

        def make(_before: Json | None) -> Json:
            state = self.state(dag_id, run_id)
            return {**_head(state.facts, state.packed), **_numbers(state)}

        return self._summaries.get(
            (dag_id, run_id), make, lambda made: _LASTING if made["is_over"] else _FRESH
        )


def _lifetime(state: CampaignState) -> float:
    if state.trouble:
        return _TROUBLED
    return _ENDED if state.facts.is_over else _LIVE


def chosen_runs(state: CampaignState, text: str) -> pl.DataFrame:
    """The campaign's runs that a filter leaves.

    Raises:
        NotThereError: there is no plan, so there are no runs.
    """
    if state.runs is None:
        raise NotThereError(state.trouble or "The campaign has no plan yet.")
    return select_runs(state.runs, text)


def _head(facts: DagRunFacts, packed: PackedCampaign | None) -> Json:
    asked = packed.request if packed else None
    conf = facts.conf
    return {
        "dag_id": facts.dag_id,
        "run_id": facts.run_id,
        "state": facts.state,
        "is_over": facts.is_over,
        "queued": _iso(facts.queued),
        "started": _iso(facts.started),
        "ended": _iso(facts.ended),
        "user": shown(facts.user),
        "is_campaign": packed is not None,
        "model": shown(str(asked.model if asked else conf.get("model") or "")),
        "config": shown(str(asked.config if asked else conf.get("config") or "")),
        "run_filter": shown(str((asked.run_filter if asked else conf.get("run_filter")) or "")),
        "results": shown(packed.results) if packed else "",
        "plan_only": bool(asked.plan_only if asked else conf.get("plan_only")),
    }


def _numbers(state: CampaignState) -> Json:
    if state.runs is None:
        return {"counts": {}, "total": 0, "cpu_time": None}
    spent = state.runs.filter(pl.col("state") != "reused")["cpu_time"].sum()
    return {"counts": counts(state.runs), "total": state.runs.height, "cpu_time": float(spent or 0)}


def _parameters(packed: PackedCampaign | None) -> Json:
    if packed is None:
        return {}
    request = packed.as_json()["request"]
    return {**request, "options": dict(packed.request.options)}


def _packed(data: Json | None) -> PackedCampaign | None:
    try:
        return PackedCampaign.from_json(data) if data else None
    except (LookupError, TypeError, ValueError):
        return None


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat(timespec="milliseconds") if moment else None


def _in_seconds(left: float | None) -> str | None:
    return None if left is None else _iso(datetime.now(timezone.utc) + timedelta(seconds=left))
