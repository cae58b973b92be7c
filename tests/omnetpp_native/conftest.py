"""Models for OMNeT++, simulated by the OMNeT++ that is installed here; skipped where none is."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from oppflow.deployment import Deployment
from tests.support.campaigns import BAD_MODELS, MODELS, make_deployment
from tests.support.omnetpp import why_not

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip what is in this folder, with the reason."""
    reason = why_not()
    for item in items:
        if reason and item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.skip(reason=reason))


@pytest.fixture
def deployment(tmp_path: Path) -> Deployment:
    """It finds the test's own models only."""
    return make_deployment(tmp_path, model_roots=(tmp_path / "models",))


@pytest.fixture
def copy_model(tmp_path: Path) -> Callable[..., Path]:
    """Copies a model to where the test's own deployment finds it, to be edited."""

    def copy(name: str, *, to: str = "") -> Path:
        source = MODELS / name if (MODELS / name).exists() else BAD_MODELS / name
        return Path(shutil.copytree(source, tmp_path / "models" / (to or name)))

    return copy
