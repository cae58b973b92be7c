"""Bringing results home: everything that is there, once, and what the store lost as lost."""

from __future__ import annotations

import json
import subprocess
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO

import pytest

from oppflow.deployment import Deployment
from oppflow.errors import InfrastructureError, ParameterError, RunError
from oppflow.results_folder import ResultsFolder
from oppflow.stages import courier
from oppflow.stages.collect import collect
from oppflow.stages.simulate import simulate_batch
from oppflow.store.file_store import FileStore
from oppflow.store.object_store import ObjectStore
from tests.support.campaigns import Finished, make_deployment, pack, run_campaign
from tests.support.tiny import write_tiny

Tiny = Callable[..., Path]
SHORT = {"model": "mm1", "config": "Short", "run_filter": "0..3", "runs_per_task": 4}


def contents(finished: Finished) -> dict[str, bytes]:
    """All files but the manifest, which tells when it was written."""
    names = finished.files() - {"manifest.json"}
    return {name: (finished.folder.path / name).read_bytes() for name in names}


def test_results_beyond_a_limit_stay_in_the_store(deployment: Deployment) -> None:
    """They are whole: with a higher limit, a cleared task brings them home."""
    finished = run_campaign(deployment, **SHORT)
    assert finished.green
    small = replace(deployment.settings, max_unpacked_bytes=1000)
    told = collect(Deployment(small, deployment.store), finished.packed, {})
    assert told["outcomes"] == {"lost": 4}
    message = finished.manifest.data["runs"][0]["message"]
    assert "stay in the store" in message
    assert "OPPFLOW_MAX_UNPACKED" in message
    assert collect(deployment, finished.packed, {})["outcomes"] == {"done": 4}


def test_collecting_twice_changes_nothing(deployment: Deployment) -> None:
    """A cleared task brings home the same files, and leaves nothing aside."""
    finished = run_campaign(deployment, **SHORT)
    before = contents(finished)
    runs = finished.manifest.data["runs"]
    (finished.folder.path / f"{runs[1]['result_name']}.sca").unlink()
    told = collect(deployment, finished.packed, {})
    assert told["outcomes"] == {"done": 4}
    assert contents(finished) == before
    assert finished.manifest.data["runs"] == runs
    assert not finished.folder.aside.exists()


