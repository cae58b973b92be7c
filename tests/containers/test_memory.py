"""Out of memory: told by the kernel's count, for the run that it was and for no other."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from oppflow.deployment import Deployment
from tests.support.campaigns import run_campaign
from tests.support.containers import container_deployment


@pytest.fixture
def deployment(engine_is_there: None, tmp_path: Path) -> Iterator[Deployment]:
    with container_deployment(tmp_path, slots=2) as made:
        yield made


def test_a_run_out_of_memory_takes_no_other_along(deployment: Deployment) -> None:
    """Two run at once in the container, and share what it may use."""
    finished = run_campaign(
        deployment, model="hungry", config="Mixed", memory="64m", runs_per_task=3
    )
    outcomes = [run["outcome"] for run in finished.manifest.data["runs"]]
    assert outcomes == ["done", "out_of_memory", "done"]
    message = finished.run(1)["message"]
    assert "used more memory than it may" in message
    assert "256 MiB" in message  # 2 x 64 for the runs, 128 for the worker
    assert "256 MiB" in str(finished.errors["report"])


def test_a_run_that_somebody_kills_is_not_out_of_memory(deployment: Deployment) -> None:
    """The signal is the same, the count is not."""
    finished = run_campaign(deployment, model="killed", config="Killed", run_filter="0")
    assert finished.run(0)["outcome"] == "lost"
