"""Campaigns made up for tests: folders of scalar files as OMNeT++ writes them, and their runs."""

from __future__ import annotations

import itertools
import random
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from oppflow.analysis.means import Means, telling_means
from oppflow.analysis.scalars import write_scalars
from oppflow.analysis.summary import CampaignRun, CampaignSummary, count_outcomes
from oppflow.analysis.variables import find_variables
from oppflow.campaign import Outcome, ResultFile, Run, RunRecord

Results = Mapping[tuple[str, str], tuple[float, str]]  # (module, name) -> (value, unit)
Model = Callable[[dict[str, str], random.Random], Results]

HEAD = """version 3
run {config}-{number}-20261122-11:27:31-4711
attr configname {config}
attr repetition {repetition}
attr runnumber {number}
itervar x 1
config sim-time-limit 20s

"""


def write_scalar_file(path: Path, results: str, **head: object) -> None:
    """Write a whole scalar file with RESULTS, the lines after its head."""
    facts = {"config": "MM1", "number": 0, "repetition": 0, **head}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(HEAD.format(**facts) + results + "\n")


def scalar_lines(results: Results) -> str:
    """The lines of scalars with their units."""
    lines = []
    for (module, name), (value, unit) in results.items():
        lines.append(f"scalar {module} {name} {value:.14g}\nattr recordingmode mean\n")
        if unit:
            lines.append(f"attr unit {unit}\n")
    return "".join(lines)


def queue(variables: dict[str, str], random_: random.Random) -> Results:
    """An M/M/1 queue, as if simulated: sojourn times around their theory, and other scalars."""
    load, rate = float(variables.get("load", "0.5")), float(variables.get("serviceRate", "1"))
    load = min(load, 0.99)
    theory = 1 / (rate * (1 - load))
    time = theory * random_.gauss(1, 0.04 + 0.1 * load)
    return {
        ("MM1.sink", "timeInSystem:mean"): (time, "s"),
        ("MM1.sink", "timeInSystem:max"): (time * random_.uniform(5, 9), "s"),
        ("MM1.sink", "timeInSystem:theory"): (theory, "s"),
        ("MM1.queue", "queueLength:timeavg"): (load * rate * time, ""),
        ("MM1.queue", "queueLength:max"): (float(int(30 * load * random_.uniform(1, 2))), ""),
        ("MM1.server", "busy:timeavg"): (load * random_.gauss(1, 0.02), ""),
        ("MM1.server", "busy:theory"): (load, ""),
        ("MM1.source", "created"): (float(int(10_000 * load * rate)), ""),
    }


def make_campaign(
    folder: Path,
    variables: Mapping[str, Sequence[str]],
    *,
    repetitions: int = 3,
    model: Model = queue,
    failures: Mapping[int, RunRecord] | None = None,
    config: str = "MM1",
) -> list[CampaignRun]:
    """Write the scalar files of every combination of VARIABLES and repetition; return the runs."""
    runs = []
    points = itertools.product(*variables.values(), range(repetitions))
    for number, (*values, repetition) in enumerate(points):
        chosen = dict(zip(variables, values, strict=True))
        name = re.sub(r"[^\w,.=-]", "_", ",".join(f"{k}={v}" for k, v in chosen.items()))
        run = Run(
            number=number,
            variables=tuple(chosen.items()),
            repetition=repetition,
            seed_set=str(repetition),
            result_name=f"{config}-{name}-#{repetition}",
        )
        record = (failures or {}).get(number)
        runs.append(CampaignRun(run, record or _simulate(folder, run, chosen, model, config)))
    return runs


def _simulate(folder: Path, run: Run, chosen: dict[str, str], model: Model, config: str):
    path = folder / f"{run.result_name}.sca"
    lines = scalar_lines(model(chosen, random.Random(run.number)))
    write_scalar_file(path, lines, config=config, number=run.number, repetition=run.repetition)
    return RunRecord(
        number=run.number,
        key="k",
        outcome=Outcome.DONE,
        files=(ResultFile(path.name, path.stat().st_size, "0"), ResultFile("x.vec", 1, "0")),
        wall_time=1.5 + run.number,
        simulated_time="20",
        events=12_345,
    )


def failed_record(number: int, **facts: object) -> RunRecord:
    """A run that a model error ended."""
    values = {
        "key": "k",
        "outcome": Outcome.FAILED,
        "attempts": 1,
        "exit_status": 1,
        "message": "The simulation ended with exit status 1: <b>queue</b> overflow -- in module Q",
        "last_lines": (
            "MM1 run 3: $load=0.9, $repetition=0",
            "** Event #5210   t=12.5   Elapsed: 0.01s (0m 00s)  62% completed  (62% total)",
            "<!> Error: <b>queue</b> overflow -- in module (Queue) MM1.queue (id=3), at t=12.5s",
        ),
        "command": "opp_run -u Cmdenv -c MM1 -r 3 --result-dir=results",
    }
    return RunRecord(number=number, **{**values, **facts})


def summary_of(runs: Sequence[CampaignRun], **facts: object) -> CampaignSummary:
    """The head of a report on RUNS."""
    values = {
        "results": "mm1-load-sweep",
        "model": "models/mm1",
        "config": "MM1",
        "run_filter": "$load < 0.95",
        "started": "2026-11-22T11:27:31Z",
        "ended": "2026-11-22T11:31:02Z",
        "engine": "OMNeT++ 6.1",
        "versions": {"oppflow": "0.1.0", "Airflow": "3.0.2", "image": "oppflow/omnetpp:6.1"},
        "counts": count_outcomes(runs),
    }
    return CampaignSummary(**{**values, **facts})


def means_of(folder: Path, runs: Sequence[CampaignRun]) -> Means:
    """What a report of these runs shows."""
    table = folder / "means.parquet"
    write_scalars(table, folder, runs, "MM1")
    return telling_means(table, find_variables(runs))
