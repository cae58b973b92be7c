"""Nightly campaigns through a real scheduler, API server and DAG processor."""

from __future__ import annotations

import contextlib
import dataclasses
import shutil
from collections.abc import Iterator
from email.message import Message
from pathlib import Path
from typing import Any

import pytest

from oppflow.local.client import AirflowClient
from oppflow.local.home import USER, Home
from oppflow.local.nightly_demo import half_a_year_away
from tests.airflow.conftest import LiveAirflow
from tests.support.campaigns import MODELS
from tests.support.processes import eventually
from tests.support.smtp_server import smtp_server

GOOD = f"""
name: nightly_queue
schedule: "{half_a_year_away()}"
parameters:
  model: nightly_mm1
  config: MM1
  run_filter: "$load == 0.5 && $repetition < 4"
  options: {{"*.customers": 300, "*.warmupCustomers": 20}}
notify:
  - notifier: airflow.providers.smtp.notifications.smtp.SmtpNotifier
    arguments: {{to: team@example.org, from_email: oppflow@example.org}}
"""
BROKEN = f"schedule: '{half_a_year_away()}'\nparameters:\n  model: mm1\n  confg: MM1\n"


@pytest.fixture(scope="module")
def model(deployment_environment: Path) -> Path:
    """A model and two files, before Airflow looks for them."""
    (deployment_environment / "nightly" / "good.yaml").write_text(GOOD)
    (deployment_environment / "nightly" / "broken.yaml").write_text(BROKEN)
    models = deployment_environment / "models"
    return Path(shutil.copytree(MODELS / "mm1", models / "nightly_mm1"))


@pytest.fixture(scope="module")
def nightly(model: Path, airflow: LiveAirflow) -> Iterator[LiveAirflow]:
    """The same Airflow, with a client for the nightly campaign's DAG."""
    password = Home.of_project().password()
    client = AirflowClient(airflow.stack.url, USER, password, dag_id="nightly_queue")
    with contextlib.closing(client):
        client.wait_for_dag(patience=180)
        yield dataclasses.replace(airflow, client=client)
    for path in model.parent.parent.joinpath("nightly").iterdir():
        path.unlink()


@pytest.fixture(scope="module")
def mails(nightly: LiveAirflow) -> Iterator[list[Message]]:
    """A mail server, and Airflow's connection to it."""
    with smtp_server() as (port, mails):
        extra = '{"disable_ssl": true, "disable_tls": true, "retry_limit": 1}'
        connection = {"connection_id": "smtp_default", "conn_type": "smtp", "host": "127.0.0.1",
                      "port": port, "extra": extra}  # fmt: skip
        ask(nightly, "POST", "/api/v2/connections", connection)
        yield mails


def ask(airflow: LiveAirflow, method: str, path: str, body: Any = None) -> dict[str, Any]:
    return airflow.client._send(method, path, body)


def events(airflow: LiveAirflow) -> list[dict[str, Any]]:
    """What the asset's events say, oldest first."""
    path = "/api/v2/assets/events?source_dag_id=nightly_queue&order_by=timestamp"
    return [event["extra"] for event in ask(airflow, "GET", path)["asset_events"]]


def test_a_broken_file_is_an_import_error_and_leaves_the_others_alone(
    nightly: LiveAirflow,
) -> None:
    """The error names file and line; the other campaigns stay in Airflow."""

    def traces() -> list[str]:
        errors = ask(nightly, "GET", "/api/v2/importErrors")["import_errors"]
        return [error["stack_trace"] for error in errors]

    eventually(lambda: len(traces()) == 1, within=90)
    (trace,) = traces()
    assert "broken.yaml, line 4: there is no parameter confg (did you mean config?)" in trace
    for dag_id in ("nightly_queue", "simulation_campaign"):
        dag = ask(nightly, "GET", f"/api/v2/dags/{dag_id}")
        assert (dag["is_stale"], dag["has_import_errors"]) == (False, False)
    assert dag_is_scheduled(nightly)


def dag_is_scheduled(airflow: LiveAirflow) -> bool:
    dag = ask(airflow, "GET", "/api/v2/dags/nightly_queue")
    return not dag["is_paused"] and "-01T03:00:00" in dag["next_dagrun_run_after"]


def test_nights_in_a_row(nightly: LiveAirflow, model: Path, mails: list[Message]) -> None:
    """The first has nothing beside it, the second nothing to do, the third names what changed."""
    first = nightly.run()
    assert first.green
    assert first.states("tell") == ["skipped"]
    assert [event["verdict"] for event in events(nightly)] == ["first"]

    second = nightly.run()
    assert second.green
    assert second.states("pack_model") == second.states("compare") == ["skipped"]
    assert "nothing is simulated" in second.log("pack_model")
    assert len(events(nightly)) == 1

    ini = model / "omnetpp.ini"
    ini.write_text(ini.read_text().replace("*.serviceRate = 1.0", "*.serviceRate = 0.9"))
    third = nightly.run()
    assert third.green
    assert third.states("tell") == ["success"]
    _, event = events(nightly)
    assert event["verdict"] == "changed"
    assert "serviceRate" in {change["name"] for change in event["comparisons"][0]["changes"]}
    assert third.manifest.data["comparison"]["verdict"] == "changed"
    (mail,) = mails
    assert (mail["To"], mail["Subject"]) == ("team@example.org", "nightly_queue: changed")
    body = mail.get_payload(0).get_payload(decode=True).decode()
    assert "serviceRate of Queue at load=0.5" in body

    ini.unlink()
    fourth = nightly.run()
    assert not fourth.green
    assert fourth.states("compare") == fourth.states("tell") == ["success"]
    *_, event = events(nightly)
    assert event["verdict"] == "failed"
    assert "omnetpp.ini" in event["reason"]
    assert event["last_good"]["verdict"] == "changed"
    assert mails[-1]["Subject"] == "nightly_queue: failed"
