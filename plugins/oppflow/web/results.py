"""A collected campaign's folder, as the page reads it: its table of runs, and its files, safely."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from oppflow.campaign import Run
from oppflow.results import CampaignResults, ResultsFile
from oppflow.web.text import shown


class NotThereError(LookupError):
    """What was asked for does not exist; the message says what, for a person."""


@dataclass(frozen=True)
class RunsTable:
    """``runs.csv`` as it was read: ``frame`` for `with_results`, ``texts`` with all its columns."""

    frame: pl.DataFrame
    texts: pl.DataFrame

    def runs(self) -> Iterator[Run]:
        """The runs themselves, for whoever has no plan of them."""
        names = self.texts.columns[1 : self.texts.columns.index("repetition")]
        for row in self.texts.iter_rows(named=True):
            variables = tuple((name.removeprefix("$"), row[name]) for name in names)
            number, repetition = int(row["run"]), int(row["repetition"])
            yield Run(number, variables, repetition, row["seed_set"], row["result_name"])


def read_runs_table(path: Path) -> RunsTable | None:
    """The table, or None where it is not there, or is no table of runs."""
    try:
        raw = pl.read_csv(path, infer_schema=False, encoding="utf8-lossy").fill_null("")
        frame = raw.select(
            pl.col("run").cast(pl.Int64),
            pl.col("outcome").alias("state"),
            pl.col("attempts").cast(pl.Int64),
            pl.col("wall_time_s").cast(pl.Float64).alias("wall_time"),
            pl.col("cpu_time_s").cast(pl.Float64).alias("cpu_time"),
            pl.lit(None, pl.Float64).alias("percentage"),
            pl.col("simulated_time_s").alias("simulated_time"),
            pl.lit(None, pl.Float64).alias("events_per_second"),
            pl.Series("message", [shown(text) for text in raw["message"]], dtype=pl.String),
        )
        return RunsTable(frame, raw)
    except (OSError, pl.exceptions.PolarsError):
        return None


def file_in(results: CampaignResults, name: str) -> ResultsFile:
    """The file of that name among a campaign's results.

    Raises:
        NotThereError: there is none, or it lies outside the folder or among its private files.
    """
    found = results.find(name)
    if found is None:
        raise NotThereError(f"The campaign's folder has no file {shown(name)!r}.")
    return found


def file_here(results: CampaignResults, name: str) -> Path:
    """The same as a file on this host.

    Raises:
        NotThereError: as `file_in`.
    """
    found = file_in(results, name)
    results.fetch(found.name)
    return results.folder.path / found.name
