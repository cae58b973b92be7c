"""Campaigns through a real Airflow, measured from trigger to collected."""

from __future__ import annotations

import contextlib
import os
import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import psutil

from bench.campaigns import Campaign
from oppflow.deployment import Deployment
from oppflow.local.client import DAG_ID, AirflowClient
from oppflow.local.home import USER, Home
from oppflow.local.stack import Stack
from oppflow.manifest import Manifest
from oppflow.plan import PackedCampaign
from oppflow.results_folder import ResultsFolder
from oppflow.stages.pack import CAMPAIGN, campaign_key

_POLL = 2.0  # seconds: answers take time of a core that simulations want
_ENDED = ("success", "failed")


@dataclass(frozen=True)
class Measured:
    """A campaign that ended.

    Seconds to collected and to the first finished run (None: none was simulated), the most resident
    memory of one of our processes, and the bytes of all results and of their archives.
    """

    seconds: float
    first_run: float | None
    peak_memory: int
    result_bytes: int
    stored_bytes: int


class BenchedAirflow:
    """An Airflow of the benchmark's own, and what its campaigns leave."""

    def __init__(self, client: AirflowClient, stack: Stack) -> None:
        self._client = client
        self._stack = stack

    def measure(self, campaign: Campaign, variant: str) -> Measured:
        """Run the campaign once.

        ``warm``: built before, durations known, nothing reused. ``cold``: nothing of the model is
        kept but how long its runs took. ``again``: unchanged. ``floor``: one run, unchanged.
        """
        conf: dict[str, Any] = {
            "model": campaign.model, "config": campaign.config,
            "options": dict(campaign.options), "reuse_results": variant in ("again", "floor"),
        }  # fmt: skip
        if variant == "one run per task":
            conf["runs_per_task"] = 1
        if variant == "floor":
            conf["run_filter"] = "0"
        if variant == "cold":
            self._forget_build()
        with _memory_watched(self._stack) as peak:
            began = time.time()
            run_id = self._client.trigger(conf)
            while self._client.dag_run(run_id)["state"] not in _ENDED:
                time.sleep(_POLL)
        assert self._client.dag_run(run_id)["state"] == "success", f"{campaign} {variant}: {run_id}"
        return self._told(run_id, began, peak[0])

    def _told(self, run_id: str, began: float, peak: int) -> Measured:
        tasks = {task["task_id"]: task for task in self._client.task_instances(run_id)}
        deployment = Deployment.from_environment()
        key = campaign_key(DAG_ID, run_id)
        packed = deployment.store.get_records(CAMPAIGN, [key])[key]
        self._packed = PackedCampaign.from_json(packed)
        folder = ResultsFolder.named(deployment.settings.results_root, self._packed.results)
        manifest = Manifest.read(folder.manifest)
        simulated = [r for _, r in manifest.runs if r.outcome.value == "done"]
        first = min((_seconds(record.ended) - began for record in simulated), default=None)
        size = sum(file.size for _, record in manifest.runs for file in record.files)
        stored = sum(record.archive_bytes for _, record in manifest.runs)
        shutil.rmtree(folder.path)
        return Measured(_seconds(tasks["collect"]["end_date"]) - began, first, peak, size, stored)

    def _forget_build(self) -> None:
        """As if the model had never been built here."""
        deployment = Deployment.from_environment()
        for tree in self._packed.trees:
            deployment.store.delete_record("build", tree.build_key)
        for name in ("ccache", "trees"):
            _remove(deployment.settings.work_dir / name)


@contextmanager
def running(folder: Path, models: Path, *, runner: str, store_url: str) -> Iterator[BenchedAirflow]:
    """An Airflow with everything below ``folder``, as `make up` starts one."""
    settings = {
        "OPPFLOW_HOME": str(folder / "airflow"),
        "OPPFLOW_RESULTS": str(folder / "results"),
        "OPPFLOW_WORK": str(folder / "work"),
        "OPPFLOW_STORE_URL": store_url or (folder / "store").as_uri(),
        "OPPFLOW_MODEL_ROOTS": str(models),
        "OPPFLOW_RUNNER": runner,
        "OPPFLOW_DEPLOYMENT": "bench",
    }
    before = dict(os.environ)
    os.environ.update(settings)
    home = Home.of_project()
    stack = Stack.start(home)
    try:
        with contextlib.closing(AirflowClient(stack.url, USER, home.password())) as client:
            client.wait_for_dag()
            yield BenchedAirflow(client, stack)
    finally:
        stack.stop()
        os.environ.clear()
        os.environ.update(before)
        _remove(folder)


@contextmanager
def _memory_watched(stack: Stack) -> Iterator[list[int]]:
    """The most resident memory, in bytes, of one task or worker; simulations are the models'."""
    peak, done = [0], threading.Event()

    def watch() -> None:
        while not done.wait(1.0):
            scheduler = psutil.Process(stack.parts["scheduler"].pid)
            for process in scheduler.children(recursive=True):
                with contextlib.suppress(psutil.Error):
                    if "python" in process.name() or "airflow" in process.name():
                        peak[0] = max(peak[0], process.memory_info().rss)

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield peak
    finally:
        done.set()
        watcher.join()


def _seconds(stamp: str) -> float:
    return datetime.fromisoformat(stamp.replace("Z", "+00:00")).timestamp()


def _remove(folder: Path) -> None:
    """Also what is read-only."""
    for path in (folder, *folder.rglob("*")) if folder.exists() else ():
        if path.is_dir() and not path.is_symlink():
            path.chmod(0o755)
    shutil.rmtree(folder, ignore_errors=True)
