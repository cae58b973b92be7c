"""The campaign page shows to nobody what is not theirs, and tells what is not there."""

from __future__ import annotations

import re
import shutil
from urllib.parse import quote

import httpx
import pytest
from playwright.sync_api import Browser, expect

from oppflow.local.client import DAG_ID
from oppflow.local.home import USER
from tests.airflow.conftest import VIEWER, Ended, LiveAirflow
from tests.airflow.page.desk import MINUTE, Desk, address, api, token
from tests.airflow.test_browser import CHROMIUM

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")


def test_models_words_are_text(airflow: LiveAirflow, desk: Desk) -> None:
    """Terminal codes are gone, and a script is printed, not run."""
    ended = airflow.run(model="garbage", config="Garbage")
    page = desk.page(address(airflow, ended.run_id, "?run=0"))
    lines = page.get_by_role("dialog").get_by_role("region", name="Last lines")
    expect(lines).to_contain_text("not UTF-8")
    assert "\x1b" not in lines.inner_text()


def test_a_filter_with_quotes_and_scripts_finds_nothing(
    airflow: LiveAirflow, desk: Desk, swept: Ended
) -> None:
    """It is a word like any other."""
    page = desk.page(address(airflow, swept.run_id))
    page.get_by_label("Filter").fill('"<script>alert(1)</script>')
    expect(page.get_by_test_id("matching")).to_have_text("0 of 8 runs")
    page.get_by_role("button", name="Clear filter").click()
    expect(page.get_by_test_id("matching")).to_have_text("8 runs")


def test_a_viewer_sees_and_may_not_act(airflow: LiveAirflow, desk: Desk, swept: Ended) -> None:
    """No button is there, and the API refuses."""
    page = desk.page(address(airflow, swept.run_id), user=VIEWER)
    expect(page.get_by_test_id("matching")).to_have_text("8 runs")
    expect(page.get_by_role("link", name="Trigger again")).to_have_count(0)
    page.goto(f"{airflow.stack.url}/plugin/campaigns/new")
    expect(page.get_by_text("You may look at campaigns, but not start any.")).to_be_visible()
    headers = {"Authorization": f"Bearer {token(airflow, VIEWER)}"}
    with httpx.Client(base_url=airflow.stack.url, headers=headers) as http:
        assert http.get(api(swept.run_id)).json()["may_act"] is False
        for path in (
            api(swept.run_id, "/again"),
            api(swept.run_id, "/cancel"),
            f"/oppflow/api/campaigns/{DAG_ID}",
        ):
            assert http.post(path, json={}).status_code == httpx.codes.FORBIDDEN


def test_nobody_gets_anything_without_signing_in(
    airflow: LiveAirflow, browser: Browser, swept: Ended
) -> None:
    """The page is Airflow's form to sign in, and every route of the description refuses."""
    page = browser.new_page()
    page.goto(address(airflow, swept.run_id))
    expect(page.locator("input[name=password]")).to_be_visible(timeout=MINUTE)
    page.close()
    headers = {"Authorization": f"Bearer {token(airflow, USER)}"}
    paths = httpx.get(f"{airflow.stack.url}/oppflow/openapi.json", headers=headers).json()["paths"]
    names = {
        "{dag_id}": DAG_ID,
        "{run_id}": quote(swept.run_id),
        "{number}": "0",
        "{vector}": "0",
        "{name}": "runs.csv",
    }
    with httpx.Client(base_url=f"{airflow.stack.url}/oppflow") as http:
        for path, methods in paths.items():
            url = re.sub(r"{\w+}", lambda match: names[match[0]], path)
            for method in methods:
                assert http.request(method, url, json={}).status_code == httpx.codes.UNAUTHORIZED
        for path in ("/campaigns.js", "/plotly.min.js", "/openapi.json"):
            assert http.get(path).status_code == httpx.codes.UNAUTHORIZED
        for path in ("/docs", "/redoc"):
            assert http.get(path).status_code == httpx.codes.NOT_FOUND


def test_a_dag_run_without_a_campaign_is_told(airflow: LiveAirflow, desk: Desk) -> None:
    """Its first task failed."""
    ended = airflow.run(modell="mm1")
    page = desk.page(address(airflow, ended.run_id))
    expect(page.get_by_text("There is no campaign behind this DAG run")).to_be_visible()


def test_results_deleted_by_hand_are_told(airflow: LiveAirflow, desk: Desk) -> None:
    """Runs are still known; charts say why there are none."""
    ended = airflow.run(model="mm1", config="Short", run_filter="0,1")
    shutil.rmtree(ended.results)
    page = desk.page(address(airflow, ended.run_id))
    expect(page.get_by_test_id("matching")).to_have_text("2 runs")
    page.get_by_role("tab", name="Charts").click()
    expect(page.get_by_text("no results folder")).to_be_visible()
    desk.errors[:] = [error for error in desk.errors if "404" not in error]  # it was asked for


def test_an_unknown_campaign_is_told(airflow: LiveAirflow, desk: Desk) -> None:
    """In words."""
    page = desk.page(address(airflow, "nobody"))
    expect(page.get_by_role("alert")).to_contain_text("knows no DAG run 'nobody'")
    desk.errors[:] = [error for error in desk.errors if "404" not in error]
