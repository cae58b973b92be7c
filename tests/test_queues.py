"""Which queue a task instance goes to, as Airflow's scheduler asks for it."""

from __future__ import annotations

import pytest

from oppflow.queues import wanted_queue


@pytest.fixture(autouse=True)
def queues(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPPFLOW_QUEUES", "simulate, large")


@pytest.mark.parametrize(
    ("task_id", "queue", "conf", "wanted"),
    [
        ("simulate", "simulate", {"queue": "large"}, "large"),
        ("simulate", "simulate", {"queue": None}, "simulate"),
        ("simulate", "simulate", {}, "simulate"),
        ("simulate", "simulate", None, "simulate"),  # scheduled
        ("simulate", "large", {"queue": "simulate"}, "simulate"),  # a nightly campaign by hand
        ("simulate", "simulate", {"queue": "unknown"}, "simulate"),
        ("collect", "default", {"queue": "large"}, "default"),
        ("simulate", "others", {"queue": "large"}, "others"),  # of a DAG that is not ours
    ],
)
def test_only_simulations_move_and_only_between_the_deployments_queues(
    task_id: str, queue: str, conf: dict[str, str] | None, wanted: str
) -> None:
    """The parameter decides; what is no queue of ours changes nothing."""
    assert wanted_queue(task_id, queue, conf) == wanted