def test_records_are_read_in_blocks(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Reused runs and new ones, across the blocks' bounds, in the order of the runs."""
    run_campaign(deployment, **{**SHORT, "run_filter": "1..2"})
    monkeypatch.setattr("oppflow.stages.collect._BLOCK", 2)
    asked: list[int] = []
    plain = FileStore.get_records

    def counted(store: FileStore, kind: str, keys: Sequence[str]) -> dict[str, dict[str, Any]]:
        asked.append(len(keys))
        return plain(store, kind, keys)

    finished = run_campaign(deployment, **SHORT)
    runs = finished.manifest.data["runs"]
    assert [run["number"] for run in runs] == [0, 1, 2, 3]
    assert [run["outcome"] for run in runs] == ["done", "reused", "reused", "done"]
    assert {f"{run['result_name']}.sca" for run in runs} <= finished.files()
    monkeypatch.setattr(FileStore, "get_records", counted)
    assert collect(deployment, finished.packed, {})["outcomes"] == {"done": 2, "reused": 2}
    assert max(asked) == 1  # of each block one run is reused, and one was simulated


def test_a_store_far_away_is_asked_for_several_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two that wait for each other both come home; files are named as ever."""
    deployment = make_deployment(tmp_path, store_url=f"memory://{tmp_path.name}")
    finished = run_campaign(deployment, **SHORT)
    before = contents(finished)
    together, plain = threading.Barrier(2, timeout=30), ObjectStore.open

    @contextmanager
    def slow(store: ObjectStore, digest: str) -> Iterator[BinaryIO]:
        together.wait()
        with plain(store, digest) as stream:
            yield stream

    monkeypatch.setattr(ObjectStore, "open", slow)
    assert collect(deployment, finished.packed, {})["outcomes"] == {"done": 4}
    assert contents(finished) == before


def test_results_are_those_of_the_simulation(deployment: Deployment) -> None:
    """Sizes, digests and times are the ones that the worker saw."""
    finished = run_campaign(deployment, model="aloha", config="Quick", run_filter="0")
    files = {file["name"]: file for file in finished.run(0)["files"]}
    suffixes = sorted(Path(name).suffix for name in files)
    assert suffixes == [".out", ".sca", ".vci", ".vec"]
    for name, file in files.items():
        assert (finished.folder.path / name).stat().st_size == file["size"]
    (index,) = finished.folder.path.glob("*.vci")
    size, time = index.read_text().splitlines()[0].split()[1:3]
    vec = index.with_suffix(".vec").stat()
    assert (int(size), int(time)) == (vec.st_size, int(vec.st_mtime))


def test_only_the_kinds_that_are_wanted_are_kept(deployment: Deployment) -> None:
    """Without vec, neither vectors nor their index travel; what was printed always does."""
    finished = run_campaign(deployment, model="aloha", config="Quick", run_filter="0", keep=["sca"])
    kinds = {Path(file["name"]).suffix for file in finished.run(0)["files"]}
    assert kinds == {".sca", ".out"}
    assert finished.green


def archive_file(deployment: Deployment, finished: Finished, number: int) -> Path:
    assert isinstance(deployment.store, FileStore)
    digest = finished.run(number)["archive"]
    return deployment.store.root / "archives" / digest[:2] / digest


@pytest.fixture(params=[200, 2], ids=["alone", "processes"])
def share(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    """From how many runs on a process of its own brings them home."""
    monkeypatch.setattr(courier, "_LEAST_SHARE", request.param)
    return int(request.param)


@pytest.mark.parametrize("how", ["missing", "damaged", "cut"])
def test_what_the_store_lost_is_one_lost_run(deployment: Deployment, how: str, share: int) -> None:
    """The others come home, the verdict is red, and the next campaign executes that run anew."""
    finished = run_campaign(deployment, **SHORT)
    path = archive_file(deployment, finished, 1)
    data = path.read_bytes()
    if how == "missing":
        path.unlink()
    else:
        path.write_bytes(data[:-100] if how == "cut" else data[:-1] + bytes([data[-1] ^ 1]))
    told = collect(deployment, finished.packed, {})
    assert told["outcomes"] == {"done": 3, "lost": 1}
    assert "in the store" in finished.run(1)["message"]
    assert len(contents(finished)) > 6
    again = run_campaign(deployment, **SHORT)
    assert again.outcomes == {"reused": 3, "done": 1}


def test_processes_bring_home_the_same(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As many as there are cores; each its share."""
    finished = run_campaign(deployment, **SHORT)
    results = [file["name"] for run in finished.manifest.data["runs"] for file in run["files"]]
    before = contents(finished)
    for name in results:
        (finished.folder.path / name).unlink()
    started = []
    plain = subprocess.run

    def counted(*words: Any, **options: Any) -> Any:
        started.append(options["input"])
        return plain(*words, **options)

    monkeypatch.setattr(courier, "_LEAST_SHARE", 2)
    monkeypatch.setattr(courier.subprocess, "run", counted)
    assert collect(deployment, finished.packed, {})["outcomes"] == {"done": 4}
    assert contents(finished) == before
    assert [len(json.loads(share)["deliveries"]) for share in started] == [2, 2]


def test_a_disk_that_refuses_is_no_lost_run(deployment: Deployment, share: int) -> None:
    """The task is tried again; the results are all in the store."""
    finished = run_campaign(deployment, **SHORT)
    name = finished.run(3)["files"][0]["name"]
    (finished.folder.path / name).unlink()
    (finished.folder.path / name).mkdir()
    with pytest.raises(InfrastructureError, match="cannot be written"):
        collect(deployment, finished.packed, {})


def test_a_cleared_batch_brings_back_what_was_lost(deployment: Deployment) -> None:
    """Recorded runs are left alone, but not one whose results are gone."""
    finished = run_campaign(deployment, **SHORT)
    archive_file(deployment, finished, 2).unlink()
    assert simulate_batch(deployment, finished.packed, 0, 2) == {"done": 4}
    assert collect(deployment, finished.packed, {})["outcomes"] == {"done": 4}
    attempts = [run["attempts"] for run in finished.manifest.data["runs"]]
    assert attempts == [1, 1, 2, 1]


def test_a_reused_result_that_went_meanwhile(deployment: Deployment) -> None:
    """Between plan and collect: the message says what to do, and not that a task failed."""
    run_campaign(deployment, **SHORT)
    second = run_campaign(deployment, **SHORT)
    deployment.store.delete_record("result", second.run(0)["key"])
    collect(deployment, second.packed, {})
    assert second.run(0)["outcome"] == "lost"
    assert "start the campaign again" in second.run(0)["message"]


def test_a_batch_is_named_by_its_runs(deployment: Deployment) -> None:
    """One run a task by default; more are named by the first."""
    first = run_campaign(deployment, model="mm1", config="Short", run_filter="0,5")
    assert [batch["label"] for batch in first.batches] == ["#0 load=0.3 rep=0", "#5 load=0.7 rep=1"]
    second = run_campaign(deployment, **{**SHORT, "runs_per_task": 3, "reuse_results": False})
    assert [(batch["label"], batch["runs"]) for batch in second.batches] == [
        ("#0 load=0.3 rep=0 and 2 more", 3),
        ("#3 load=0.5 rep=1", 1),
    ]


TWINS = """
    def finish(self):
        import pathlib
        self.scalar("value", self.value)
        folder = pathlib.Path(self.text)
        (folder / "results").mkdir(exist_ok=True)
        (folder / "results" / "own.elog").write_text(f"of {self.value}")
        (folder / "results" / os.fsdecode(b"not \\xff text")).write_text("odd")
"""


def test_result_files_of_one_name_do_not_overwrite_each_other(
    deployment: Deployment, tiny: Tiny
) -> None:
    """A model may name a result file as it likes; and a name need not be text."""
    model = tiny('*.value = ${value=1,2}\n*.text = "."')
    source = (model / "tiny.py").read_text().partition("    def finish")[0]
    (model / "tiny.py").write_text(f"import os\n{source}{TWINS}")
    finished = run_campaign(deployment, model="tiny", config="General", runs_per_task=2)
    assert not finished.errors
    names = finished.files()
    second = finished.run(1)["result_name"]
    assert (finished.folder.path / "own.elog").read_text() == "of 1"
    assert (finished.folder.path / "runs" / second / "own.elog").read_text() == "of 2"
    assert {file["name"] for file in finished.run(1)["files"]} <= names


def test_a_claim_is_given_once(deployment: Deployment, tmp_path: Path) -> None:
    """Of two campaigns that want one name, one is refused; its owner may come back."""
    write_tiny(tmp_path / "models" / "tiny")
    folder = ResultsFolder.named(deployment.settings.results_root, "mine")
    folder.claim("first")
    folder.claim("first")
    with pytest.raises(ParameterError, match="in use"):
        folder.claim("second")
    with pytest.raises(ParameterError, match="in use"):
        pack(deployment, model="tiny", results="mine")


def test_the_verdict_without_a_manifest(deployment: Deployment) -> None:
    """Report says which task to look at."""
    from oppflow.stages.report import report

    packed = pack(deployment, model="mm1", config="Short")
    with pytest.raises(RunError, match=r"no manifest: failed: collect") as caught:
        report(deployment, packed, {"collect": {"failed": 1}})
    assert "Read the log" in caught.value.hint
    with pytest.raises(RunError, match="did not start: failed: pack_model"):
        report(deployment, None, {"pack_model": {"failed": 1}})
