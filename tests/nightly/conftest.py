"""A model that nights simulate, and that a test may edit between them."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from oppflow.deployment import Deployment
from tests.support.campaigns import MODELS, make_deployment
from tests.support.nights import Edit

# Enough repetitions for a test, short enough for one.
INI = """
[Config Tonight]
extends = MM1
repeat = 8
*.warmupCustomers = 50
*.customers = 400
"""


@pytest.fixture
def deployment(tmp_path: Path) -> Deployment:
    return make_deployment(tmp_path)


@pytest.fixture
def model(tmp_path: Path) -> Path:
    folder = Path(shutil.copytree(MODELS / "mm1", tmp_path / "models" / "my_mm1"))
    ini = folder / "omnetpp.ini"
    ini.write_text(ini.read_text() + INI)
    return folder


@pytest.fixture
def edit(model: Path) -> Edit:
    """Changes one of the model's files."""

    def replace(old: str, new: str) -> None:
        for path in (model / "mm1.py", model / "omnetpp.ini"):
            text = path.read_text()
            if old in text:
                path.write_text(text.replace(old, new))
                return
        raise AssertionError(old)

    return replace
