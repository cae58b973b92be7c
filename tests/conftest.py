"""What holds for all tests: Airflow's home is never the user's own."""

from __future__ import annotations

import os
import tempfile

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

# Importing Airflow writes a configuration file into its home.
os.environ["AIRFLOW_HOME"] = tempfile.mkdtemp(prefix="oppflow-airflow-")


def pytest_addoption(parser: pytest.Parser) -> None:
    """``--pictures`` makes the documentation's pictures of the campaign page anew."""
    parser.addoption("--pictures", action="store_true", help="write docs/pictures anew")


class _ByFolder(LoadScopeScheduling):
    """Shares tests out to processes by folder: the tests of one share an Airflow, or a server."""

    def _split_scope(self, nodeid: str) -> str:
        return nodeid.partition("::")[0].split("/")[1]


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadScopeScheduling:
    return _ByFolder(config, log)
