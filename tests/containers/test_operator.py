"""What Airflow sees of the tasks that simulate in containers; this needs no engine."""

from __future__ import annotations

import pytest
from airflow.providers.docker.operators.docker import DockerOperator

from oppflow.orchestration.docker_operator import DockerSimulateOperator
from oppflow.orchestration.operators import SimulateOperator, simulate_operator


@pytest.fixture(autouse=True)
def engine_is_there() -> None:
    """Not needed here."""


def test_the_operator_is_one_of_dockers_where_containers_simulate() -> None:
    """And none where subprocesses do: nothing of Docker is imported for them."""
    assert simulate_operator("docker") is DockerSimulateOperator
    assert simulate_operator("process") is SimulateOperator
    assert issubclass(DockerSimulateOperator, DockerOperator)
    assert not issubclass(SimulateOperator, DockerOperator)


def test_nothing_that_a_user_gives_is_a_template() -> None:
    """The provider's operator renders seven of its arguments."""
    assert tuple(DockerSimulateOperator.template_fields) == ()
    assert tuple(DockerSimulateOperator.template_ext) == ()


def test_killing_a_task_that_has_not_started_anything_is_fine() -> None:
    """Airflow may ask at any time."""
    operator = DockerSimulateOperator(task_id="simulate", batch={"index": 0})
    operator.on_kill()
