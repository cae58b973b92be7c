"""A client of Airflow's REST API, with the few calls that a campaign needs."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import httpx

from oppflow.errors import InfrastructureError, ParameterError

DAG_ID = "simulation_campaign"
_PAGE = 100


class LogLine(NamedTuple):
    """A line of a task's log; ``level`` may be empty."""

    level: str
    text: str


class AirflowClient:
    """Signs in as a user, triggers campaigns and looks at them. Times out after 30 s."""

    def __init__(self, url: str, user: str, password: str, dag_id: str = DAG_ID) -> None:
        """Sign in; ``dag_id`` is the DAG that executes the campaigns.

        Raises:
            InfrastructureError: Airflow does not answer, or refuses the user.
        """
        self._dag_id = dag_id
        self._http = httpx.Client(base_url=url, timeout=30)
        answer = self._send("POST", "/auth/token", {"username": user, "password": password})
        self._http.headers["Authorization"] = f"Bearer {answer['access_token']}"

    def close(self) -> None:
        """Let go of the connection."""
        self._http.close()

    def wait_for_dag(self, patience: float = 60) -> None:
        """Return when Airflow knows the campaign DAG.

        Raises:
            InfrastructureError: it did not appear in time; import errors are in the message.
        """
        deadline = time.monotonic() + patience
        while time.monotonic() < deadline:
            if self._http.get(f"/api/v2/dags/{self._dag_id}").status_code == httpx.codes.OK:
                return
            time.sleep(0.3)
        errors = self._send("GET", "/api/v2/importErrors").get("import_errors", [])
        traces = "\n".join(error["stack_trace"] for error in errors)
        raise InfrastructureError(f"Airflow does not know the DAG {self._dag_id}.\n{traces}")

    def trigger(self, conf: Mapping[str, Any]) -> str:
        """Start a campaign; its DAG run's ID.

        Raises:
            ParameterError: Airflow refuses the parameters.
        """
        body = {"logical_date": None, "conf": dict(conf)}
        return str(self._send("POST", f"/api/v2/dags/{self._dag_id}/dagRuns", body)["dag_run_id"])

    def dag_run(self, run_id: str) -> dict[str, Any]:
        """The DAG run as Airflow tells it."""
        return self._send("GET", f"/api/v2/dags/{self._dag_id}/dagRuns/{run_id}")

    def campaigns(self, *states: str) -> list[str]:
        """The IDs of the newest DAG runs, all or those in one of the states."""
        wanted = "".join(f"&state={state}" for state in states)
        path = f"/api/v2/dags/{self._dag_id}/dagRuns?limit={_PAGE}&order_by=-run_after{wanted}"
        return [run["dag_run_id"] for run in self._send("GET", path)["dag_runs"]]

    def cancel(self, run_id: str) -> None:
        """Mark a campaign failed: Airflow ends its tasks, and they their simulations."""
        self._send("PATCH", f"/api/v2/dags/{self._dag_id}/dagRuns/{run_id}", {"state": "failed"})

    def task_instances(self, run_id: str) -> Iterator[dict[str, Any]]:
        """Every task instance of a DAG run."""
        offset = 0
        while True:
            path = f"/api/v2/dags/{self._dag_id}/dagRuns/{run_id}/taskInstances"
            page = self._send("GET", f"{path}?limit={_PAGE}&offset={offset}")["task_instances"]
            yield from page
            offset += len(page)
            if len(page) < _PAGE:
                return

    def xcom(self, run_id: str, task_id: str) -> Any:
        """What a task returned, or None while it has not."""
        path = f"/api/v2/dags/{self._dag_id}/dagRuns/{run_id}/taskInstances/{task_id}"
        answer = self._http.get(f"{path}/xcomEntries/return_value?deserialize=true")
        return answer.json()["value"] if answer.status_code == httpx.codes.OK else None

    def log(self, run_id: str, task_id: str, attempt: int, map_index: int = -1) -> list[LogLine]:
        """The lines of a task's log."""
        path = (
            f"/api/v2/dags/{self._dag_id}/dagRuns/{run_id}/taskInstances/{task_id}/logs/{attempt}"
        )
        content = self._send("GET", f"{path}?map_index={map_index}&full_content=true")["content"]
        return [LogLine(str(entry.get("level", "")), str(entry["event"])) for entry in content]

    def _send(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        try:
            answer = self._http.request(method, path, json=body)
        except httpx.HTTPError as error:
            raise InfrastructureError(f"Airflow does not answer: {error!r}.") from error
        if answer.status_code in (httpx.codes.BAD_REQUEST, httpx.codes.UNPROCESSABLE_ENTITY):
            raise ParameterError(f"Airflow refuses this: {_detail(answer)}")
        if answer.is_error:
            raise InfrastructureError(
                f"Airflow answered {answer.status_code} to {method} {path}: {_detail(answer)}"
            )
        return dict(answer.json()) if answer.content else {}


def _detail(answer: httpx.Response) -> str:
    try:
        return str(answer.json().get("detail", answer.text))
    except ValueError:
        return answer.text[:500]
