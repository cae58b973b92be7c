"""Routes about results: scalars and vectors to be drawn, archives and files to be taken away."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from oppflow.results import CampaignResults
from oppflow.web.access import MAY_READ
from oppflow.web.answers import download, etag_of, in_thread, unless_known
from oppflow.web.details import run_record, run_row
from oppflow.web.downloads import (
    archive_chunks,
    checked_start,
    file_chunks,
    folder_members,
    run_members,
    tar_of,
)
from oppflow.web.results import NotThereError, file_here, file_in
from oppflow.web.routes_campaigns import CAMPAIGN
from oppflow.web.routes_runs import Filter
from oppflow.web.scalar_charts import list_scalars, scalar_chart
from oppflow.web.schemas import Chart, Scalars, VectorPoints, Vectors
from oppflow.web.service import CampaignPage, chosen_runs
from oppflow.web.state import CampaignState, results_stamp
from oppflow.web.vectors import list_vectors, thinned_vector

RUN = f"{CAMPAIGN}/runs/{{number}}"


def results_of(page: CampaignPage, state: CampaignState) -> CampaignResults:
    """The campaign's results.

    Raises:
        NotThereError: there is none, or it was deleted.
    """
    results = state.results(page.deployment)
    if results is None or not results.is_there():
        raise NotThereError("The campaign has no results folder: it has none yet, or it is gone.")
    return results


def _scalars_of(page: CampaignPage, state: CampaignState) -> Path:
    results = results_of(page, state)
    results.fetch(results.folder.scalars_table.name)
    return results.folder.scalars_table


def chart_routes(page: CampaignPage) -> APIRouter:
    """What is drawn of scalars."""
    router = APIRouter(tags=["charts"], dependencies=[MAY_READ])

    @router.get(f"{CAMPAIGN}/scalars", response_model=Scalars)
    async def get_scalars(request: Request, dag_id: str, run_id: str) -> Response:
        """The scalars that can be drawn, those first that tell most."""
        state = await in_thread(page.state, dag_id, run_id)

        def make() -> dict[str, Any]:
            return {"scalars": list_scalars(_scalars_of(page, state))}

        return await _cached(page, request, state, make)

    @router.get(f"{CAMPAIGN}/chart", response_model=Chart)
    async def get_chart(
        request: Request,
        *,
        dag_id: str,
        run_id: str,
        module: str,
        name: str,
        x: Annotated[str, Query(description="The iteration variable along the axis.")],
        series: Annotated[list[str] | None, Query(description="A line for each value.")] = None,
        text: Filter = "",
    ) -> Response:
        """Means of a scalar with their 95 % confidence intervals."""
        state = await in_thread(page.state, dag_id, run_id)

        def make() -> dict[str, Any]:
            table = _scalars_of(page, state)
            runs = chosen_runs(state, text)["run"].to_list() if text.strip() else None
            variables = state.planned.variables if state.planned else ()
            return scalar_chart(
                table, variables, (module, name), x=x, series=series or [], runs=runs
            )

        return await _cached(page, request, state, make)

    return router


def vector_routes(page: CampaignPage) -> APIRouter:
    """What is drawn of a run's vectors."""
    router = APIRouter(tags=["charts"], dependencies=[MAY_READ])

    @router.get(f"{RUN}/vectors", response_model=Vectors)
    async def get_vectors(request: Request, dag_id: str, run_id: str, number: int) -> Response:
        """The vectors that a run recorded."""
        state = await in_thread(page.state, dag_id, run_id)

        def make() -> dict[str, Any]:
            return {"vectors": list_vectors(_vector_file(page, state, number))}

        return await _cached(page, request, state, make)

    @router.get(f"{RUN}/vectors/{{vector}}", response_model=VectorPoints)
    async def get_vector(
        request: Request,
        *,
        dag_id: str,
        run_id: str,
        number: int,
        vector: int,
        points: Annotated[int, Query(ge=10, le=20_000)] = 2000,
    ) -> Response:
        """One vector, thinned: least and greatest values remain."""
        state = await in_thread(page.state, dag_id, run_id)

        def make() -> dict[str, Any]:
            return thinned_vector(_vector_file(page, state, number), vector, points)

        return await _cached(page, request, state, make)

    return router


async def _cached(
    page: CampaignPage, request: Request, state: CampaignState, make: Any
) -> Response:
    """An answer that holds until the results change."""

    def find_stamp() -> str:
        results = state.results(page.deployment)
        return results_stamp(results) if results else ""

    stamp = await in_thread(find_stamp)
    etag = etag_of(request, state.version, stamp)
    return await unless_known(
        request, etag, lambda: page.charts.get(etag, lambda _before: make(), lambda _made: 300.0)
    )


def _vector_file(page: CampaignPage, state: CampaignState, number: int) -> Path:
    record = run_record(page.deployment, state, run_row(state, number))
    names = [file.name for file in (record.files if record else ()) if file.name.endswith(".vec")]
    if not names:
        raise NotThereError(f"Run {number} has no vector file.")
    results = results_of(page, state)
    results.fetch(names[0].removesuffix(".vec") + ".vci")
    return file_here(results, names[0])


def download_routes(page: CampaignPage) -> APIRouter:
    """What is taken away."""
    router = APIRouter(tags=["downloads"], dependencies=[MAY_READ])

    @router.get(f"{RUN}/archive", response_class=Response)
    async def get_archive(dag_id: str, run_id: str, number: int) -> Response:
        """A run's archive as the store holds it: tar, zstd; its SHA-256 is in the run's details."""
        state = await in_thread(page.state, dag_id, run_id)

        def start() -> tuple[Iterator[bytes], str, int]:
            row = run_row(state, number)
            record = run_record(page.deployment, state, row)
            if record is None or record.archive is None:
                raise NotThereError(f"Run {number} left no archive (yet).")
            chunks = checked_start(archive_chunks(page.deployment.store, record.archive))
            return chunks, row["result_name"], record.archive_bytes

        chunks, name, size = await in_thread(start)
        return download(chunks, f"{name}.tar.zst", media_type="application/zstd", size=size or None)

    @router.get(f"{CAMPAIGN}/archive", response_class=Response)
    async def get_slice(dag_id: str, run_id: str, text: Filter = "") -> Response:
        """The campaign's folder, or the files of the runs that a filter leaves, as a tar."""
        state = await in_thread(page.state, dag_id, run_id)

        def start() -> tuple[Iterator[bytes], str]:
            name = state.packed.results if state.packed else "campaign"
            if text.strip():
                rows = chosen_runs(state, text)
                members = run_members(page.deployment, state, rows)
                return checked_start(tar_of(members)), f"{name}-slice.tar"
            members = folder_members(results_of(page, state))
            return checked_start(tar_of(members)), f"{name}.tar"

        chunks, name = await in_thread(start)
        return download(chunks, name, media_type="application/x-tar")

    @router.get(f"{CAMPAIGN}/files/{{name:path}}", response_class=Response)
    async def get_file(dag_id: str, run_id: str, name: str) -> Response:
        """One file of the campaign's folder."""
        state = await in_thread(page.state, dag_id, run_id)

        def start() -> tuple[Iterator[bytes], str, int]:
            results = results_of(page, state)
            found = file_in(results, name)
            plain = found.name.rpartition("/")[2]
            return checked_start(file_chunks(results, found.name)), plain, found.size

        chunks, plain, size = await in_thread(start)
        return download(chunks, plain, media_type="application/octet-stream", size=size)

    return router
