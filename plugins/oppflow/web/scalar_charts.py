"""Charts of a campaign's scalars: one scalar of one module, over the variables of one's choice."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import polars as pl

from oppflow.analysis.charts import chart_of
from oppflow.analysis.formatting import format_number
from oppflow.analysis.lines import Axis, Sweep, collect_lines
from oppflow.analysis.selection import ScalarName, rank_scalars
from oppflow.analysis.statistics import summarise
from oppflow.analysis.variables import Variable
from oppflow.web.results import NotThereError
from oppflow.web.text import shown

MOST_NAMES = 2000

Json = dict[str, Any]


def list_scalars(path: Path) -> list[Json]:
    """Module and name of the scalars, those first that tell most.

    Raises:
        NotThereError: the campaign has no table of scalars (any more).
    """
    value = pl.col("value").fill_nan(None)
    facts = (
        _scan(path)
        .group_by("module", "name", maintain_order=True)
        .agg(value.min().alias("lowest"), value.max().alias("highest"))
        .collect()
    )
    ranked = rank_scalars(facts)[:MOST_NAMES]
    return [{"module": shown(s.module), "name": shown(s.name), "theory": s.theory} for s in ranked]


def scalar_chart(
    path: Path,
    variables: Sequence[Variable],
    scalar: tuple[str, str],
    *,
    x: str,
    series: Sequence[str],
    runs: Sequence[int] | None,
) -> Json:
    """A figure for Plotly, its points as rows, and notes on how to read it.

    ``x`` and ``series`` are names of iteration variables; means are over the repetitions, and over
    the values of all other variables. ``runs`` are the numbers of those that enter, None for all.

    Raises:
        NotThereError: no such scalar or variable, or the table is gone.
    """
    by_name = {variable.name: variable for variable in variables}
    unknown = [name for name in (x, *series) if name not in by_name]
    if unknown:
        raise NotThereError(f"The campaign has no iteration variable {shown(unknown[0])!r}.")
    lines = [by_name[name] for name in dict.fromkeys(series) if name != x]
    module, name = scalar
    rows = _scan(path).filter(pl.col("module") == module)
    if runs is not None:
        rows = rows.filter(pl.col("run").is_in(list(runs)))
    theory = _theory(rows, module, name)
    wanted = [name, theory] if theory else [name]
    columns = [by_name[x].column, *(variable.column for variable in lines)]
    points = summarise(rows.filter(pl.col("name").is_in(wanted)), columns)
    if points.is_empty():
        raise NotThereError(f"The runs chosen have no scalar {shown(name)!r} of {shown(module)!r}.")
    sweep = Sweep(Axis.of(by_name[x]), tuple(lines))
    chosen = ScalarName(module, name, theory)
    collected = collect_lines(points, {(module, n) for n in wanted}, sweep)
    unit = points["unit"][0] or ""
    chart = chart_of(chosen, sweep, collected, unit)
    pooled = [v.name for v in variables if v.is_swept and v.name != x and v not in lines]
    notes = [*chart.notes]
    if pooled:
        notes.append(f"Means are over all values of {' and '.join(pooled)} as well.")
    skipped = int(points["skipped"].sum())
    if skipped:
        notes.append(f"{skipped} values were not a number and left out.")
    return {
        "title": shown(f"{name} of {module}"),
        "unit": shown(unit),
        "figure": chart.figure,
        "notes": [shown(note) for note in notes],
        "columns": [x, *(v.name for v in lines), "mean", "half_width", "n"],
        "rows": _rows(points.filter(pl.col("name") == name), columns),
    }


def _rows(points: pl.DataFrame, columns: Sequence[str]) -> list[list[Any]]:
    named = points.select(*columns, "mean", "half_width", "samples")
    return [
        [*(shown(format_number(value)) for value in row[:-3]), *row[-3:]] for row in named.rows()
    ]


def _theory(rows: pl.LazyFrame, module: str, name: str) -> str | None:
    """The scalar that holds the theoretical value of another, as reports find it."""
    names = rows.select("name").unique().collect()["name"].to_list()
    zeros = [0.0] * len(names)
    facts = pl.DataFrame(
        {"module": [module] * len(names), "name": names, "lowest": zeros, "highest": zeros}
    )
    return next((s.theory for s in rank_scalars(facts) if s.name == name), None)


def _scan(path: Path) -> pl.LazyFrame:
    if not path.is_file():
        raise NotThereError(
            "There is no table of scalars: the campaign is not collected yet, or scalars.parquet "
            "was deleted. Clear the task report to write it again."
        )
    return pl.scan_parquet(path)
