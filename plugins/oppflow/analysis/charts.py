"""One chart per scalar: its means over the first swept variable, with their intervals.

A chart has a line per value of the second swept variable; further swept variables make further
lines. A scalar ``X:theory`` is the dashed line in the chart of what it is the theory of, see
`rank_scalars`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from oppflow.analysis.figures import (
    figure,
    measured_trace,
    reference_trace,
    style_of,
    theory_trace,
)
from oppflow.analysis.formatting import format_count
from oppflow.analysis.lines import Key, Line, Point, Sweep, collect_lines
from oppflow.analysis.selection import ScalarName, rank_scalars
from oppflow.analysis.variables import Variable

MAX_CHARTS = 40
MAX_LINES = 24


@dataclass(frozen=True)
class Reference:
    """A curve to compare with: ``points`` are (value of the first swept variable, value)."""

    label: str
    points: Sequence[tuple[float | str, float]]


@dataclass(frozen=True)
class Chart:
    """A chart: what stands above it, the figure, and what a reader must know, as plain text."""

    title: str
    module: str
    figure: Mapping[str, Any]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Charts:
    """The charts of a campaign, and notes on how to read them and what they leave out."""

    charts: tuple[Chart, ...]
    notes: tuple[str, ...]


def make_charts(
    points: pl.DataFrame,
    variables: Sequence[Variable],
    *,
    references: Mapping[str, Sequence[Reference]] | None = None,
    limit: int = MAX_CHARTS,
) -> Charts:
    """Return at most ``limit`` charts of a table of `summarise`, the most telling scalars first.

    ``references`` are further curves by the name of the scalar in whose charts they are drawn.
    """
    swept = [v for v in variables if v.is_swept]
    ranked = rank_scalars(points)
    if not ranked:
        return Charts((), ())
    if not swept:
        why = "No iteration variable has more than one value: there is nothing to draw over."
        return Charts((), (why,))
    chosen = ranked[:limit]
    sweep = Sweep.of(swept)
    lines = collect_lines(points, _keys(chosen), sweep)
    units = {(m, n): u for m, n, u in points.select("module", "name", "unit").rows()}
    charts = tuple(
        _chart(
            scalar,
            sweep,
            lines,
            units.get((scalar.module, scalar.name), ""),
            references=(references or {}).get(scalar.name, ()),
        )
        for scalar in chosen
    )
    return Charts(charts, _notes(swept, len(ranked) - len(chosen)))


def _keys(scalars: Sequence[ScalarName]) -> set[Key]:
    measured = {(scalar.module, scalar.name) for scalar in scalars}
    return measured | {(scalar.module, scalar.theory) for scalar in scalars if scalar.theory}


def _chart(
    scalar: ScalarName,
    sweep: Sweep,
    lines: Mapping[Key, Mapping[Point, Line]],
    unit: str,
    *,
    references: Sequence[Reference],
) -> Chart:
    measured = lines[scalar.module, scalar.name]
    theory = lines[scalar.module, scalar.theory] if scalar.theory else {}
    order = sweep.sorted(measured)
    traces = []
    for key in order[:MAX_LINES]:
        style = style_of(key, order, sweep)
        traces.append(measured_trace(measured[key], sweep.label(key), sweep.axis, style))
        if key in theory:
            traces.append(theory_trace(theory[key], scalar.theory or "", style))
    traces += [reference_trace(reference.label, reference.points) for reference in references]
    values = [mean for key in order for mean in measured[key].mean if mean is not None]
    notes = [f"Dashed: {scalar.theory}."] if theory else []
    if len(order) > MAX_LINES:
        notes.append(f"{format_count(len(order) - MAX_LINES, 'line')} not drawn.")
    if not values:
        notes.append("No value is a finite number.")
    shown = figure(traces, sweep, unit=unit, values=values)
    return Chart(scalar.name, scalar.module, shown, tuple(notes))


def _notes(swept: Sequence[Variable], left_out: int) -> tuple[str, ...]:
    first, *others = (v.name for v in swept)
    notes = [f"Means over {first}; the bars are confidence intervals."]
    if others:
        notes.append(f"There is a line per value of {' and of '.join(others)}.")
    if left_out > 0:
        notes.append(f"{format_count(left_out, 'scalar')} without a chart: see scalars.parquet.")
    return tuple(notes)
