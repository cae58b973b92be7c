"""The campaign page at 10,000 runs: how long its routes and its first content take, and memory.

A real Airflow serves a campaign whose records and results are written here, as a campaign of that
size would have left them; nothing of that size is simulated. ``python -m bench.campaign_page``.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import psutil

from bench.large_campaign import inflate
from oppflow.local.client import DAG_ID, AirflowClient
from oppflow.local.home import USER, Home
from oppflow.local.stack import Stack
from oppflow.settings import PROJECT_ROOT

RUNS = 10_000
_VIEWS = 40  # of each route, to see whether memory grows
_SCRIPT = PROJECT_ROOT / "plugins" / "oppflow" / "web" / "static" / "campaigns.js"
_CHROMIUM = ("chromium", "chromium-browser", "google-chrome")

Row = dict[str, Any]

ROUTES = {
    "campaign": "",
    "summary": "/summary",
    "runs, first page": "/runs?limit=50",
    "runs, filtered and sorted": "/runs?filter=load>5%20state=done&sort=-wall_time&offset=500",
    "matrix": "/matrix?x=$load&y=$size",
    "failures": "/failures",
    "a run": "/runs/77",
    "table as CSV": "/runs.csv",
    "table as Parquet": "/runs.parquet",
    "scalars": "/scalars",
    "chart": "/chart?module=Net.node[0]&name=scalar0:mean&x=load&series=size",
}


def measure_page(runs: int = RUNS) -> list[Row]:
    """A row for each route (``ms_first``, ``ms_median``, ``ms_longest``, ``kB``), then the rest.

    ``ms_first`` is the first request after the campaign changed, or after the page was never asked.
    """
    folder = Path(tempfile.mkdtemp(prefix="oppflow-page-"))
    try:
        with _airflow(folder) as (stack, client):
            rows: list[Row] = []
            for kind in ("running", "collected"):
                run_id = client.trigger({"model": "mm1", "config": "Short", "run_filter": "0"})
                _wait(lambda run=run_id: client.dag_run(run)["state"] in ("success", "failed"))
                inflate(run_id, runs, collected=kind == "collected")
                rows += _routes(stack, run_id, f"{runs} runs, {kind}")
            rows.append(_memory(stack, run_id))
            rows += _first_content(stack, run_id)
            return rows
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def _airflow(folder: Path) -> Iterator[tuple[Stack, AirflowClient]]:
    before = dict(os.environ)
    os.environ.update(
        {
            "OPPFLOW_HOME": str(folder / "airflow"),
            "OPPFLOW_RESULTS": str(folder / "results"),
            "OPPFLOW_WORK": str(folder / "work"),
            "OPPFLOW_STORE_URL": (folder / "store").as_uri(),
            "OPPFLOW_MODEL_ROOTS": str(PROJECT_ROOT / "models"),
            "OPPFLOW_RUNNER": "process",
        }
    )
    home = Home.of_project()
    stack = Stack.start(home)
    try:
        with contextlib.closing(AirflowClient(stack.url, USER, home.password())) as client:
            client.wait_for_dag()
            yield stack, client
    finally:
        stack.stop()
        os.environ.clear()
        os.environ.update(before)


def _wait(done: Any, patience: float = 180) -> None:
    deadline = time.monotonic() + patience
    while not done():
        if time.monotonic() > deadline:
            raise TimeoutError("the campaign did not end")
        time.sleep(0.3)


def _token(stack: Stack) -> str:
    body = {"username": USER, "password": stack.home.password()}
    return str(httpx.post(f"{stack.url}/auth/token", json=body).json()["access_token"])


def _address(stack: Stack, run_id: str) -> str:
    return f"{stack.url}/oppflow/api/campaigns/{DAG_ID}/{quote(run_id)}"


def _routes(stack: Stack, run_id: str, what: str) -> list[Row]:
    rows = []
    with httpx.Client(headers={"Authorization": f"Bearer {_token(stack)}"}, timeout=60) as http:
        http.get(f"{stack.url}/oppflow/api/campaigns")  # builds the application, once a server
        for name, path in ROUTES.items():
            if "running" in what and name in ("scalars", "chart"):
                continue
            times, answer = [], None
            for _ in range(9):
                begin = time.perf_counter()
                answer = http.get(_address(stack, run_id) + path)
                times.append(1000 * (time.perf_counter() - begin))
                answer.raise_for_status()
                time.sleep(0.15)  # so that what is read is now and then too old
            assert answer is not None
            rows.append(
                {"what": what, "route": name, "ms_first": round(times[0]),
                 "ms_median": round(statistics.median(times)), "ms_longest": round(max(times)),
                 "kB": round(len(answer.content) / 1000)}
            )  # fmt: skip
    return rows


def _memory(stack: Stack, run_id: str) -> Row:
    """Resident memory of the API server after many views, and after as many more (MB)."""
    server = psutil.Process(stack.parts["api-server"].pid)
    seen = []
    with httpx.Client(headers={"Authorization": f"Bearer {_token(stack)}"}, timeout=60) as http:
        for _ in range(3):
            for view in range(_VIEWS):
                for path in ROUTES.values():
                    joint = "&" if "?" in path else "?"
                    http.get(f"{_address(stack, run_id)}{path}{joint}view={view}")
            everybody = [server, *server.children(recursive=True)]
            seen.append(sum(process.memory_info().rss for process in everybody) / 1e6)
    return {"what": f"API server after {_VIEWS * len(ROUTES)}, twice and three times as many views",
            "MB": [round(size) for size in seen]}  # fmt: skip


def _first_content(stack: Stack, run_id: str) -> list[Row]:
    """Seconds from opening the page until its runs are seen; bytes of the page's own.

    Airflow's own scripts are in the browser's cache, as after any other page of it.
    """
    chromium = next(filter(None, map(shutil.which, _CHROMIUM)), None)
    if chromium is None:
        return []
    from playwright.sync_api import Error, sync_playwright  # noqa: PLC0415 - where there is a browser

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        context = browser.new_context()
        context.add_cookies([{"name": "_token", "value": _token(stack), "url": stack.url}])
        page = context.new_page()
        page.goto(f"{stack.url}/plugin/campaigns")
        page.get_by_role("heading", name="Campaigns").wait_for()
        page.wait_for_timeout(1000)
        begin = time.perf_counter()
        page.goto(f"{stack.url}/plugin/no-such-page")
        page.get_by_role("link", name="Campaigns").wait_for()
        airflow = time.perf_counter() - begin
        page.get_by_role("link", name="Campaigns").click()
        link = page.locator("tbody a").first
        link.wait_for()
        page.wait_for_timeout(1000)
        sizes: dict[str, int] = {}

        def count(request: Any) -> None:
            with contextlib.suppress(Error):  # it may have been navigated away from
                response = request.response()
                if "/oppflow/" in request.url and response.status == httpx.codes.OK:
                    sizes[request.url] = len(response.body())

        page.on("requestfinished", count)
        begin = time.perf_counter()
        link.click()
        page.get_by_test_id("progress").wait_for()
        clicked = time.perf_counter() - begin
        page.wait_for_timeout(500)
        own = sum(sizes.values())
        page.remove_listener("requestfinished", count)
        begin = time.perf_counter()
        page.goto(f"{stack.url}/plugin/campaigns/{DAG_ID}/{quote(run_id)}")
        page.get_by_test_id("progress").wait_for()
        first = time.perf_counter() - begin
        page.get_by_test_id("matching").wait_for()
        table = time.perf_counter() - begin
        page.wait_for_timeout(500)
        browser.close()
    return [
        {"what": "first content after a click in the list", "seconds": round(clicked, 2)},
        {"what": "Airflow's own frame after loading its UI anew", "seconds": round(airflow, 2)},
        {"what": "first content after loading all of it anew", "seconds": round(first, 2)},
        {"what": "table of runs after loading all of it anew", "seconds": round(table, 2)},
        {
            "what": "bytes of the campaign, not compressed, and with the page's script",
            "kB": [round(own / 1000), round((own + _SCRIPT.stat().st_size) / 1000)],
        },
    ]


def main() -> None:
    """Print the rows."""
    for row in measure_page():
        print(json.dumps(row, ensure_ascii=False))


if __name__ == "__main__":
    main()
