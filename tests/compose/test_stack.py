"""The whole stack at work: limits, a campaign, a killed worker, refusals. ``make test-compose``."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from tests.compose.conftest import Up
from tests.support.containers import simulating
from tests.support.processes import eventually

_MIB = 2**20
LIMITS = {
    "postgres": (1024, 1.0), "broker": (256, 0.5), "store": (3072, 1.0),
    "engine-proxy": (128, 1.0), "airflow-apiserver": (2048, 2.0), "airflow-scheduler": (1024, 2.0),
    "airflow-dag-processor": (1024, 1.0), "airflow-triggerer": (768, 0.5),
    "airflow-worker": (3072, 2.0),
}  # fmt: skip
"""MiB of memory, and processor cores; the simulator's are in the .env."""

RIGHTS = {
    "postgres": {"CHOWN", "DAC_OVERRIDE", "FOWNER", "SETGID", "SETUID"},
    "engine-proxy": {"DAC_READ_SEARCH"},
}


def manifest(up: Up, name: str) -> dict[str, Any]:
    return dict(json.loads((up.results / name / "manifest.json").read_text()))


def test_the_limits_hold_on_the_running_containers(up: Up) -> None:
    """One version of Compose drops limits without a word: the engine is asked."""
    given = up.compose.environment
    memory = int(given["OPPFLOW_SIMULATOR_LIMIT"].removesuffix("m"))
    limits = {**LIMITS, "airflow-simulator": (memory, float(given["OPPFLOW_SIMULATOR_CPUS"]))}
    assert set(up.compose.services()) == {*limits, "airflow-init"}
    for name, (memory, cores) in limits.items():
        host = up.compose.container(name)["HostConfig"]
        assert host["Memory"] == memory * _MIB, name
        assert host["NanoCpus"] == cores * 1e9, name
        assert host["PidsLimit"] > 0, name
        assert host["CapDrop"] == ["ALL"], name
        assert set(host["CapAdd"] or ()) == RIGHTS.get(name, set()), name
        assert "no-new-privileges:true" in host["SecurityOpt"], name
        assert host["LogConfig"]["Config"]["max-size"] == "10m", name
        assert host["RestartPolicy"]["Name"] == "unless-stopped", name


def test_nothing_listens_beyond_loopback(up: Up) -> None:
    """Only Airflow's pages and API are published."""
    for name in (*LIMITS, "airflow-simulator"):
        published = up.compose.container(name)["HostConfig"]["PortBindings"] or {}
        assert bool(published) == (name == "airflow-apiserver"), name
        for bindings in published.values():
            assert {binding["HostIp"] for binding in bindings} == {"127.0.0.1"}


def test_a_campaign_started_on_the_command_line_ends_in_the_results_folder(up: Up) -> None:
    """One trigger later the results are there; the next campaign simulates nothing."""
    conf = {"model": "mm1", "config": "Short", "results": "by-hand"}
    words = ["airflow", "dags", "trigger", "simulation_campaign", "--run-id", "by-hand"]
    up.compose("exec", "-T", "airflow-scheduler", *words, "--conf", json.dumps(conf))
    assert up.wait("by-hand") == "success"
    data = manifest(up, "by-hand")
    assert {run["outcome"] for run in data["runs"]} == {"done"}
    assert {run["host"] for run in data["runs"]} == {up.compose.environment["OPPFLOW_HOST"]}
    for run in data["runs"]:
        for file in run["files"]:
            assert (up.results / "by-hand" / file["name"]).stat().st_size == file["size"]
    again = manifest(up, up.run(model="mm1", config="Short"))
    assert {run["outcome"] for run in again["runs"]} == {"reused"}


def test_a_killed_worker_loses_nothing(up: Up) -> None:
    """The containers go on; the next attempt takes them over."""
    options = {"*.customers": 1_500_000}
    conf = {"model": "mm1", "config": "Short", "run_filter": "0,1", "runs_per_task": 1}
    run_id = up.client.trigger({**conf, "options": options, "reuse_results": False})
    deployment = up.compose.environment["OPPFLOW_DEPLOYMENT"]
    eventually(lambda: len(simulating(deployment)) == 2, within=120)
    before = {container["Id"] for container in simulating(deployment)}
    up.compose("kill", "airflow-simulator")
    time.sleep(2)
    assert {container["Id"] for container in simulating(deployment)} <= before
    up.compose("up", "--detach", "--no-build")
    assert up.wait(run_id, within=400) == "success"
    data = manifest(up, str(up.client.xcom(run_id, "pack_model")["results"]))
    assert [(run["outcome"], run["attempts"]) for run in data["runs"]] == [("done", 2)] * 2
    assert simulating(deployment) == []


