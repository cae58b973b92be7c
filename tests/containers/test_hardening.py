"""What a simulation may do and use in its container: seen by the engine, and from inside."""

from __future__ import annotations

import ast
from typing import Any

import pytest

from oppflow.deployment import Deployment
from oppflow.worker.events import Event
from tests.support.containers import container_deployment, inspect, simulating
from tests.support.runners import Client, Heard

MEBIBYTE = 1024**2


def looked_at(deployment: Deployment, **more: Any) -> dict[str, Any]:
    """What the engine knows of a container while it simulates."""
    found: list[dict[str, Any]] = []

    def look(event: Event) -> None:
        if event["event"] == "started":
            (container,) = simulating(deployment.settings.deployment)
            found.append(inspect(container["Id"]))

    Client(deployment, "own_words").simulate("OwnWords", 1, look, **more)
    return found[0]


def test_a_container_has_every_limit(deployment: Deployment) -> None:
    """As the engine tells them, not as they were asked for."""
    host = looked_at(deployment, slots=2, memory=100 * MEBIBYTE)["HostConfig"]
    assert host["Memory"] == host["MemorySwap"] == (2 * 100 + 128) * MEBIBYTE
    assert host["NanoCpus"] == 2 * 10**9
    assert host["PidsLimit"] == 1024
    assert host["NetworkMode"] == "none"
    assert host["CapDrop"] == ["ALL"]
    assert not host["CapAdd"]
    assert host["SecurityOpt"] == ["no-new-privileges"]
    assert host["ReadonlyRootfs"] is True
    assert host["Init"] is True
    assert host["Privileged"] is False
    assert host["LogConfig"] == {"Type": "json-file",
                                 "Config": {"max-size": "100m", "max-file": "4"}}  # fmt: skip
    assert [limit["Name"] for limit in host["Ulimits"]] == ["core"]


def test_a_container_mounts_its_own_volume_and_the_trees_read_only(deployment: Deployment) -> None:
    """And nothing of any host."""
    found = looked_at(deployment)
    assert not found["HostConfig"]["Binds"]
    mounts = {mount["Destination"]: mount for mount in found["Mounts"]}
    assert set(mounts) == {"/oppflow/own", "/oppflow/shared"}
    assert {mount["Type"] for mount in mounts.values()} == {"volume"}
    assert mounts["/oppflow/own"]["RW"] is True
    assert mounts["/oppflow/shared"]["RW"] is False
    assert found["Config"]["User"] == "1000:1000"


def test_labels_tell_whose_a_container_is(deployment: Deployment) -> None:
    """For people, for the next attempt, and for tidying up."""
    found = looked_at(deployment)
    labels = {name: text for name, text in found["Config"]["Labels"].items() if "oppflow." in name}
    assert labels["oppflow.deployment"] == deployment.settings.deployment
    assert labels["oppflow.runs"] == "0"
    assert {"oppflow.dag_id", "oppflow.run_id", "oppflow.task_id", "oppflow.map_index",
            "oppflow.attempt", "oppflow.campaign", "oppflow.job"} <= set(labels)  # fmt: skip
    assert found["Name"].startswith(f"/oppflow-{deployment.settings.deployment}-")


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What a model found out that tries the doors."""
    with container_deployment(tmp_path_factory.mktemp("prison")) as deployment:
        heard: Heard = Client(deployment, "prisoner").simulate("Prisoner")
    assert heard.outcomes == ["done"]
    pairs = (line.partition("=") for line in heard.lines if line.partition("=")[0].isidentifier())
    return {name: _value(text) for name, _, text in pairs}


def _value(text: str) -> Any:
    try:
        return ast.literal_eval(text)
    except (SyntaxError, ValueError):
        return text


def test_a_model_is_nobody_in_particular(told: dict[str, Any]) -> None:
    """Without rights, and without a way to get some."""
    assert told["uid"] == "1000 1000 1000"
    assert told["capabilities"] == {"0" * 16}
    assert told["no_new_privileges"] == 1


def test_a_model_reaches_no_network(told: dict[str, Any]) -> None:
    """Neither the world nor the engine's own machine."""
    assert told["interfaces"] == ["lo"]
    assert told["connects"] == []
    assert told["resolves"] is False
    assert told["engine_socket"] is False


def test_a_model_writes_nowhere_but_in_its_own_place(told: dict[str, Any]) -> None:
    """The image and the trees that others share stay as they are."""
    assert told["writable"] == []


def test_a_model_finds_no_secret_in_its_environment(told: dict[str, Any]) -> None:
    """Nothing of the task's, in the simulation and in the worker that started it."""
    for name in (*told["environment"], *told["worker_environment"]):
        assert not name.startswith(("AIRFLOW", "DOCKER", "OPPFLOW_STORE")), name
        assert not any(word in name for word in ("SECRET", "TOKEN", "PASSWORD", "KEY")), name
