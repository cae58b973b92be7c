"""A campaign of many runs that nobody simulated: its records and results as it would leave them."""

from __future__ import annotations

import csv
import random
from dataclasses import replace
from pathlib import Path

import polars as pl

from oppflow.campaign import Outcome, Run, RunRecord
from oppflow.deployment import Deployment
from oppflow.local.client import DAG_ID
from oppflow.plan import PackedCampaign, Plan, PlannedRun
from oppflow.progress import KIND as PROGRESS
from oppflow.progress import BatchProgress, progress_key
from oppflow.stages.pack import CAMPAIGN, campaign_key
from oppflow.stages.simulate import run_record_key
from oppflow.store import Record

_BATCH = 50
_SCALARS = 10


def inflate(run_id: str, count: int, *, collected: bool) -> None:
    """Make the records and results of a small campaign those of a large one."""
    deployment = Deployment.from_environment()
    store = deployment.store
    key = campaign_key(DAG_ID, run_id)
    packed = PackedCampaign.from_json(store.get_records(CAMPAIGN, [key])[key])
    if not collected:  # its DAG run has ended, but nothing says so: the store alone is asked
        packed = replace(packed, results=f"{packed.results}-none")
        store.put_record(CAMPAIGN, key, packed.as_json())
    runs = [_run(number) for number in range(count)]
    numbers = range(count)
    batches = tuple(tuple(numbers[i : i + _BATCH]) for i in range(0, count, _BATCH))
    planned = tuple(
        PlannedRun(run, f"{run.number:064x}", "f", False, "new run", 2.0) for run in runs
    )
    records = [
        Record("plan", packed.campaign, Plan(planned, ("a warning",), True, batches).as_json())
    ]
    ended = [_record(run) for run in runs]
    for index, batch in enumerate(batches):
        progress = BatchProgress()
        for number in batch[: None if collected or index % 4 else 20]:
            progress.end(ended[number])
        records.append(Record(PROGRESS, progress_key(packed.campaign, index), progress.as_json()))
    records += [
        Record("run", run_record_key(packed, record.number), record.as_json())
        for record in ended
        if record.number < 100 or not record.outcome.is_good
    ]
    store.put_records(records)
    if collected:
        _write_results(deployment.settings.results_root / packed.results, runs, ended)


def _run(number: int) -> Run:
    load, size, repetition = number // 500 % 20, number // 10 % 50, number % 10
    variables = (("load", f"{load / 2}"), ("size", f"{size}"))
    return Run(
        number, variables, repetition, str(number), f"Big-load={load},size={size}-#{repetition}"
    )


def _record(run: Run) -> RunRecord:
    failed = run.number % 97 == 0
    return RunRecord(
        run.number, f"{run.number:064x}", Outcome.FAILED if failed else Outcome.DONE,
        wall_time=1 + run.number % 7, cpu_time=1.0, simulated_time="100", events=1000,
        message=f"The simulation ended: no route at t={run.number}" if failed else "",
        last_lines=("a line",) * 10,
    )  # fmt: skip


def _write_results(folder: Path, runs: list[Run], records: list[RunRecord]) -> None:
    with (folder / "runs.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(
            ["run", "load", "size", "repetition", "seed_set", "outcome", "attempts", "wall_time_s",
             "cpu_time_s", "simulated_time_s", "events", "exit_status", "started", "ended",
             "result_name", "message"]
        )  # fmt: skip
        for run, record in zip(runs, records, strict=True):
            values = [value for _, value in run.variables]
            writer.writerow(
                [run.number, *values, run.repetition, run.seed_set, record.outcome.value, 1,
                 record.wall_time, record.cpu_time, 100, 1000, 0, "", "", run.result_name,
                 record.message]
            )  # fmt: skip
    chance = random.Random(1)  # noqa: S311 - figures to draw
    names = [f"scalar{i}:mean" for i in range(_SCALARS)]
    pl.DataFrame(
        {
            "run": [run.number for run in runs for _ in names],
            "config": "Big",
            "load": [float(dict(run.variables)["load"]) for run in runs for _ in names],
            "size": [float(dict(run.variables)["size"]) for run in runs for _ in names],
            "repetition": [run.repetition for run in runs for _ in names],
            "seed_set": [run.seed_set for run in runs for _ in names],
            "module": "Net.node[0]",
            "name": names * len(runs),
            "value": [chance.random() for _ in range(len(runs) * len(names))],
            "unit": "s",
        }
    ).write_parquet(folder / "scalars.parquet")
