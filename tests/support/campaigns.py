"""A campaign through all its stages in this process: what the DAG does, without Airflow."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from oppflow.deployment import Deployment
from oppflow.errors import OppflowError
from oppflow.manifest import Manifest
from oppflow.plan import PackedCampaign
from oppflow.results_folder import ResultsFolder
from oppflow.settings import PROJECT_ROOT, Choices, Settings
from oppflow.stages.build import build_model
from oppflow.stages.collect import collect
from oppflow.stages.pack import Identity, pack_model
from oppflow.stages.report import TaskStates, report
from oppflow.stages.resolve import resolve_runs
from oppflow.stages.simulate import simulate_batch
from oppflow.store import open_store

MODELS = PROJECT_ROOT / "models"
BAD_MODELS = PROJECT_ROOT / "tests" / "models"


def make_deployment(
    folder: Path, *, store_url: str = "", results: str = "", **changes: Any
) -> Deployment:
    """A deployment with everything below ``folder``; models of the project and of the tests."""
    settings = Settings.from_environment(
        {
            "OPPFLOW_MODEL_ROOTS": f"{MODELS}:{BAD_MODELS}:{folder / 'models'}",
            "OPPFLOW_RESULTS": results or str(folder / "results"),
            "OPPFLOW_WORK": str(folder / "work"),
            "OPPFLOW_STORE_URL": store_url or (folder / "store").as_uri(),
            "OPPFLOW_RUNNER": "process",
            "OPPFLOW_SLOTS": "2",
        }
    )
    settings = dataclasses.replace(settings, **changes)
    return Deployment(settings, open_store(settings.store_url, ttl_seconds=settings.result_ttl))


@dataclass
class Finished:
    """What a campaign left: errors by stage, and the manifest where there is one."""

    folder: ResultsFolder
    packed: PackedCampaign
    errors: dict[str, OppflowError] = field(default_factory=dict)
    batches: list[dict[str, Any]] = field(default_factory=list)
    built: dict[str, list[str]] = field(default_factory=dict)

    @property
    def green(self) -> bool:
        return "report" not in self.errors

    @property
    def manifest(self) -> Manifest:
        return Manifest.read(self.folder.manifest)

    @property
    def outcomes(self) -> dict[str, int]:
        return dict(self.manifest.data["outcomes"])

    @property
    def reasons(self) -> Counter[str]:
        return Counter(run["reason"] for run in self.manifest.data["runs"])

    def run(self, number: int) -> dict[str, Any]:
        return next(run for run in self.manifest.data["runs"] if run["number"] == number)

    def files(self) -> set[str]:
        paths = (path for path in self.folder.path.rglob("*") if path.is_file())
        return {path.relative_to(self.folder.path).as_posix() for path in paths}


_serial = iter(range(1_000_000))


def identity() -> Identity:
    moment = datetime.now(timezone.utc)
    return Identity("simulation_campaign", f"test-{next(_serial)}", moment, moment)


def defaults() -> dict[str, Any]:
    """The parameters as the trigger form would send them."""
    from oppflow.orchestration.parameters import campaign_parameters

    return {name: param.value for name, param in campaign_parameters(Choices()).items()}


def pack(deployment: Deployment, **parameters: Any) -> PackedCampaign:
    """Only the first stage."""
    return pack_model(deployment, identity(), {**defaults(), **parameters}, parameters)


def retried(
    deployment: Deployment, packed: PackedCampaign, index: int, attempts: int, attempt: int = 1
) -> dict[str, int]:
    """A batch, tried again as Airflow would; the last attempt counts."""
    try:
        return simulate_batch(deployment, packed, index, attempt)
    except OppflowError as error:
        if attempt == attempts or not error.transient:
            raise
    return retried(deployment, packed, index, attempts, attempt + 1)


def run_campaign(deployment: Deployment, *, attempts: int = 1, **parameters: Any) -> Finished:
    """All stages in the DAG's order, each tried as the DAG would; errors are kept by stage."""
    return run_packed(deployment, pack(deployment, **parameters), attempts=attempts)


def run_packed(
    deployment: Deployment,
    packed: PackedCampaign,
    *,
    attempts: int = 1,
    before_report: Callable[[TaskStates], Any] | None = None,
    with_report: bool = True,
) -> Finished:
    """The same of what was packed; ``before_report`` is one stage more."""
    folder = deployment.results(packed.results).folder
    finished = Finished(folder, packed)
    states: dict[str, dict[str, int]] = {"pack_model": {"success": 1}}

    def stage(name: str, call: Any) -> Any:
        try:
            result = call()
        except OppflowError as error:
            finished.errors[name] = error
            states.setdefault(name.partition("[")[0], Counter())["failed"] += 1
            return None
        states.setdefault(name.partition("[")[0], Counter())["success"] += 1
        return result

    finished.batches = stage("resolve_runs", lambda: resolve_runs(deployment, packed)) or []
    finished.built = stage("build_model", lambda: build_model(deployment, packed)) or {}
    if "resolve_runs" not in finished.errors and "build_model" not in finished.errors:
        for batch in finished.batches:
            name = f"simulate[{batch['index']}]"
            stage(name, lambda i=batch["index"]: retried(deployment, packed, i, attempts))
    stage("collect", lambda: collect(deployment, packed, states))
    if before_report is not None:
        stage("compare", lambda: before_report(states))
    if with_report:
        stage("report", lambda: report(deployment, packed, states))
    return finished
