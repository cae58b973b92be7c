"""The campaign page in a real browser, as a researcher uses it, over a real Airflow."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from urllib.parse import quote

import pytest
from playwright.sync_api import expect

from oppflow.local.client import DAG_ID
from tests.airflow.conftest import Ended, LiveAirflow
from tests.airflow.page.desk import MINUTE, Desk, address
from tests.airflow.test_browser import CHROMIUM
from tests.support.processes import eventually

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")


def test_progress_reaches_the_end(airflow: LiveAirflow, desk: Desk) -> None:
    """Live, without a reload: from the list into a campaign that has just been triggered."""
    run_id = airflow.client.trigger({"model": "mm1", "config": "Short", "reuse_results": False})
    page = desk.page(f"{airflow.stack.url}/plugin/campaigns")
    page.locator("tbody a").first.click()
    page.wait_for_url(re.compile(re.escape(DAG_ID)))
    expect(page.get_by_test_id("progress")).to_contain_text(
        "8 of 8 runs ended (100 %)", timeout=2 * MINUTE
    )
    airflow.wait(run_id)
    expect(page.get_by_text("success").first).to_be_visible(timeout=MINUTE)
    expect(page.get_by_role("link", name="Download all")).to_be_visible(timeout=MINUTE)


def test_it_is_found_in_the_navigation_and_at_the_dag_run(
    airflow: LiveAirflow, desk: Desk, swept: Ended
) -> None:
    """A page of its own, and a tab beside Airflow's."""
    page = desk.page(airflow.stack.url)
    page.get_by_role("link", name="Campaigns").click()
    expect(page.get_by_role("heading", name="Campaigns")).to_be_visible()
    page.goto(f"{airflow.stack.url}/dags/{DAG_ID}/runs/{quote(swept.run_id)}")
    page.get_by_role("link", name="Campaign", exact=True).click()
    expect(page.get_by_role("heading", name="mm1 · Short")).to_be_visible()
    expect(page.get_by_test_id("matching")).to_have_text("8 runs")


def test_a_cell_of_the_matrix_leads_to_its_runs(
    airflow: LiveAirflow, desk: Desk, failed: Ended
) -> None:
    """By keyboard: read, moved over, chosen; the address keeps the choice."""
    page = desk.page(address(airflow, failed.run_id))
    first = page.get_by_role("button", name=re.compile("^load=0.2: 2 runs, 2 done"))
    first.focus()
    page.keyboard.press("ArrowRight")
    focused = page.evaluate("document.activeElement.getAttribute('aria-label')")
    assert focused.startswith("load=0.5: 2 runs, 2 failed")
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("matching")).to_have_text("2 of 6 runs")
    assert "filter=load%3D0.5" in page.url
    page.reload()
    expect(page.get_by_test_id("matching")).to_have_text("2 of 6 runs")


def test_a_failed_run_tells_all(airflow: LiveAirflow, desk: Desk, failed: Ended) -> None:
    """From the failures: variables, message, last lines, command, files, and the task's log."""
    page = desk.page(address(airflow, failed.run_id))
    page.get_by_role("region", name="Failures").get_by_role("button", name="#2").click()
    run = page.get_by_role("dialog")
    expect(run.get_by_role("heading", name="Run #2 load=0.5")).to_be_visible()
    expect(run.get_by_role("region", name="Last lines")).to_contain_text("ValueError: cannot stand")
    expect(run.get_by_role("region", name="Command")).to_contain_text("-c AtLoad -r 2")
    expect(run.get_by_role("link", name=".out")).to_be_visible()
    run.get_by_role("link", name="Task log in Airflow").click()
    page.wait_for_url(re.compile("/tasks/simulate/mapped/2"))
    expect(page.get_by_text("cannot stand a load of 0.5").first).to_be_visible(timeout=MINUTE)


def test_a_drawer_closes_by_keyboard(airflow: LiveAirflow, desk: Desk, failed: Ended) -> None:
    """And gives the address back."""
    page = desk.page(address(airflow, failed.run_id, "?run=2"))
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    assert "run=2" not in page.url


def test_the_chart_follows_the_choice(airflow: LiveAirflow, desk: Desk, swept: Ended) -> None:
    """Plotly comes from this server, when charts are opened and not before."""
    asked: list[str] = []
    page = desk.page()
    page.on("request", lambda request: asked.append(request.url))
    page.goto(address(airflow, swept.run_id))
    expect(page.get_by_test_id("matching")).to_be_visible()
    assert not [url for url in asked if "plotly" in url]
    page.get_by_role("tab", name="Charts").click()
    chart = page.locator(".oppflow-chart[data-drawn] .main-svg").first
    expect(chart).to_be_visible(timeout=MINUTE)
    expect(page.get_by_role("heading", name="timeInSystem:mean of Queue")).to_be_visible()
    page.get_by_label("Scalar").select_option(label="queueLength:max of Queue")
    expect(page.get_by_role("heading", name="queueLength:max of Queue")).to_be_visible()
    expect(chart).to_be_visible()
    assert all(url.startswith((airflow.stack.url, "data:", "blob:")) for url in asked)


