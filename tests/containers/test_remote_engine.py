"""An engine on another machine: everything goes over its connection, which may break."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from oppflow.deployment import Deployment
from oppflow.errors import InfrastructureError
from oppflow.worker.events import Event
from tests.support.campaigns import run_campaign
from tests.support.containers import container_deployment, containers, simulating
from tests.support.engine_proxy import EngineProxy, engine_proxy
from tests.support.runners import Client


@pytest.fixture
def proxy(engine_is_there: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[EngineProxy]:
    with engine_proxy() as made:
        monkeypatch.setenv("DOCKER_HOST", made.url)
        yield made


@pytest.fixture
def deployment(proxy: EngineProxy, tmp_path: Path) -> Iterator[Deployment]:
    with container_deployment(tmp_path) as made:
        yield made


def test_a_campaign_over_the_network(deployment: Deployment) -> None:
    """Trees, jobs, lines and results: no folder is shared with the engine's machine."""
    finished = run_campaign(deployment, model="mm1", config="Short", run_filter="0,1")
    assert finished.green, finished.errors
    assert containers(deployment.settings.deployment) == []


def test_a_broken_connection_is_told_and_loses_nothing(
    deployment: Deployment, proxy: EngineProxy
) -> None:
    """The container works on; the next attempt takes it over."""
    client = Client(deployment, "mm1")
    work = client.simulate_work("Short", 2, options={"*.customers": 100_000})
    cuts: list[Event] = []

    def cut_once(event: Event) -> None:
        if event["event"] == "started" and not cuts:
            cuts.append(event)
            proxy.cut()

    with pytest.raises(InfrastructureError) as caught:
        client.hear(work, cut_once)
    assert caught.value.transient
    (container,) = simulating(deployment.settings.deployment)
    heard = client.hear(work)
    assert heard.outcomes == ["done", "done"]
    assert container["Id"] not in {one["Id"] for one in containers(deployment.settings.deployment)}
