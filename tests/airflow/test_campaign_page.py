"""The campaign page in a real browser, as a researcher uses it, over a real Airflow."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright
from tests.airflow.conftest import VIEWER, Ended, LiveAirflow
from tests.airflow.test_browser import CHROMIUM, QUIET
from tests.support.campaigns import PROJECT_ROOT
from tests.support.processes import eventually

from oppflow.local.client import DAG_ID
from oppflow.local.home import USER

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")

PICTURES = PROJECT_ROOT / "docs" / "pictures"
WIDE, NARROW = (1280, 900), (390, 844)
LEVELS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]
MINUTE = 60_000  # ms


def passwords(airflow: LiveAirflow) -> dict[str, str]:
    return dict(json.loads(airflow.stack.home.passwords.read_text()))


def token(airflow: LiveAirflow, user: str) -> str:
    body = {"username": user, "password": passwords(airflow)[user]}
    return str(httpx.post(f"{airflow.stack.url}/auth/token", json=body).json()["access_token"])


def address(airflow: LiveAirflow, run_id: str, query: str = "") -> str:
    return f"{airflow.stack.url}/plugin/campaigns/{DAG_ID}/{quote(run_id)}{query}"


def api(run_id: str, rest: str = "") -> str:
    return f"/oppflow/api/campaigns/{DAG_ID}/{quote(run_id)}{rest}"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        yield (browser := playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET))
        browser.close()


class Desk:
    """Opens pages, and collects what the browser's console says against them."""

    def __init__(self, airflow: LiveAirflow, browser: Browser) -> None:
        self._airflow = airflow
        self._browser = browser
        self._contexts: list[BrowserContext] = []
        self.errors: list[str] = []

    def page(
        self,
        url: str = "",
        *,
        user: str | None = USER,
        size: tuple[int, int] = WIDE,
        **options: Any,
    ) -> Page:
        """A page of a user who is signed in, or of nobody."""
        viewport = {"width": size[0], "height": size[1]}
        context = self._browser.new_context(viewport=viewport, accept_downloads=True, **options)
        self._contexts.append(context)
        if user is not None:
            cookie = {"name": "_token", "value": token(self._airflow, user)}
            context.add_cookies([{**cookie, "url": self._airflow.stack.url}])
        page = context.new_page()
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("console", self._hear)
        if url:
            page.goto(url)
        return page

    def _hear(self, message: Any) -> None:
        if message.type == "error":
            self.errors.append(f"{message.text} {message.location.get('url', '')}")

    def close(self) -> None:
        for context in self._contexts:
            context.close()


@pytest.fixture
def desk(airflow: LiveAirflow, browser: Browser) -> Iterator[Desk]:
    desk = Desk(airflow, browser)
    yield desk
    desk.close()
    assert desk.errors == []


@pytest.fixture(scope="module")
def swept(airflow: LiveAirflow) -> Ended:
    """A good campaign, as in the demo but shorter."""
    return airflow.run(model="mm1", config="Short", reuse_results=False)


@pytest.fixture(scope="module")
def failed(airflow: LiveAirflow) -> Ended:
    """A campaign with two failed runs of six."""
    return airflow.run(model="fails", config="AtLoad", reuse_results=False, runs_per_task=1)


@pytest.fixture(scope="module")
def shown(airflow: LiveAirflow, request: pytest.FixtureRequest, swept: Ended) -> Ended:
    """What the views show; in the documentation's pictures a sweep over two variables."""
    if request.config.getoption("--pictures"):
        return airflow.run(model="aloha", config="SlottedAloha")
    return swept


def violations(page: Page) -> list[str]:
    """What axe-core finds against levels A and AA in what this project made."""
    from axe_playwright_python.sync_playwright import Axe

    page.wait_for_timeout(500)  # nothing is half faded in
    # Airflow's own navigation is not ours to mend; dialogs lie beside the page.
    parts = [part for part in (".oppflow", "[role=dialog]") if page.locator(part).count()]
    options = {"runOnly": {"type": "tag", "values": LEVELS}, "resultTypes": ["violations"]}
    found = Axe().run(page, context={"include": [[part] for part in parts]}, options=options)
    return [
        f"{one['id']}: {node['html'][:200]}"
        for one in found.response["violations"]
        for node in one["nodes"]
    ]


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


VIEWS: dict[str, Callable[[str], str]] = {
    "list": lambda _: "",
    "campaign": lambda run: f"/{DAG_ID}/{quote(run)}",
    "run": lambda run: f"/{DAG_ID}/{quote(run)}?run=2",
    "charts": lambda run: f"/{DAG_ID}/{quote(run)}?tab=charts",
    "new": lambda _: "/new",
}
READY = {
    "list": "tbody tr td [role=img]",
    "campaign": "[data-testid=matching]",
    "run": "[role=dialog] pre",
    "charts": ".oppflow-chart[data-drawn]",
    "new": "form textarea",
}

# Where this machine has the project is nobody's business.
WITHOUT_PATHS = r"""(root) => document.querySelectorAll('pre').forEach((one) => {
  const text = one.textContent.replace(/\/\S+(?=\/bin\/python)/g, '~/oppflow/.venv');
  one.textContent = text.replaceAll(root, '~/oppflow');
})"""
IN_THE_DOCS = {
    ("list", "light", "wide"),
    ("campaign", "light", "wide"),
    ("campaign", "dark", "wide"),
    ("campaign", "light", "narrow"),
    ("campaign", "dark", "narrow"),
    ("run", "dark", "wide"),
    ("charts", "light", "wide"),
    ("new", "light", "wide"),
}


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("view", VIEWS)
def test_everybody_can_use_it(
    airflow: LiveAirflow,
    desk: Desk,
    shown: Ended,
    failed: Ended,
    request: pytest.FixtureRequest,
    *,
    view: str,
    scheme: str,
) -> None:
    """No violation of WCAG's levels A and AA, wide and narrow; nothing sticks out of a phone."""
    run_id = shown.run_id if view in ("campaign", "charts") else failed.run_id
    for name, size in (("wide", WIDE), ("narrow", NARROW)):
        url = f"{airflow.stack.url}/plugin/campaigns{VIEWS[view](run_id)}"
        page = desk.page(url, size=size, color_scheme=scheme)
        page.locator(READY[view]).first.wait_for(timeout=MINUTE)
        assert violations(page) == []
        box = page.locator(".oppflow")
        assert box.evaluate("(one) => one.scrollWidth <= one.clientWidth + 1"), (
            f"{view} is too wide"
        )
        if request.config.getoption("--pictures") and (view, scheme, name) in IN_THE_DOCS:
            PICTURES.mkdir(exist_ok=True)
            page.evaluate(WITHOUT_PATHS, str(PROJECT_ROOT))
            page.screenshot(path=PICTURES / f"{view}-{scheme}-{name}.png")


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
