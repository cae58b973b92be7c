"""A researcher's place before the browser: pages of Airflow, and what their console says."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

import httpx
from playwright.sync_api import Browser, BrowserContext, Page

from oppflow.local.client import DAG_ID
from oppflow.local.home import USER
from tests.airflow.conftest import LiveAirflow

WIDE, NARROW = (1280, 900), (390, 844)
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
