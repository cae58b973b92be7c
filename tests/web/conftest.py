"""Real campaigns behind the page; only Airflow's part is a stand-in."""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest

from oppflow.deployment import Deployment
from oppflow.plan import PackedCampaign
from oppflow.web.state import DagRunFacts
from tests.support.campaigns import Finished, make_deployment, run_campaign

# Airflow's own modules warn when they are imported, which is not for these tests to mend.
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import airflow.api_fastapi.core_api.security  # noqa: F401

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone.utc)
RESOLVED = {"resolve_runs": {"success": 1}}


def facts_about(packed: PackedCampaign, state: str = "success", **changes: Any) -> DagRunFacts:
    """What Airflow would tell of a campaign's DAG run."""
    facts = DagRunFacts(
        packed.dag_id, packed.run_id, state, NOW, NOW, NOW, "ada", {}, RESOLVED, planned="then"
    )
    return replace(facts, **changes)


@dataclass
class Site:
    """The page's application over a deployment, and the DAG runs that it is told of."""

    deployment: Deployment
    known: dict[tuple[str, str], tuple[DagRunFacts, Mapping[str, Any] | None]] = field(
        default_factory=dict
    )

    def __post_init__(self) -> None:
        from airflow.api_fastapi.core_api.security import get_user

        from oppflow.web import access
        from oppflow.web.app import make_app
        from oppflow.web.service import CampaignPage

        page = CampaignPage(self.deployment, lambda dag, run: self.known.get((dag, run)))
        self.app = make_app(page)
        for allowed in (access.MAY_READ, access.MAY_ACT, access.LOGGED):
            self.app.dependency_overrides[allowed.dependency] = lambda: None
        self.app.dependency_overrides[get_user] = lambda: "ada"

    def add(self, finished: Finished, **changes: Any) -> str:
        """Tell of a campaign; the address of it."""
        facts = facts_about(finished.packed, **changes)
        self.known[facts.dag_id, facts.run_id] = (facts, finished.packed.as_json())
        return f"/api/campaigns/{facts.dag_id}/{facts.run_id}"

    def get(
        self, path: str, *, headers: Mapping[str, str] | None = None, **query: Any
    ) -> httpx.Response:
        """The answer to a request."""

        async def ask() -> httpx.Response:
            transport = httpx.ASGITransport(self.app)
            async with httpx.AsyncClient(transport=transport, base_url="http://page") as client:
                return await client.get(path, params=query or None, headers=dict(headers or {}))

        return anyio.run(ask)

    def json(self, path: str, **query: Any) -> Any:
        """A good answer's JSON."""
        answer = self.get(path, **query)
        assert answer.status_code == 200, answer.text
        return json.loads(answer.content)


@pytest.fixture(scope="module")
def deployment(tmp_path_factory: pytest.TempPathFactory) -> Deployment:
    return make_deployment(tmp_path_factory.mktemp("page"))


@pytest.fixture(scope="module")
def sweep(deployment: Deployment) -> Finished:
    """A good campaign: four loads, two repetitions."""
    return run_campaign(deployment, model="mm1", config="Short")


@pytest.fixture(scope="module")
def failing(deployment: Deployment) -> Finished:
    """A campaign with two failed runs of six."""
    return run_campaign(deployment, model="fails", config="AtLoad")


@pytest.fixture(scope="module")
def site(deployment: Deployment) -> Iterator[Site]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("oppflow.web.routes_campaigns.may_act", lambda *_: True)
        yield Site(deployment)


@pytest.fixture
def own_deployment(tmp_path: Path) -> Deployment:
    """For tests that break something."""
    return make_deployment(tmp_path)
