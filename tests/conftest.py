"""What holds for all tests: Airflow's home is never the user's own."""

from __future__ import annotations

import os
import tempfile

import pytest

# Importing Airflow writes a configuration file into its home.
os.environ["AIRFLOW_HOME"] = tempfile.mkdtemp(prefix="oppflow-airflow-")


def pytest_addoption(parser: pytest.Parser) -> None:
    """``--pictures`` makes the documentation's pictures of the campaign page anew."""
    parser.addoption("--pictures", action="store_true", help="write docs/pictures anew")
