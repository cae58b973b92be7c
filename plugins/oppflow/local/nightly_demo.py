"""``make demo-nightly``: nights in a row, with a changed model before the last of them."""

from __future__ import annotations

import contextlib
import shutil
import signal
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path

from rich.console import Console

from oppflow.local.client import AirflowClient
from oppflow.local.demo import cancelled_on_interrupt, interrupt, watch
from oppflow.local.home import USER, Home
from oppflow.local.progress import ProgressLine
from oppflow.local.stack import Stack
from oppflow.settings import PROJECT_ROOT

_NAME = "nightly_demo"
_FILE = """\
name: {name}
schedule: "{schedule}"
parameters:
  model: queue
  config: MM1
  run_filter: "$load < 0.6"
  options: {{"*.customers": 4000}}
"""
_OLD, _NEW = "*.serviceRate = 1.0", "*.serviceRate = 0.98"
_PATIENCE = 120.0  # seconds until Airflow knows the DAG, on a machine with much to do


def half_a_year_away() -> str:
    """A schedule for nights that are started by hand, and not by the clock.

    Airflow makes up for a time that was a tenth of the period, or less, before it knew the DAG.
    """
    return f"0 3 1 {(datetime.now(timezone.utc).month + 5) % 12 + 1} *"


@dataclass(frozen=True)
class _Folder:
    """Where the demo keeps all of it: below Airflow's own files, made anew each time."""

    path: Path

    @property
    def ini(self) -> Path:
        return self.path / "models" / "queue" / "omnetpp.ini"

    def make(self) -> None:
        shutil.rmtree(self.path, ignore_errors=True)
        shutil.copytree(PROJECT_ROOT / "models" / "mm1", self.ini.parent)
        (self.path / "nightly").mkdir()
        text = _FILE.format(name=_NAME, schedule=half_a_year_away())
        (self.path / "nightly" / "demo.yaml").write_text(text, encoding="utf-8")

    def environment(self) -> dict[str, str]:
        return {
            "OPPFLOW_NIGHTLY": str(self.path / "nightly"),
            "OPPFLOW_MODEL_ROOTS": str(self.path / "models"),
            "OPPFLOW_RESULTS": str(self.path / "results"),
            "OPPFLOW_STORE_URL": (self.path / "store").as_uri(),
            "OPPFLOW_RUNNER": "process",
        }


def run_nightly_demo(console: Console) -> int:
    """Run the nights in an Airflow of their own, say what each told; the exit status.

    Raises:
        OppflowError: Airflow does not come up.
        KeyboardInterrupt: Ctrl-C, after everything that was started has ended.
    """
    folder = _Folder(Home.of_project().path / "nightly-demo")
    home = Home(folder.path / "airflow")
    left_over = Stack.running(home)
    if left_over is not None:
        left_over.stop()
    folder.make()
    signal.signal(signal.SIGTERM, interrupt)
    console.print("Starting Airflow (SQLite, LocalExecutor, loopback only) ...")
    stack = Stack.start(home, overrides=folder.environment())
    try:
        client = AirflowClient(stack.url, USER, home.password(), dag_id=_NAME)
        with contextlib.closing(client):
            client.wait_for_dag(_PATIENCE)
            with cancelled_on_interrupt(client, console):
                return _nights(client, folder, console)
    finally:
        console.print("Stopping Airflow ...")
        stack.stop()


def _nights(client: AirflowClient, folder: _Folder, console: Console) -> int:
    _night(client, "The first night", console)
    _night(client, "The second night, with the same model", console)
    ini = folder.ini.read_text(encoding="utf-8")
    folder.ini.write_text(ini.replace(_OLD, _NEW), encoding="utf-8")
    results = _night(client, "The third night, with a server that is 2 % slower", console)
    if not results:
        return 1
    report = folder.path / "results" / results / "report.html"
    console.print(f"\nReport: {report}", highlight=False, soft_wrap=True)
    return 0


def _night(client: AirflowClient, title: str, console: Console) -> str:
    """Run a night and say what it told; its results folder if it was called changed."""
    console.print(f"\n{title}:", style="bold")
    run_id = client.trigger({})
    line = ProgressLine(console)
    try:
        watch(client, run_id, line)
    finally:
        line.close()
    told = client.xcom(run_id, "compare")
    if told is not None:
        console.print(told["summary"], markup=False, highlight=False, soft_wrap=True)
        return str(told["results"]) if told["verdict"] == "changed" else ""
    for entry in client.log(run_id, "pack_model", 1):
        if "nothing is simulated" in entry.text:
            console.print(entry.text, markup=False, highlight=False, soft_wrap=True)
    return ""
