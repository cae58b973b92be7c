"""What nobody will come back for is removed, and nothing else."""

from __future__ import annotations

from dataclasses import replace

import pytest

from oppflow.deployment import Deployment
from oppflow.errors import StoreError
from oppflow.runners.docker import labels, reap
from oppflow.runners.docker.connection import connect
from oppflow.runners.docker.labels import TaskInstance
from oppflow.worker.events import Event
from tests.support.containers import containers, simulating
from tests.support.runners import Client


@pytest.fixture
def orphan(deployment: Deployment, monkeypatch: pytest.MonkeyPatch) -> TaskInstance:
    """The task whose container runs on: the store did not take what came out of it."""
    task = TaskInstance("campaign", "manual__1", "simulate", "3", "1")
    monkeypatch.setattr(labels.TaskInstance, "current", lambda: task)

    def break_down(event: Event) -> None:
        raise StoreError("the store is gone")

    with pytest.raises(StoreError):
        Client(deployment, "mm1").simulate("Endless", 1, break_down)
    return task


def reaped(deployment: Deployment, *over: TaskInstance) -> list[str]:
    with connect() as engine:
        return reap.reap(engine, deployment.settings.deployment, lambda task: task in over)


def test_a_task_that_ended_leaves_nothing(deployment: Deployment, orphan: TaskInstance) -> None:
    """Its container is killed, and its volume goes with it."""
    assert len(simulating(deployment.settings.deployment)) == 1
    (name,) = reaped(deployment, orphan)
    assert name.startswith(f"oppflow-{deployment.settings.deployment}")
    assert containers(deployment.settings.deployment) == []


def test_a_task_that_will_be_tried_again_keeps_its_container(
    deployment: Deployment, orphan: TaskInstance
) -> None:
    """So does everybody else."""
    assert reaped(deployment, replace(orphan, map_index="4")) == []
    assert len(simulating(deployment.settings.deployment)) == 1


def test_other_deployments_are_let_alone(deployment: Deployment, orphan: TaskInstance) -> None:
    """Several may share an engine."""
    with connect() as engine:
        assert reap.reap(engine, "somebody-else", lambda _: True) == []
    assert len(simulating(deployment.settings.deployment)) == 1


def test_old_volumes_go_unless_they_are_in_use(
    deployment: Deployment, orphan: TaskInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A young one may be wanted by the next campaign."""
    Client(deployment, "own_words").resolve("OwnWords")
    assert reaped(deployment) == []
    monkeypatch.setattr(reap, "_KEPT", -reap._KEPT)
    assert len(reaped(deployment)) == 1
    assert len(simulating(deployment.settings.deployment)) == 1
    assert len(reaped(deployment, orphan)) == 2
