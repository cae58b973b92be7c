"""Campaigns whose archives, records and results are in an object store."""

from __future__ import annotations

import hashlib
import io
import tarfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from oppflow.comparison import NightTerms
from oppflow.deployment import Deployment
from oppflow.manifest import Manifest
from oppflow.omnetpp.result_files import normalised_digest
from oppflow.stages.collect import collect
from oppflow.stages.nights import NIGHTS
from oppflow.store.object_store import ObjectStore
from tests.support.campaigns import Finished, make_deployment, run_campaign
from tests.support.nights import run_night
from tests.web.conftest import Site

SHORT = {"model": "mm1", "config": "Short", "run_filter": "0..3", "runs_per_task": 2}
VECTORS = {"model": "aloha", "config": "Quick", "run_filter": "0"}


def on_host(name: str, tmp_path: Path, bucket: str) -> Deployment:
    """A host with a folder of its own; store and results are those of all hosts."""
    return make_deployment(
        tmp_path / name, store_url=f"{bucket}/store", results=f"{bucket}/results"
    )


def kept(deployment: Deployment, finished: Finished) -> dict[str, bytes]:
    """All files of a campaign as the results root has them."""
    results = deployment.results(finished.packed.results)
    found = {}
    for file in results.files():
        with results.chunks(file.name) as chunks:
            found[file.name] = b"".join(chunks)
    return found


def normalised(files: Mapping[str, bytes], scratch: Path) -> dict[str, str]:
    """Digests of the scalar files without what differs between two times that runs are done."""
    scratch.mkdir()
    for name, data in files.items():
        (scratch / name).write_bytes(data)
    ignored = frozenset({"result-dir"})
    names = [name for name in files if name.endswith(".sca")]
    return {name: normalised_digest(scratch / name, ignore_config=ignored) for name in names}


@pytest.fixture
def host(tmp_path: Path, bucket: str) -> Deployment:
    return on_host("one", tmp_path, bucket)


@pytest.fixture
def other_host(tmp_path: Path, bucket: str) -> Deployment:
    return on_host("two", tmp_path, bucket)


