"""What the plugin tells Airflow, without importing what only its API server needs."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import cache
from typing import Any
from urllib.parse import quote

PREFIX = "/oppflow"
_SCRIPT = f"{PREFIX[1:]}/campaigns.js"  # relative, as Airflow may live below a path

_ICON = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24" fill="none" stroke="{0}" '
    'stroke-width="2"><path d="M3 3v18h18"/><path d="M7 15l4-5 3 3 5-7"/></svg>'
)


def _icon(colour: str) -> str:
    return f"data:image/svg+xml,{quote(_ICON.format(colour))}"


class LazyApp:
    """The application, made when the first request comes.

    Airflow loads plugins in every process, and only its API server serves them.
    """

    async def __call__(
        self,
        scope: dict[str, Any],
        receive: Callable[[], Awaitable[Any]],
        send: Callable[[Any], Awaitable[None]],
    ) -> None:
        """Serve as the application does; it finds Airflow's own in the request's scope."""
        # The key is that of oppflow.web.actions, which cannot be imported here.
        scope["oppflow.airflow"] = scope.get("app")
        await _app()(scope, receive, send)


@cache
def _app() -> Any:
    from oppflow.web.app import make_app  # noqa: PLC0415 - see LazyApp

    return make_app()


def fastapi_apps() -> list[dict[str, Any]]:
    """The API."""
    return [{"app": LazyApp(), "url_prefix": PREFIX, "name": "oppflow"}]


def react_apps() -> list[dict[str, Any]]:
    """The page in the navigation, and the tab of a DAG run."""
    # One colour for light and dark, chosen and not: Airflow draws icons as pictures.
    common = {"bundle_url": _SCRIPT, "icon": _icon("#14b8a6")}
    return [
        {
            **common,
            "name": "Campaigns",
            "destination": "nav",
            "url_route": "campaigns",
            "nav_top_level": True,
        },
        {**common, "name": "Campaign", "destination": "dag_run", "url_route": "campaign"},
    ]