_ASK = """
import http.client, json, sys
for method, path in json.loads(sys.argv[1]):
    connection = http.client.HTTPConnection("engine-proxy", 2375, timeout=10)
    connection.request(method, path, body="{}", headers={"Content-Type": "application/json"})
    answer = connection.getresponse()
    print(answer.status, answer.read(300).decode(errors="replace").replace(chr(10), " "))
"""


def asked(up: Up, *calls: tuple[str, str]) -> list[tuple[int, str]]:
    """What the engine proxy answers to a worker: status and text of each call."""
    words = ["exec", "-T", "airflow-simulator", "python", "-c", _ASK, json.dumps(calls)]
    lines = up.compose(*words).stdout.splitlines()
    return [(int(line.split()[0]), line.split(" ", 1)[1]) for line in lines]


def test_the_engine_proxy_lets_nothing_else_pass(up: Up) -> None:
    """The proxy itself says so, not the engine."""
    refused = asked(
        up,
        ("POST", "/v1.41/containers/abc/exec"), ("POST", "/build"), ("POST", "/networks/create"),
        ("GET", "/v1.41/containers/abc/export"), ("GET", "/v1.41/containers/../secrets"),
        ("DELETE", "/v1.41/images/abc"), ("POST", "/v1.41/volumes/prune"), ("GET", "/swarm"),
        ("PUT", "/v1.41/containers/json"),
        ("GET", "/images/a%40b%2f..%2fc/json"), ("GET", "/containers/abc%2f../json"),
    )  # fmt: skip
    assert {status for status, _ in refused} == {403}
    assert all("engine proxy" in text for _, text in refused)
    allowed = asked(
        up, ("GET", "/_ping"), ("GET", "/v1.41/containers/json"),
        ("GET", f"/images/lab/none%40sha256:{'0' * 64}/json"),
    )  # fmt: skip
    assert [status for status, _ in allowed] == [200, 200, 404]


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ("OPPFLOW_STORE_URL=redis://:wrong@store:6379/0", "Set user and password"),
        ("DOCKER_HOST=tcp://engine-proxy:1", "No container engine answers"),
        ("OPPFLOW_SLOTS=none", "OPPFLOW_SLOTS='none' is not a positive whole number"),
        ("OPPFLOW_RESULTS=/proc/results", "Nothing can be written into the results root"),
    ],
)
def test_what_is_wrong_is_told_in_words_before_anything_starts(
    up: Up, changed: str, told: str
) -> None:
    """The init service fails, and others wait for it."""
    words = ["run", "--rm", "--no-deps", "-T", "-e", changed, "airflow-init"]
    done = up.compose(*words, check=False)
    said = done.stdout + done.stderr
    assert done.returncode == 1, said
    assert told in said
    assert "Traceback" not in said


def test_an_env_that_is_not_the_databases_is_told(up: Up) -> None:
    """As after make env beside volumes of an earlier one."""
    given = up.compose.environment["POSTGRES_PASSWORD"]
    url = f"postgresql+psycopg2://airflow:x{given[1:]}@postgres/airflow"
    name = "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"
    words = ["run", "--rm", "--no-deps", "-T", "-e", f"{name}={url}", "airflow-init"]
    done = up.compose(*words, check=False)
    said = done.stdout + done.stderr
    assert done.returncode == 1, said
    assert "refuses POSTGRES_PASSWORD" in said
    assert "Traceback" not in said


def test_a_port_that_is_taken_is_named(up: Up) -> None:
    """Compose's own words; make env takes a free one."""
    port = up.compose.environment["OPPFLOW_PORT"]
    words = ["run", "--rm", "--no-deps", "-T", "--service-ports", "airflow-apiserver", "true"]
    done = up.compose(*words, check=False)
    assert done.returncode != 0
    assert port in done.stdout + done.stderr


def test_a_stop_is_in_order(up: Up) -> None:
    """Airflow's parts end when asked to, not after the grace period."""
    for name in ("airflow-triggerer", "airflow-dag-processor"):
        up.compose("stop", "--timeout", "30", name)
        state = up.compose.container(name)["State"]
        assert state["ExitCode"] != 137, name
