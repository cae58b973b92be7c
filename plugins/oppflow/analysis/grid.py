"""Means as a grid for reading: a row per point, a column per scalar, and what was left out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from oppflow.analysis.formatting import format_count
from oppflow.analysis.means import Means
from oppflow.analysis.selection import ScalarName, mean_facts, rank_scalars
from oppflow.analysis.variables import Value, Variable


@dataclass(frozen=True)
class Cell:
    """A mean with the half-width of its interval over so many samples; None where there is none."""

    mean: float | None = None
    half_width: float | None = None
    samples: int = 0


@dataclass(frozen=True)
class Column:
    """A scalar of the grid. ``title`` tells it from all other columns."""

    scalar: ScalarName
    title: str
    unit: str


@dataclass(frozen=True)
class Row:
    """A point: values of the grid's variables, and for each column its cell and its theory."""

    values: tuple[Value, ...]
    cells: tuple[Cell, ...]
    theories: tuple[float | None, ...]

    @property
    def samples(self) -> str:
        """The repetitions that entered: ``5``, or ``3-5`` where the columns differ."""
        counts = {cell.samples for cell in self.cells if cell.samples}
        return "-".join(str(n) for n in sorted({min(counts), max(counts)})) if counts else "0"


@dataclass(frozen=True)
class Grid:
    """Chosen scalars over the points of a campaign, and how many of both were left out.

    ``skipped`` counts the values that were not a number.
    """

    variables: tuple[Variable, ...]
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    scalars_left: int
    points_left: int
    skipped: int
    has_intervals: bool

    def notes(self, confidence: float) -> list[str]:
        """Return what a reader must know, a sentence each."""
        notes = ["Means; one repetition has no confidence interval."]
        if self.has_intervals:
            interval = f"{confidence * 100:g} % confidence interval"
            notes = [f"Mean ± half-width of the {interval} over n repetitions."]
        if self.skipped:
            verb = "was" if self.skipped == 1 else "were"
            notes.append(f"{format_count(self.skipped, 'value')} {verb} not a number and left out.")
        left = [format_count(self.scalars_left, "scalar")] if self.scalars_left else []
        left += [format_count(self.points_left, "point")] if self.points_left else []
        if left:
            notes.append(f"Not shown: {' and '.join(left)}; all are in scalars.parquet.")
        return notes


def make_grid(means: Means, variables: Sequence[Variable], *, scalars: int, rows: int) -> Grid:
    """Return at most ``scalars`` columns, as `rank_scalars` chooses, and the first ``rows`` points.

    Of the variables the grid has those with more than one value, or all if none has.
    """
    points = means.points
    ranked = rank_scalars(mean_facts(points))
    chosen = ranked[:scalars]
    shown = tuple([v for v in variables if v.is_swept] or variables)
    cells: dict[tuple[Value, ...], dict[tuple[str, str], Cell]] = {}
    for row in points.iter_rows(named=True):
        point = tuple(row[v.column] for v in variables)
        cell = Cell(row["mean"], row["half_width"], row["samples"])
        cells.setdefault(point, {})[row["module"], row["name"]] = cell
    places = [i for i, v in enumerate(variables) if v in shown]
    return Grid(
        variables=shown,
        columns=_columns(chosen, points),
        rows=tuple(
            _row(tuple(point[i] for i in places), known, chosen)
            for point, known in list(cells.items())[:rows]
        ),
        scalars_left=len(ranked) - len(chosen) + means.left,
        points_left=max(0, len(cells) - rows),
        skipped=means.skipped,
        has_intervals=points["half_width"].null_count() < points.height,
    )


def _columns(chosen: Sequence[ScalarName], points: pl.DataFrame) -> tuple[Column, ...]:
    units = {(m, n): unit for m, n, unit in points.select("module", "name", "unit").rows()}
    names = [scalar.name for scalar in chosen]
    return tuple(
        Column(
            scalar,
            scalar.name if names.count(scalar.name) == 1 else f"{scalar.module}.{scalar.name}",
            units.get((scalar.module, scalar.name), ""),
        )
        for scalar in chosen
    )


def _row(
    values: tuple[Value, ...], known: dict[tuple[str, str], Cell], chosen: Sequence[ScalarName]
) -> Row:
    cells = tuple(known.get((scalar.module, scalar.name), Cell()) for scalar in chosen)
    theories = tuple(known.get((s.module, s.theory or ""), Cell()).mean for s in chosen)
    return Row(values, cells, theories)
