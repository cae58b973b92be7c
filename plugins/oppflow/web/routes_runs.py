"""Routes about the runs of a campaign."""

from __future__ import annotations

import io
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from oppflow.web import views
from oppflow.web.access import MAY_READ
from oppflow.web.answers import download, etag_of, in_thread, unless_known
from oppflow.web.details import run_details
from oppflow.web.downloads import table_for_export
from oppflow.web.routes_campaigns import CAMPAIGN
from oppflow.web.schemas import Failures, Matrix, RunDetails, RunsPage
from oppflow.web.service import CampaignPage, chosen_runs

Filter = Annotated[
    str, Query(alias="filter", description='Words that must all hold: load>0.5 state!=done "x y".')
]


def overview_routes(page: CampaignPage) -> APIRouter:
    """The runs as a table, and as a matrix."""
    router = APIRouter(tags=["runs"], dependencies=[MAY_READ])

    @router.get(f"{CAMPAIGN}/runs", response_model=RunsPage)
    async def list_runs(
        request: Request,
        *,
        dag_id: str,
        run_id: str,
        text: Filter = "",
        sort: Annotated[str, Query(description="Columns; a minus for descending.")] = "",
        offset: Annotated[int, Query(ge=0)] = 0,
        limit: Annotated[int, Query(ge=1, le=views.MOST_ROWS)] = 50,
    ) -> Response:
        """A page of the table of runs."""
        state = await in_thread(page.state, dag_id, run_id)

        def make() -> dict[str, Any]:
            found = chosen_runs(state, text)
            return {
                "total": state.runs.height if state.runs is not None else 0,
                "matching": found.height,
                "counts": views.counts(found),
                "rows": views.page_of(found, sort, offset, limit),
            }

        return await unless_known(request, etag_of(request, state.version), make)

    @router.get(f"{CAMPAIGN}/matrix", response_model=Matrix)
    async def get_matrix(
        request: Request,
        *,
        dag_id: str,
        run_id: str,
        x: Annotated[str, Query(description="A column; empty for none.")] = "",
        y: str = "",
        text: Filter = "",
    ) -> Response:
        """The runs over two columns of the table, repetitions together in a cell."""
        state = await in_thread(page.state, dag_id, run_id)

        def make() -> dict[str, Any]:
            found = chosen_runs(state, text)
            names = [name if name in found.columns else None for name in (x, y)]
            return views.matrix(found, *names)

        return await unless_known(request, etag_of(request, state.version), make)

    return router


def run_routes(page: CampaignPage) -> APIRouter:
    """What failed, and one run."""
    router = APIRouter(tags=["runs"], dependencies=[MAY_READ])

    @router.get(f"{CAMPAIGN}/failures", response_model=Failures)
    async def list_failures(request: Request, dag_id: str, run_id: str) -> Response:
        """The runs that are not good, grouped by what is said of them."""
        state = await in_thread(page.state, dag_id, run_id)

        def make() -> dict[str, Any]:
            return {"groups": views.failures(chosen_runs(state, ""))}

        return await unless_known(request, etag_of(request, state.version), make)

    @router.get(f"{CAMPAIGN}/runs/{{number}}", response_model=RunDetails)
    async def get_run(request: Request, dag_id: str, run_id: str, number: int) -> Response:
        """All that is known of a run."""
        state = await in_thread(page.state, dag_id, run_id)
        etag = etag_of(request, state.version)
        return await unless_known(
            request, etag, lambda: run_details(page.deployment, state, number)
        )

    return router


def table_routes(page: CampaignPage) -> APIRouter:
    """The table of runs as files."""
    router = APIRouter(tags=["downloads"], dependencies=[MAY_READ])

    async def export(dag_id: str, run_id: str, text: str, kind: str, media_type: str) -> Response:
        state = await in_thread(page.state, dag_id, run_id)

        def make() -> bytes:
            table = table_for_export(chosen_runs(state, text))
            sink = io.BytesIO()
            if kind == "csv":
                table.write_csv(sink)
            else:
                table.write_parquet(sink)
            return sink.getvalue()

        content = await in_thread(make)
        name = f"{state.packed.results if state.packed else 'campaign'}-runs.{kind}"
        return download(iter([content]), name, media_type=media_type, size=len(content))

    @router.get(f"{CAMPAIGN}/runs.csv", response_class=Response)
    async def get_csv(dag_id: str, run_id: str, text: Filter = "") -> Response:
        """The table of runs as CSV."""
        return await export(dag_id, run_id, text, "csv", "text/csv; charset=utf-8")

    @router.get(f"{CAMPAIGN}/runs.parquet", response_class=Response)
    async def get_parquet(dag_id: str, run_id: str, text: Filter = "") -> Response:
        """The table of runs as Parquet."""
        return await export(dag_id, run_id, text, "parquet", "application/vnd.apache.parquet")

    return router
