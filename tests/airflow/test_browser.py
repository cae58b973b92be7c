"""The trigger form in a real browser, as a researcher uses it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, sync_playwright

from oppflow.local.home import USER
from tests.airflow.conftest import LiveAirflow
from tests.support.processes import eventually

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("chrome")
QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")


@pytest.fixture
def page(airflow: LiveAirflow) -> Iterator[Page]:
    """A page that is signed in through the form."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        page = browser.new_page(viewport={"width": 1300, "height": 1400})
        page.goto(airflow.stack.url)
        page.fill("input[name=username]", USER)
        page.fill("input[name=password]", airflow.stack.home.password())
        page.keyboard.press("Enter")
        page.wait_for_url(f"{airflow.stack.url}/")
        yield page
        browser.close()


def test_a_campaign_starts_from_the_trigger_form(airflow: LiveAirflow, page: Page) -> None:
    """The form asks for model, configuration and run filter by their names."""
    known = set(airflow.client.campaigns())
    page.goto(f"{airflow.stack.url}/dags/simulation_campaign")
    page.get_by_role("button", name="Trigger").first.click()
    form = page.get_by_role("dialog")
    for label, text in {"config": "Short", "run_filter": "2,3"}.items():
        form.locator(f"[name=element_{label}]").fill(text)
    form.get_by_role("button", name="Trigger").last.click()
    started = eventually(lambda: set(airflow.client.campaigns()) - known)
    assert isinstance(started, set)
    ended = airflow.wait(started.pop())
    assert ended.green
    assert [run["number"] for run in ended.manifest.data["runs"]] == [2, 3]
