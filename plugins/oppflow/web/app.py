"""The application behind the campaign page, built only where somebody asks for it."""

from __future__ import annotations

import importlib.util
import logging
from pathlib import Path
from typing import Any

from fastapi import FastAPI, HTTPException, Request, Response
from polars.exceptions import PolarsError
from starlette.responses import FileResponse

from oppflow.errors import ArchiveError, InfrastructureError, OppflowError, ResultFileError
from oppflow.web.access import SIGNED_IN
from oppflow.web.answers import json_answer
from oppflow.web.results import NotThereError
from oppflow.web.routes_campaigns import action_routes, campaign_routes
from oppflow.web.routes_results import chart_routes, download_routes, vector_routes
from oppflow.web.routes_runs import overview_routes, run_routes, table_routes
from oppflow.web.service import CampaignPage
from oppflow.web.text import shown

log = logging.getLogger(__name__)

DESCRIPTION = """Simulation campaigns: what the campaign page shows, and what it can make happen.

Every route asks Airflow's permissions: reading needs the right to read the DAG's runs, acting the
right to trigger the DAG. Send a bearer token of Airflow's `/auth/token`, or its cookie. Answers
that may change have an ETag; ask with `If-None-Match`. Errors are `{"detail": "..."}`."""

SCRIPT = Path(__file__).with_name("static") / "campaigns.js"


def make_app(page: CampaignPage | None = None) -> FastAPI:
    """The routes of the API over ``page``, the page's script, the chart library."""
    # Their own /docs and /openapi.json would be open to anyone.
    app = FastAPI(
        title="oppflow", description=DESCRIPTION, version="1",
        docs_url=None, redoc_url=None, openapi_url=None,
    )  # fmt: skip
    page = page or CampaignPage()
    makers = (
        campaign_routes,
        action_routes,
        table_routes,
        overview_routes,
        run_routes,
        chart_routes,
        vector_routes,
        download_routes,
    )
    for make in makers:
        app.include_router(make(page), prefix="/api")
    _add_files(app)
    app.add_exception_handler(NotThereError, _not_there)
    app.add_exception_handler(OppflowError, _explained)
    app.add_exception_handler(PolarsError, _damaged)
    return app


def _add_files(app: FastAPI) -> None:
    @app.get("/openapi.json", dependencies=[SIGNED_IN], include_in_schema=False)
    async def describe(request: Request) -> Response:
        """The description of the API, with addresses as the client sees them."""
        description = {**app.openapi(), "servers": [{"url": request.scope.get("root_path", "")}]}
        return json_answer(description)

    @app.get("/campaigns.js", dependencies=[SIGNED_IN], include_in_schema=False)
    async def script() -> Response:
        """The page."""
        return FileResponse(
            SCRIPT, media_type="text/javascript", headers={"Cache-Control": "private, no-cache"}
        )

    @app.get("/plotly.min.js", dependencies=[SIGNED_IN], include_in_schema=False)
    async def chart_library() -> Response:
        """Plotly's own script, out of the installed package: no other server is asked."""
        return FileResponse(
            _plotly(),
            media_type="text/javascript",
            headers={"Cache-Control": "private, max-age=86400"},
        )


def _plotly() -> Path:
    found = importlib.util.find_spec("plotly")
    if found is None or found.origin is None:
        raise HTTPException(404, "The package plotly is not installed.")
    return Path(found.origin).parent / "package_data" / "plotly.min.js"


async def _not_there(_request: Request, error: Exception) -> Response:
    return _told(404, str(error.args[0]) if error.args else "Not found.")


async def _explained(_request: Request, error: Exception) -> Response:
    if isinstance(error, InfrastructureError):
        return _told(503, str(error))
    return _told(422 if isinstance(error, (ArchiveError, ResultFileError)) else 400, str(error))


async def _damaged(_request: Request, error: Exception) -> Response:
    log.warning("A table of results cannot be read: %s", error)
    return _told(422, "The campaign's scalars.parquet is damaged, or is not of this campaign.")


def _told(status: int, detail: str) -> Response:
    answer: Any = json_answer({"detail": shown(detail)})
    answer.status_code = status
    return answer  # type: ignore[no-any-return]
