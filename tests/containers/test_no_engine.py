"""What is told where no container engine answers; these need none."""

from __future__ import annotations

import gc
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from oppflow.errors import InfrastructureError
from tests.support.campaigns import make_deployment, pack

# docker-py does not close the socket of a connection that failed.
pytestmark = pytest.mark.filterwarnings(
    "ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"
)


@pytest.fixture(autouse=True)
def engine_is_there() -> Iterator[None]:
    """Not needed here; what docker-py left is collected while nobody minds."""
    yield
    gc.collect()


def told(folder: Path) -> InfrastructureError:
    deployment = make_deployment(folder, runner="docker")
    with pytest.raises(InfrastructureError) as caught:
        pack(deployment, model="mm1", config="Short")
    return caught.value


def test_no_engine_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where it was looked for, and what else would do."""
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/no.sock")
    error = told(tmp_path)
    assert f"No container engine answers at unix://{tmp_path}/no.sock" in error.message
    assert "DOCKER_HOST" in error.hint
    assert "OPPFLOW_RUNNER=process" in error.hint
    assert error.transient


def test_a_socket_that_nobody_listens_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As after a crash of the engine."""
    path = tmp_path / "dead.sock"
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))
    monkeypatch.setenv("DOCKER_HOST", f"unix://{path}")
    assert "No container engine answers" in told(tmp_path).message


def test_a_machine_that_does_not_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An engine may be far away."""
    monkeypatch.setenv("DOCKER_HOST", "tcp://127.0.0.1:1")
    assert "tcp://127.0.0.1:1" in told(tmp_path).message


def test_subprocesses_need_neither_docker_nor_airflow(tmp_path: Path) -> None:
    """Nor do they wait for their import."""
    import subprocess
    import sys

    code = (
        "import sys, oppflow.deployment, oppflow.stages.simulate, oppflow.stages.build;"
        "print([name for name in ('docker', 'airflow') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True,
                          env={"PYTHONPATH": "plugins"})  # fmt: skip
    assert done.stdout.strip() == "[]"