def test_results_are_those_of_a_plain_folder(
    host: Deployment, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """By name and content; the manifest and the log say where they are."""
    finished = run_campaign(host, **SHORT)
    plain = run_campaign(make_deployment(tmp_path / "plain"), **SHORT)
    assert finished.errors == plain.errors == {}
    files = kept(host, finished)
    assert files.keys() == {n for n in plain.files() if not n.startswith(".oppflow")}
    expected = {n: (plain.folder.path / n).read_bytes() for n in files}
    scalars = normalised(files, tmp_path / "kept")
    assert scalars == normalised(expected, tmp_path / "expected")
    assert len(scalars) == 4
    told_files = [file for number in range(4) for file in finished.run(number)["files"]]
    for file in told_files:
        assert hashlib.sha256(files[file["name"]]).hexdigest() == file["sha256"]
    where = f"{host.settings.results_url}/{finished.packed.results}"
    assert finished.manifest.data["results_url"] == where
    assert "results_url" not in plain.manifest.data
    with caplog.at_level("INFO"):
        told = collect(host, finished.packed, {})
    assert told["results"] == where
    assert f"Collected into {where}" in caplog.text


def test_a_second_campaign_reuses_everything_on_another_host(
    host: Deployment, other_host: Deployment
) -> None:
    """Its files are byte by byte those of the first."""
    first = run_campaign(host, **SHORT)
    second = run_campaign(other_host, **SHORT)
    assert second.outcomes == {"reused": 4}
    scalars = {n: d for n, d in kept(host, first).items() if n.endswith(".sca")}
    assert scalars == {n: d for n, d in kept(other_host, second).items() if n.endswith(".sca")}
    assert len(scalars) == 4


def test_report_on_another_host_than_collect(host: Deployment, other_host: Deployment) -> None:
    """It fetches what it reads."""
    from oppflow.stages.report import report

    finished = run_campaign(host, **SHORT)
    told = report(other_host, finished.packed, {})
    assert told["report"].startswith("s3://")
    here = other_host.results(finished.packed.results).folder
    assert {path.suffix for path in here.path.iterdir()} >= {".sca", ".html", ".parquet"}
    assert not list(here.path.glob("*.out"))


def test_the_page_reads_them(
    other_host: Deployment, host: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a host that has no copies: tables, charts, vectors, files, a tar."""
    finished = run_campaign(host, **VECTORS)
    files = kept(host, finished)
    monkeypatch.setattr("oppflow.web.routes_campaigns.may_act", lambda *_: True)
    site = Site(other_host)
    address = site.add(finished)
    details = site.json(f"{address}/runs/0")
    assert {file["name"] for file in details["files"]} <= files.keys()
    assert site.json(f"{address}/runs")["rows"]
    scalars = site.json(f"{address}/scalars")["scalars"]
    assert scalars
    vectors = site.json(f"{address}/runs/0/vectors")["vectors"]
    points = site.json(f"{address}/runs/0/vectors/{vectors[0]['vector']}")
    assert len(points["time"]) == len(points["value"]) > 0
    answer = site.get(f"{address}/files/report.html")
    assert answer.content == files["report.html"]
    assert int(answer.headers["content-length"]) == len(answer.content)
    assert site.get(f"{address}/files/.oppflow/owner").status_code == 404
    with tarfile.open(fileobj=io.BytesIO(site.get(f"{address}/archive").content)) as tar:
        top = finished.packed.results
        assert set(tar.getnames()) == {f"{top}/{name}" for name in files}
        member = tar.extractfile(f"{top}/manifest.json")
        assert member is not None
        assert member.read() == files["manifest.json"]


def test_the_page_without_the_store(
    other_host: Deployment, host: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The results root tells what it can; and where neither answers, the page says so."""
    finished = run_campaign(host, **SHORT)
    monkeypatch.setattr("oppflow.web.routes_campaigns.may_act", lambda *_: True)
    site = Site(other_host)
    address = site.add(finished)
    assert isinstance(other_host.store, ObjectStore)
    host.store._objects.fs.rm(host.store._objects.root, recursive=True)  # type: ignore[attr-defined]
    overview = site.json(address)
    assert overview["total"] == 4
    assert site.json(f"{address}/runs/0")["state"] == "done"
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    lost = Site(on_host("three", Path(str(host.settings.work_dir)).parent.parent, "s3://gone"))
    answer = lost.get(lost.add(finished))
    assert answer.status_code == 200
    assert "AWS_ENDPOINT_URL" in answer.json()["trouble"]


def test_nights_on_two_hosts(host: Deployment, other_host: Deployment) -> None:
    """The second night is compared with the first one's results, which its host fetches."""
    anyway = NightTerms(skip_unchanged=False)
    model = {"model": "mm1", "config": "Short"}
    first = run_night(host, 1, **model)
    assert first.verdict == "first"
    again = {**model, "reuse_results": False}
    second = run_night(other_host, 2, terms=anyway, with_report=True, **again)
    assert (second.verdict, second.comparison["results"]) == ("same", first.told["results"])
    assert "same" in second.report
    fetched = other_host.results(first.told["results"]).folder
    assert len(list(fetched.path.glob("*.sca"))) == 8  # read, as each names its own time
    slower = {"options": {"*.serviceRate": 0.5}}
    host.store.delete_record(NIGHTS, "nightly_test")  # found by the files in the folders
    third = run_night(host, 3, terms=anyway, **model, **slower)
    assert (third.verdict, third.comparison["results"]) == ("changed", second.told["results"])
    assert third.campaign is not None
    files = kept(host, third.campaign)
    assert {"night.json", "comparison-last.parquet"} <= files.keys()


def test_a_night_that_is_cleared_and_fails_is_forgotten(
    host: Deployment, other_host: Deployment, tmp_path: Path
) -> None:
    """Its file in the results root goes, whichever host wrote it."""
    anyway = NightTerms(skip_unchanged=False)
    bad = {"model": "fails", "config": "AtLoad"}
    first = run_night(host, 1, model="mm1", config="Short")
    results = host.results(first.told["results"])
    assert results.has("night.json")
    failed = run_night(other_host, 2, terms=anyway, **bad)
    assert failed.verdict == "failed"
    assert not other_host.results(failed.told["results"]).has("night.json")
    assert Manifest.read(failed.campaign.folder.manifest).data["comparison"]["verdict"] == "failed"  # type: ignore[union-attr]
