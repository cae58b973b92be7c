"""What holds for all tests: Airflow's home is never the user's own."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest

TESTS = Path(__file__).parent

# Importing Airflow writes a configuration file into its home.
os.environ["AIRFLOW_HOME"] = tempfile.mkdtemp(prefix="oppflow-airflow-")


def pytest_addoption(parser: pytest.Parser) -> None:
    """``--pictures`` makes the documentation's pictures of the campaign page anew."""
    parser.addoption("--pictures", action="store_true", help="write docs/pictures anew")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Where tests are shared out to processes, a folder stays together: it shares an Airflow."""
    for item in items:
        item.add_marker(pytest.mark.xdist_group(item.path.relative_to(TESTS).parts[0]))
