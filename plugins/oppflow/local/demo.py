"""``make demo``: a whole campaign through a real Airflow, watched through its REST API."""

from __future__ import annotations

import contextlib
import json
import signal
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from rich.console import Console

from oppflow.errors import InfrastructureError, OppflowError
from oppflow.local.client import AirflowClient
from oppflow.local.containers import omnetpp_image
from oppflow.local.home import USER, Home
from oppflow.local.progress import ProgressLine, Snapshot
from oppflow.local.stack import Stack
from oppflow.manifest import Manifest
from oppflow.results import open_results
from oppflow.results_folder import ResultsFolder
from oppflow.settings import Settings

WHERE = {"docker": "in containers", "process": "as subprocesses"}
"""What a runner means to a user."""

_OMNETPP_DEMO = "mm1-omnetpp"
_ENDED = {"success", "failed"}
_POLL = 0.5  # seconds
_CANCEL_PATIENCE = 30.0
_SAID_AT_EXIT = "Task exited"  # by Airflow, of every task that oppflow ends with an error


def run_demo(conf: Mapping[str, Any], model_roots: tuple[Path, ...], console: Console) -> int:
    """Start Airflow unless it is up, run one campaign, show its results; the exit status.

    Without a model, that is the M/M/1 queue: for OMNeT++ where there are containers with it, else
    for the embedded engine.

    Raises:
        OppflowError: Airflow does not come up, or refuses the campaign.
        KeyboardInterrupt: Ctrl-C, after everything that was started has ended.
    """
    home = Home.of_project()
    stack = Stack.running(home)
    ours = stack is None
    signal.signal(signal.SIGTERM, interrupt)
    if stack is None:
        console.print("Starting Airflow (SQLite, LocalExecutor, loopback only) ...")
        stack = Stack.start(home, model_roots)
    console.print(f"Simulations run {WHERE[stack.runner]}.")
    if "model" not in conf and stack.runner == "docker" and omnetpp_image():
        conf = {"model": _OMNETPP_DEMO, **conf}
    try:
        with contextlib.closing(AirflowClient(stack.url, USER, home.password())) as client:
            client.wait_for_dag()
            with cancelled_on_interrupt(client, console):
                return _campaign(client, conf, console)
    finally:
        if ours:
            console.print("Stopping Airflow ...")
            stack.stop()


def interrupt(*_: object) -> None:
    """End like Ctrl-C does."""
    raise KeyboardInterrupt


def _campaign(client: AirflowClient, conf: Mapping[str, Any], console: Console) -> int:
    started = time.monotonic()
    run_id = client.trigger(conf)
    asked = json.dumps(dict(conf))
    console.print(f"Campaign triggered: {asked}", highlight=False, markup=False, soft_wrap=True)
    line = ProgressLine(console)
    try:
        state = watch(client, run_id, line)
    finally:
        line.close()
    console.print(f"The campaign took {time.monotonic() - started:.1f} s, trigger to report.")
    packed = client.xcom(run_id, "pack_model")
    if packed is not None:
        _show_results(packed, console)
    if state != "success":
        _show_errors(client, run_id, console)
    return 0 if state == "success" else 1


def watch(client: AirflowClient, run_id: str, line: ProgressLine) -> str:
    """Show how far a campaign is until it has ended; its state then."""
    batches = None
    while True:
        state = str(client.dag_run(run_id)["state"])
        if batches is None:
            batches = client.xcom(run_id, "resolve_runs")
        line.show(Snapshot.of(client.task_instances(run_id), batches))
        if state in _ENDED:
            return state
        time.sleep(_POLL)


def _show_results(packed: Mapping[str, Any], console: Console) -> None:
    results = open_results(Settings.from_environment()).for_readers().campaign(packed["results"])
    folder = results.folder
    results.fetch(folder.manifest.name, folder.scalars_table.name)
    if not folder.manifest.exists():
        return
    manifest = Manifest.read(folder.manifest)
    outcomes: dict[str, int] = manifest.data["outcomes"]
    total = sum(outcomes.values())
    if folder.scalars_table.exists():
        _print_means(folder, manifest, console)
    counts = ", ".join(f"{count} {outcome}" for outcome, count in outcomes.items())
    console.print(f"{total} runs: {counts}", highlight=False)
    if outcomes.get("reused") == total:
        console.print("Nothing was simulated: every run was reused from an earlier campaign.")
    console.print(f"Results: {results.where()}", highlight=False, soft_wrap=True)
    console.print(f"Report:  {results.where(folder.report.name)}", highlight=False, soft_wrap=True)


def _print_means(folder: ResultsFolder, manifest: Manifest, console: Console) -> None:
    from oppflow.analysis.means import telling_means
    from oppflow.analysis.summary import CampaignRun
    from oppflow.analysis.terminal import print_means
    from oppflow.analysis.variables import find_variables

    variables = find_variables(CampaignRun(run, record) for run, record in manifest.runs)
    print_means(console, telling_means(folder.scalars_table, variables), variables)


def _show_errors(client: AirflowClient, run_id: str, console: Console) -> None:
    """What the failed tasks say; of runs, the report tells all that their own tasks do."""
    console.print("The campaign is red.", style="bold red")
    failed = [task for task in client.task_instances(run_id) if task["state"] == "failed"]
    causes = [task for task in failed if task["task_id"] not in ("simulate", "report")]
    for task in causes or [task for task in failed if task["task_id"] == "report"]:
        console.print(f"{task['task_id']}:", style="bold")
        with contextlib.suppress(OppflowError):
            for line in client.log(run_id, task["task_id"], task["try_number"]):
                if line.level in ("error", "critical") and line.text != _SAID_AT_EXIT:
                    console.print(line.text, markup=False, soft_wrap=True)


@contextlib.contextmanager
def cancelled_on_interrupt(client: AirflowClient, console: Console) -> Iterator[None]:
    """On Ctrl-C, end the running campaigns, simulations first, before anything else goes."""
    try:
        yield
    except KeyboardInterrupt:
        console.print("\nInterrupted: ending the simulations ...")
        cancel_all(client)
        raise


def cancel_all(client: AirflowClient) -> None:
    """Mark every active campaign failed and wait until none of their tasks runs."""
    with contextlib.suppress(InfrastructureError):
        runs = client.campaigns("running", "queued")
        for run_id in runs:
            client.cancel(run_id)
        deadline = time.monotonic() + _CANCEL_PATIENCE
        while time.monotonic() < deadline:
            states = [i["state"] for run_id in runs for i in client.task_instances(run_id)]
            if not any(state in ("running", "queued", "restarting") for state in states):
                return
            time.sleep(_POLL)
