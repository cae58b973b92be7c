"""Fixtures of the engine's tests."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from oppflow.engine.main import main
from tests.engine.support import BAD_MODELS, MODELS, Ran, write_ini


@pytest.fixture
def ask(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., Ran]:
    """Asks the engine in this process, in a folder with the given ini file."""
    monkeypatch.chdir(tmp_path)

    def run(ini: str, *arguments: str) -> Ran:
        write_ini(tmp_path, ini)
        status = main(["-s", *arguments])
        captured = capsys.readouterr()
        return Ran(status, captured.out, captured.err)

    return run


@pytest.fixture
def model(tmp_path: Path) -> Callable[[str], Path]:
    """A copy of one of the models, for a test to run in."""

    def copy(name: str) -> Path:
        source = MODELS / name if (MODELS / name).is_dir() else BAD_MODELS / name
        return Path(shutil.copytree(source, tmp_path / name))

    return copy
