"""The scalars of a campaign as one long table: a row per run and scalar.

Columns: ``run`` (number), ``config``, every iteration variable, ``repetition``, ``seed_set``,
``module``, ``name``, ``value`` and ``unit``. Statistics appear through their fields, named as
``opp_scavetool --add-fields-as-scalars`` does: ``queueLength:histogram:mean``.
"""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import polars as pl

from oppflow.analysis.summary import CampaignRun
from oppflow.analysis.variables import Variable, find_variables, variable_values
from oppflow.errors import ResultFileError
from oppflow.omnetpp.result_items import Scalar, Statistic
from oppflow.omnetpp.scalar_file import iter_scalar_file

# Rows that are held in memory at a time: some 5 MB.
BATCH_ROWS = 20_000
STATISTIC_FIELDS = ("count", "mean", "stddev", "min", "max", "sum")

Row = tuple[int, str, str, float, str]


def write_scalars(
    target: Path,
    folder: Path,
    runs: Sequence[CampaignRun],
    config: str,
    *,
    batch_rows: int = BATCH_ROWS,
) -> int:
    """Write the scalars of the good runs to the Parquet file ``target``; return how many.

    ``folder`` is the campaign's folder. Only runs that are `done` or `reused` enter. Memory is
    bounded however many runs there are. The file appears at once, when it is whole.

    Raises:
        ResultFileError: a scalar file cannot be read; the message names the file and the run.
    """
    rows = 0
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=f".{target.name}-") as scratch:
        parts = Path(scratch)
        frames = scalar_frames(folder, runs, config, batch_rows=batch_rows)
        for number, frame in enumerate(frames):
            frame.write_parquet(parts / f"{number:06}.parquet")
            rows += frame.height
        whole = parts / "whole"
        pl.scan_parquet(parts / "*.parquet").sink_parquet(whole)
        whole.replace(target)
    return rows


def read_scalars(folder: Path, runs: Sequence[CampaignRun], config: str) -> pl.DataFrame:
    """Return the table that `write_scalars` writes, for campaigns that fit into memory.

    Raises:
        ResultFileError: as `write_scalars`.
    """
    return pl.concat(scalar_frames(folder, runs, config))


def scalar_frames(
    folder: Path,
    runs: Sequence[CampaignRun],
    config: str,
    *,
    batch_rows: int = BATCH_ROWS,
) -> Iterator[pl.DataFrame]:
    """Yield the table in parts of about ``batch_rows`` rows, at least one, all of one schema.

    Raises:
        ResultFileError: as `write_scalars`.
    """
    good = [run for run in runs if run.record.outcome.is_good]
    variables = find_variables(runs)
    frame_of_runs = _run_frame(good, variables, config)
    is_empty = True
    rows = (row for run in good for path in scalar_paths(folder, run) for row in _rows(path, run))
    while batch := list(itertools.islice(rows, batch_rows)):
        yield _frame(batch, frame_of_runs)
        is_empty = False
    if is_empty:
        yield _frame([], frame_of_runs)


def scalar_paths(folder: Path, run: CampaignRun) -> list[Path]:
    """Return the paths of the run's scalar files."""
    return [folder / file.name for file in run.record.files if file.name.endswith(".sca")]


def _rows(path: Path, run: CampaignRun) -> Iterator[Row]:
    number = run.run.number
    try:
        for item in iter_scalar_file(path):
            if isinstance(item, Scalar):
                yield number, item.module, item.name, item.value, item.unit
            elif isinstance(item, Statistic):
                for field in STATISTIC_FIELDS:
                    if field in item.fields:
                        unit = "" if field == "count" else item.unit
                        name = f"{item.name}:{field}"
                        yield number, item.module, name, item.fields[field], unit
    except ResultFileError as error:
        raise ResultFileError(
            f"{error.message} It belongs to run {run.run.label}.", hint=error.hint
        ) from error


def _run_frame(
    runs: Sequence[CampaignRun], variables: Sequence[Variable], config: str
) -> pl.DataFrame:
    """One row per run: what is the same for all of its scalars."""
    types: Mapping[str, type[pl.DataType]] = {
        "run": pl.Int64,
        "config": pl.String,
        **{v.column: pl.Float64 if v.is_number else pl.String for v in variables},
        "repetition": pl.Int64,
        "seed_set": pl.String,
    }
    rows = [
        {
            "run": run.run.number,
            "config": config,
            **variable_values(variables, run),
            "repetition": run.run.repetition,
            "seed_set": run.run.seed_set,
        }
        for run in runs
    ]
    return pl.DataFrame(rows, schema=types)


def _frame(rows: list[Row], runs: pl.DataFrame) -> pl.DataFrame:
    types = {
        "run": pl.Int64,
        "module": pl.String,
        "name": pl.String,
        "value": pl.Float64,
        "unit": pl.String,
    }
    frame = pl.DataFrame(rows, schema=types, orient="row")
    joined = frame.join(runs, on="run", how="left", maintain_order="left")
    return joined.select(*runs.columns, "module", "name", "value", "unit")
