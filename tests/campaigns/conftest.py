"""A deployment of one's own for every test, and models that a test may edit."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from oppflow.deployment import Deployment
from tests.support.campaigns import BAD_MODELS, MODELS, make_deployment
from tests.support.tiny import write_tiny


@pytest.fixture
def deployment(tmp_path: Path) -> Deployment:
    return make_deployment(tmp_path)


@pytest.fixture
def own_model(tmp_path: Path) -> Callable[[str], Path]:
    """Copies a model to where the deployment finds it, to be edited."""

    def copy(name: str) -> Path:
        source = MODELS / name if (MODELS / name).exists() else BAD_MODELS / name
        return Path(shutil.copytree(source, tmp_path / "models" / f"my_{name}"))

    return copy


@pytest.fixture
def tiny(tmp_path: Path) -> Callable[..., Path]:
    """Writes a small model to where the deployment finds it."""

    def write(ini: str = "", *, name: str = "tiny") -> Path:
        return write_tiny(tmp_path / "models" / name, ini)

    return write