def test_an_archive_is_downloaded_whole(
    airflow: LiveAirflow, desk: Desk, swept: Ended, tmp_path: Path
) -> None:
    """Its digest is the one that the campaign recorded."""
    page = desk.page(address(airflow, swept.run_id, "?run=3"))
    with page.expect_download() as download:
        page.get_by_role("dialog").get_by_role("link", name=re.compile("^Archive")).click()
    download.value.save_as(tmp_path / "archive")
    digest = hashlib.sha256((tmp_path / "archive").read_bytes()).hexdigest()
    assert digest == next(r.archive for run, r in swept.manifest.runs if run.number == 3)


def test_a_campaign_is_previewed_and_triggered(
    airflow: LiveAirflow, desk: Desk, swept: Ended
) -> None:
    """The preview tells what would be reused, and why; a filter that gives no runs is told, too."""
    page = desk.page(f"{airflow.stack.url}/plugin/campaigns/new")
    page.get_by_label("Configuration").fill("Short")
    page.get_by_label("Run filter").fill("$load > 7")
    page.get_by_role("button", name="Preview").click()
    expect(page.get_by_role("alert")).to_contain_text(
        "matches none of the 8 runs", timeout=2 * MINUTE
    )
    page.get_by_label("Run filter").fill("0,1,1")
    page.get_by_role("button", name="Preview").click()
    expect(page.get_by_test_id("plan")).to_have_text(
        "2 runs: 0 to execute, 2 reused.", timeout=2 * MINUTE
    )
    expect(page.get_by_text("same inputs as in campaign").first).to_be_visible()
    page.get_by_role("button", name="Start the campaign").click()
    page.wait_for_url(re.compile(f"campaigns/{DAG_ID}/manual"))
    expect(page.get_by_test_id("progress")).to_contain_text("2 of 2 runs ended", timeout=2 * MINUTE)
    previews = desk.page(f"{airflow.stack.url}/plugin/campaigns?plans=1")
    expect(previews.get_by_text("plan", exact=True).first).to_be_visible()


def test_what_is_missing_is_executed(airflow: LiveAirflow, desk: Desk, failed: Ended) -> None:
    """The four good runs are reused, the two failed ones simulated again."""
    page = desk.page(address(airflow, failed.run_id))
    page.get_by_role("button", name="Run only what is missing").click()
    page.get_by_role("alertdialog").get_by_role("button", name="Run only what is missing").click()
    page.wait_for_url(lambda url: DAG_ID in url and quote(failed.run_id) not in url)
    expect(page.get_by_role("button", name="4 reused")).to_be_visible(timeout=2 * MINUTE)
    expect(page.get_by_role("button", name="2 failed").first).to_be_visible(timeout=2 * MINUTE)


def test_a_campaign_is_cancelled(airflow: LiveAirflow, desk: Desk) -> None:
    """Its output is seen while it runs; what did not end was stopped."""
    run_id = airflow.client.trigger({"model": "mm1", "config": "Endless"})
    page = desk.page(address(airflow, run_id, "?run=0"))
    expect(page.get_by_role("dialog").get_by_text("events/s")).to_be_visible(timeout=2 * MINUTE)
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Cancel").click()
    page.get_by_role("alertdialog").get_by_role("button", name="Cancel the campaign").click()
    expect(page.get_by_role("button", name="1 stopped").first).to_be_visible(timeout=MINUTE)
    assert airflow.wait(run_id).green is False


def test_a_page_that_nobody_looks_at_asks_nothing(airflow: LiveAirflow, desk: Desk) -> None:
    """Hidden, it costs the server nothing; seen again, it goes on."""
    run_id = airflow.client.trigger({"model": "mm1", "config": "Endless"})
    asked: list[str] = []
    page = desk.page(address(airflow, run_id))
    page.on("request", lambda request: asked.append(request.url))
    expect(page.get_by_test_id("progress")).to_be_visible(timeout=2 * MINUTE)
    eventually(lambda: (page.wait_for_timeout(500), len(asked) > 2)[1])
    hide = (
        "Object.defineProperty(document, 'hidden', {value: %s, configurable: true});"
        "document.dispatchEvent(new Event('visibilitychange'))"
    )
    page.evaluate(hide % "true")
    page.wait_for_timeout(1000)
    asked.clear()
    page.wait_for_timeout(3000)
    assert not [url for url in asked if "/oppflow/" in url]
    page.evaluate(hide % "false")
    page.wait_for_timeout(1500)
    assert [url for url in asked if "/oppflow/" in url]
    airflow.client.cancel(run_id)
    airflow.wait(run_id)
