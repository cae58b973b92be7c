"""The routes over real campaigns: what they answer, what they refuse, what they stream."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from pathlib import Path
from urllib.parse import quote

import polars as pl
import pytest

from oppflow.web import schemas
from tests.support.campaigns import Finished
from tests.web.conftest import Site


@pytest.fixture(scope="module")
def good(site: Site, sweep: Finished) -> str:
    return site.add(sweep)


@pytest.fixture(scope="module")
def bad(site: Site, failing: Finished) -> str:
    return site.add(failing, state="failed")


def test_answers_are_what_the_description_says(site: Site, good: str, bad: str) -> None:
    """Every shape of the OpenAPI description fits a real answer."""
    module, name = "Queue", "timeInSystem:mean"
    shapes = {
        bad: schemas.Overview,
        f"{bad}/summary": schemas.CampaignHead,
        f"{bad}/runs": schemas.RunsPage,
        f"{bad}/matrix?x=$load&y=repetition": schemas.Matrix,
        f"{bad}/failures": schemas.Failures,
        f"{bad}/runs/2": schemas.RunDetails,
        f"{good}/scalars": schemas.Scalars,
        f"{good}/chart?module={module}&name={name}&x=load": schemas.Chart,
    }
    for path, shape in shapes.items():
        shape.model_validate(site.json(path))
    paths = site.json("/openapi.json")["paths"]
    assert "/api/campaigns/{dag_id}/{run_id}/runs/{number}" in paths
    assert len(paths) == 19


def test_what_did_not_change_is_not_sent_again(site: Site, bad: str) -> None:
    """304 for the ETag of before; another query has another."""
    first = site.get(f"{bad}/runs?filter=load=0.5")
    etag = first.headers["etag"]
    assert (
        site.get(f"{bad}/runs?filter=load=0.5", headers={"If-None-Match": etag}).status_code == 304
    )
    assert site.get(f"{bad}/runs", headers={"If-None-Match": etag}).status_code == 200


UNKNOWN = (
    "/runs/99",
    "/runs/99/archive",
    "/runs/0/vectors",
    "/files/nope",
    "/files/.oppflow/owner",
    "/chart?module=a&name=b&x=load",
    "/chart?module=Queue&name=timeInSystem:mean&x=nope",
)


@pytest.mark.parametrize("path", UNKNOWN)
def test_unknown_things_are_told(site: Site, good: str, path: str) -> None:
    """404 with words."""
    answer = site.get(good + path)
    assert answer.status_code == 404
    assert answer.json()["detail"]


def test_an_unknown_campaign_is_told(site: Site) -> None:
    """Markup in its name comes back as JSON."""
    answer = site.get("/api/campaigns/nope/<script>alert(1)<%2fscript>")
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/json"


@pytest.mark.parametrize(
    "name", ["../../etc/passwd", "/etc/passwd", "a/../../../etc/passwd", "link", "\0"]
)
def test_no_download_leaves_the_campaign(site: Site, good: str, sweep: Finished, name: str) -> None:
    """Not by dots, not by a link."""
    link = sweep.folder.path / "link"
    if not link.is_symlink():
        link.symlink_to("/etc/passwd")
    assert site.get(f"{good}/files/{quote(name, safe='')}").status_code == 404
    with tarfile.open(fileobj=io.BytesIO(site.get(f"{good}/archive").content)) as tar:
        assert all(member.isreg() for member in tar)


def test_a_runs_archive_has_the_digest_that_its_details_name(site: Site, good: str) -> None:
    """It is the store's, byte by byte."""
    details = site.json(f"{good}/runs/3")
    answer = site.get(f"{good}/runs/3/archive")
    assert hashlib.sha256(answer.content).hexdigest() == details["archive"]
    assert (
        answer.headers["content-disposition"] == 'attachment; filename="Short-load=0.5-#1.tar.zst"'
    )
    assert int(answer.headers["content-length"]) == len(answer.content)


def test_a_campaign_and_a_slice_of_it_come_as_tar(site: Site, good: str, sweep: Finished) -> None:
    """The files of the folder; of a slice those of its runs."""
    top = sweep.folder.path.name
    with tarfile.open(fileobj=io.BytesIO(site.get(f"{good}/archive").content)) as tar:
        names = {name.removeprefix(f"{top}/") for name in tar.getnames()}
    assert names == {name for name in sweep.files() if not name.startswith(".oppflow")} - {"link"}
    with tarfile.open(
        fileobj=io.BytesIO(site.get(f"{good}/archive?filter=load=0.5 rep=1").content)
    ) as tar:
        assert tar.getnames() == [f"{top}/Short-load=0.5-#1.out", f"{top}/Short-load=0.5-#1.sca"]
        content = tar.extractfile(tar.getnames()[1]).read()  # type: ignore[union-attr]
    assert content == (sweep.folder.path / "Short-load=0.5-#1.sca").read_bytes()


