"""The runs of a campaign as one table in memory: planned, under way, ended. No I/O.

Columns: ``run`` (number), the iteration variables, each as ``$`` and its name (numbers where all
values are), ``repetition``, ``seed_set``, ``state`` (see `oppflow.web.states`), ``attempts``,
``wall_time`` and ``cpu_time`` (s), ``percentage``, ``simulated_time``, ``events_per_second``,
``expected`` (s), ``batch`` (map index of its task), ``reason``, ``message``, ``result_name``,
``key``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from oppflow.analysis.variables import Variable, variables_of
from oppflow.campaign import Outcome, Run
from oppflow.plan import Plan
from oppflow.web.states import RUNNING, WAITING
from oppflow.web.text import shown

LIVE: dict[str, type[pl.DataType]] = {
    "state": pl.String,
    "attempts": pl.Int64,
    "wall_time": pl.Float64,
    "cpu_time": pl.Float64,
    "percentage": pl.Float64,
    "simulated_time": pl.String,
    "events_per_second": pl.Float64,
    "message": pl.String,
}
_NOTHING_YET = (None,) * (len(LIVE) - 1)


@dataclass(frozen=True)
class PlannedRuns:
    """What does not change while a campaign runs; ``frame`` has all columns but those of `LIVE`.

    ``batches`` are how many runs each batch has, by map index.
    """

    frame: pl.DataFrame
    variables: tuple[Variable, ...]
    warnings: tuple[str, ...]
    batches: tuple[int, ...]


def column_of(variable: Variable) -> str:
    """The column of an iteration variable: never that of anything else."""
    return f"${variable.name}"


def planned_runs(plan: Plan) -> PlannedRuns:
    """The runs of a plan, in its order."""
    batch_of = {number: i for i, numbers in enumerate(plan.batches) for number in numbers}
    runs = [planned.run for planned in plan.runs]
    variables = variables_of(runs)
    frame = _fixed(runs, variables).with_columns(
        pl.Series("expected", [p.expected for p in plan.runs], dtype=pl.Float64),
        pl.Series("batch", [batch_of.get(run.number) for run in runs], dtype=pl.Int64),
        pl.Series("reuse", [p.reuse for p in plan.runs], dtype=pl.Boolean),
        pl.Series("reason", [shown(p.reason) for p in plan.runs], dtype=pl.String),
        pl.Series("key", [p.key for p in plan.runs], dtype=pl.String),
    )
    return PlannedRuns(frame, variables, plan.warnings, tuple(map(len, plan.batches)))


def recorded_runs(runs: Iterable[Run]) -> PlannedRuns:
    """The runs that a results folder tells of, where the store lost the plan."""
    known = list(runs)
    variables = variables_of(known)
    frame = _fixed(known, variables).with_columns(
        pl.lit(None, pl.Float64).alias("expected"),
        pl.lit(None, pl.Int64).alias("batch"),
        pl.lit(value=False).alias("reuse"),
        pl.lit("").alias("reason"),
        pl.lit("").alias("key"),
    )
    return PlannedRuns(frame, variables, (), ())


def _fixed(runs: list[Run], variables: tuple[Variable, ...]) -> pl.DataFrame:
    values = [dict(run.variables) for run in runs]
    return pl.DataFrame(
        [
            pl.Series("run", [run.number for run in runs], dtype=pl.Int64),
            *(_values(variable, values) for variable in variables),
            pl.Series("repetition", [run.repetition for run in runs], dtype=pl.Int64),
            pl.Series("seed_set", [run.seed_set for run in runs], dtype=pl.String),
            pl.Series("result_name", [shown(run.result_name) for run in runs], dtype=pl.String),
        ]
    )


def _values(variable: Variable, values: list[dict[str, str]]) -> pl.Series:
    found = [variable.value(texts.get(variable.name)) for texts in values]
    if variable.is_number:
        return pl.Series(column_of(variable), found, dtype=pl.Float64)
    texts = [None if value is None else shown(str(value)) for value in found]
    return pl.Series(column_of(variable), texts, dtype=pl.String)


def with_progress(
    planned: PlannedRuns, batches: Iterable[Mapping[str, Any]], *, is_over: bool
) -> pl.DataFrame:
    """The table as the progress records of the batches tell it.

    ``is_over`` says that nothing runs any more: whatever did not end was stopped.
    """
    rows: dict[int, tuple[Any, ...]] = {}
    for batch in batches:
        for number, (outcome, wall, cpu, attempts) in batch["ended"].items():
            rows[int(number)] = (outcome, attempts, wall, cpu, None, "", None, "")
        for number, run in batch["running"].items():
            rows[int(number)] = (
                Outcome.STOPPED.value if is_over else RUNNING,
                None, None, None, run["percentage"], shown(run["simulated_time"]),
                run["events_per_second"], "",
            )  # fmt: skip
    others = (Outcome.STOPPED.value if is_over else WAITING, *_NOTHING_YET)
    reused = (Outcome.REUSED.value, *_NOTHING_YET)
    frame = planned.frame
    found = [
        rows.get(number) or (reused if reuse else others)
        for number, reuse in frame.select("run", "reuse").iter_rows()
    ]
    return frame.hstack(pl.DataFrame(found, schema=LIVE, orient="row"))


def with_results(planned: PlannedRuns, results: pl.DataFrame) -> pl.DataFrame:
    """The table as the collected campaign's ``runs.csv`` tells it; `read_runs_table` reads that."""
    live = results.select("run", *LIVE)
    joined = planned.frame.join(live, on="run", how="left", maintain_order="left")
    return joined.with_columns(pl.col("state").fill_null(Outcome.LOST.value))
