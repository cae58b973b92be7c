"""A browser before a real Airflow, with two campaigns to look at."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.airflow.conftest import Ended, LiveAirflow
from tests.airflow.page.desk import Desk
from tests.airflow.test_browser import CHROMIUM, QUIET


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One for each module: while it is open an event loop runs, and other tests want their own."""
    with sync_playwright() as playwright:
        yield (browser := playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET))
        browser.close()


@pytest.fixture
def desk(airflow: LiveAirflow, browser: Browser) -> Iterator[Desk]:
    desk = Desk(airflow, browser)
    yield desk
    desk.close()
    assert desk.errors == []


@pytest.fixture(scope="package")
def swept(airflow: LiveAirflow) -> Ended:
    """A good campaign, as in the demo but shorter."""
    return airflow.run(model="mm1", config="Short", reuse_results=False)


@pytest.fixture(scope="package")
def failed(airflow: LiveAirflow) -> Ended:
    """A campaign with two failed runs of six."""
    return airflow.run(model="fails", config="AtLoad", reuse_results=False, runs_per_task=1)
