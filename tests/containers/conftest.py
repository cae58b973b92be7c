"""All of these tests need a container engine and the worker image; else they are skipped."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from oppflow.deployment import Deployment
from tests.support.containers import container_deployment, why_no_containers


@pytest.fixture(autouse=True)
def engine_is_there() -> None:
    if why := why_no_containers():
        pytest.skip(why)


@pytest.fixture
def deployment(engine_is_there: None, tmp_path: Path) -> Iterator[Deployment]:
    with container_deployment(tmp_path) as made:
        yield made