def test_the_table_comes_as_csv_and_parquet(site: Site, bad: str) -> None:
    """With the filter, under the variables' own names."""
    csv = pl.read_csv(site.get(f"{bad}/runs.csv?filter=state=failed").content)
    parquet = pl.read_parquet(io.BytesIO(site.get(f"{bad}/runs.parquet").content))
    assert csv["run"].to_list() == [2, 3]
    assert parquet["load"].to_list() == [0.2, 0.2, 0.5, 0.5, 0.9, 0.9]
    assert parquet.height == 6


def test_a_chart_has_means_and_intervals(site: Site, good: str) -> None:
    """By x, with the theory dashed, over the runs of a filter."""
    path = f"{good}/chart?module=Queue&name=timeInSystem:mean&x=load"
    chart = site.json(path)
    assert [row[0] for row in chart["rows"]] == ["0.3", "0.5", "0.7", "0.8"]
    assert all(row[-1] == 2 and row[-2] > 0 for row in chart["rows"])
    assert [trace["name"] for trace in chart["figure"]["data"]] == ["mean", "timeInSystem:theory"]
    one = site.json(f"{path}&filter=load<0.6 rep=0")
    assert [row[-2:] for row in one["rows"]] == [[None, 1], [None, 1]]


def test_vectors_of_a_run_are_listed_and_drawn(site: Site, deployment_vectors: str) -> None:
    """From the campaign's own files."""
    vectors = site.json(f"{deployment_vectors}/runs/0/vectors")["vectors"]
    assert vectors
    drawn = site.json(f"{deployment_vectors}/runs/0/vectors/{vectors[0]['vector']}?points=50")
    assert 0 < len(drawn["time"]) <= 50


@pytest.fixture(scope="module")
def deployment_vectors(site: Site) -> str:
    from tests.support.campaigns import run_campaign

    options = {"**.vector-recording": "true", "sim-time-limit": "20s"}
    finished = run_campaign(
        site.deployment, model="aloha", config="General", run_filter="0", options=options
    )
    return site.add(finished, state="success" if finished.green else "failed")


def test_filters_with_scripts_are_data(site: Site, bad: str) -> None:
    """And the answer is JSON that no browser takes for a page."""
    answer = site.get(f"{bad}/runs", filter='<script>alert("x")</script> "')
    assert json.loads(answer.content)["matching"] == 0
    assert answer.headers["content-type"] == "application/json"


def test_a_deleted_results_folder_is_told(site: Site, failing: Finished, bad: str) -> None:
    """Charts say why there are none; the runs are still there."""
    table = failing.folder.scalars_table
    content = table.read_bytes()
    table.unlink()
    try:
        answer = site.get(f"{bad}/scalars")
        assert answer.status_code == 404
        assert "scalars.parquet" in answer.json()["detail"]
    finally:
        table.write_bytes(content)


@pytest.mark.parametrize("content", [b"", b"PAR1 no more", b"PAR1" * 100])
def test_a_damaged_table_is_told(site: Site, failing: Finished, bad: str, content: bytes) -> None:
    """Whatever somebody did to it."""
    table = failing.folder.scalars_table
    whole = table.read_bytes()
    table.write_bytes(content)
    try:
        answer = site.get(f"{bad}/scalars")
        assert answer.status_code == 422
        assert "scalars.parquet" in answer.json()["detail"]
    finally:
        table.write_bytes(whole)


def test_a_damaged_archive_is_refused(site: Site, good: str, sweep: Finished) -> None:
    """Nobody gets a whole file of other bytes."""
    digest = site.json(f"{good}/runs/7")["archive"]
    root = Path(site.deployment.settings.store_url.removeprefix("file://"))
    stored = root / "archives" / digest[:2] / digest
    content = stored.read_bytes()
    stored.write_bytes(content[:-1] + b"?")
    try:
        answer = site.get(f"{good}/runs/7/archive")
        assert answer.status_code == 422
        assert "damaged" in answer.json()["detail"]
    finally:
        stored.write_bytes(content)


def test_the_script_is_small(site: Site) -> None:
    """First content within 300 kB, besides the chart library."""
    assert len(site.get("/campaigns.js").content) < 120_000
    assert site.get("/plotly.min.js").headers["content-type"].startswith("text/javascript")
