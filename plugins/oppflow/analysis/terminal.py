"""Means over the iteration variables as a table for the terminal."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from oppflow.analysis.formatting import format_estimate, format_number
from oppflow.analysis.grid import Grid, Row, make_grid
from oppflow.analysis.means import Means
from oppflow.analysis.statistics import CONFIDENCE
from oppflow.analysis.variables import Variable


def print_means(
    console: Console,
    means: Means,
    variables: Sequence[Variable],
    *,
    scalars: int = 4,
    rows: int = 40,
    confidence: float = CONFIDENCE,
) -> None:
    """Print a table of means: a row per point, a column per scalar, and what was left out.

    There are at most ``scalars`` of the scalars, the most
    telling ones and no more than the console is wide enough for, with their theory beside them,
    and at most ``rows`` points. A cell is the mean and the half-width of its interval.
    """
    for count in range(scalars, 0, -1):
        grid = make_grid(means, variables, scalars=count, rows=rows)
        if not grid.columns:
            console.print("No scalars were recorded by good runs.")
            return
        table = means_table(grid)
        if count == 1 or _width(console, table) <= console.width:
            break
    console.print(table)
    for note in grid.notes(confidence):
        console.print(Text(note, style="dim"))


def means_table(grid: Grid) -> Table:
    """Return the grid as a table without its notes."""
    table = Table(header_style="bold")
    for variable in grid.variables:
        table.add_column(Text(variable.name), justify="right" if variable.is_number else "left")
    for column in grid.columns:
        unit = f" [{column.unit}]" if column.unit else ""
        table.add_column(Text(column.title + unit), justify="right")
        if column.scalar.theory is not None:
            table.add_column("theory", justify="right", style="dim")
    table.add_column("n", justify="right", style="dim")
    for row in grid.rows:
        table.add_row(*(Text(text) for text in _texts(row, grid)))
    return table


def _texts(row: Row, grid: Grid) -> list[str]:
    texts = [format_number(value) for value in row.values]
    for column, cell, theory in zip(grid.columns, row.cells, row.theories, strict=True):
        texts.append(format_estimate(cell.mean, cell.half_width))
        if column.scalar.theory is not None:
            texts.append(format_number(theory))
    return [*texts, row.samples]


def _width(console: Console, table: Table) -> int:
    """The columns that the table wants, however many the console has."""
    return console.measure(table, options=console.options.update(max_width=10_000)).maximum
