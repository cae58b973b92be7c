"""A collected campaign's folder, as the page reads it: its table of runs, and its files, safely."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from oppflow.campaign import Run
from oppflow.results_folder import ResultsFolder
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


def stamp(path: Path) -> tuple[int, int] | None:
    """What changes when a file is replaced: time and size; None where it is not there."""
    try:
        state = path.stat()
    except OSError:
        return None
    return state.st_mtime_ns, state.st_size


def file_in(folder: ResultsFolder, name: str) -> Path:
    """The file of that name in a campaign's folder, wherever links lead.

    Raises:
        NotThereError: there is none, or it lies outside the folder or among its private files.
    """
    root = folder.path.resolve()
    try:
        path = (root / name).resolve()
        inside = path.is_relative_to(root) and not _is_private(path.relative_to(root))
        if inside and path.is_file():
            return path
    except (OSError, ValueError):  # ValueError: a NUL character in the name
        pass
    raise NotThereError(f"The campaign's folder has no file {shown(name)!r}.")


def files_of(folder: ResultsFolder) -> Iterator[tuple[str, Path]]:
    """Name and path of every regular file in the folder, sorted; links are not followed."""
    for top, folders, names in os.walk(folder.path):
        folders[:] = sorted(name for name in folders if not name.startswith(".oppflow"))
        for name in sorted(names):
            path = Path(top, name)
            if path.is_file() and not path.is_symlink():
                yield path.relative_to(folder.path).as_posix(), path


def _is_private(path: Path) -> bool:
    return any(part.startswith(".oppflow") for part in path.parts[:1])
