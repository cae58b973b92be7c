"""Everybody can use the campaign page: keyboard and screen reader, wide and narrow."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import quote

import pytest
from playwright.sync_api import Page

from oppflow.local.client import DAG_ID
from tests.airflow.conftest import Ended, LiveAirflow
from tests.airflow.page.desk import MINUTE, NARROW, WIDE, Desk
from tests.airflow.test_browser import CHROMIUM
from tests.support.campaigns import PROJECT_ROOT

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")

PICTURES = PROJECT_ROOT / "docs" / "pictures"
LEVELS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]
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
