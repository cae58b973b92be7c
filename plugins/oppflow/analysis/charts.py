"""Charts of scalars: their means over a swept variable, with their intervals.

Along the axis of a chart lies the first swept variable whose values are numbers. There is a line
per value of the next; further swept variables make further lines, or, where that would be too many,
a chart per value. A scalar ``X:theory`` is the dashed line in the chart of what it is the theory
of, see `rank_scalars`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from oppflow.analysis.figures import (
    figure,
    measured_trace,
    reference_trace,
    styles_of,
    theory_trace,
)
from oppflow.analysis.formatting import format_count, format_number
from oppflow.analysis.lines import Key, Line, Point, Sweep, collect_lines, label
from oppflow.analysis.means import Means
from oppflow.analysis.selection import ScalarName, mean_facts, rank_scalars
from oppflow.analysis.variables import Variable

MAX_CHARTS = 40
MAX_LINES = 12

Lines = Mapping[Key, Mapping[Point, Line]]


@dataclass(frozen=True)
class Reference:
    """A curve to compare with: ``points`` are (value of the variable along the axis, value)."""

    label: str
    points: Sequence[tuple[float | str, float]]


@dataclass(frozen=True)
class Chart:
    """A chart: what stands above it, the figure, and what a reader must know, as plain text.

    ``lines`` is how many entries its legend has.
    """

    title: str
    module: str
    figure: Mapping[str, Any]
    notes: tuple[str, ...] = ()
    lines: int = 1


@dataclass(frozen=True)
class Charts:
    """The charts of a campaign, and notes on how to read them and what they leave out."""

    charts: tuple[Chart, ...]
    notes: tuple[str, ...]


def make_charts(
    means: Means,
    variables: Sequence[Variable],
    *,
    references: Mapping[str, Sequence[Reference]] | None = None,
    limit: int = MAX_CHARTS,
) -> Charts:
    """Return at most ``limit`` charts, the most telling scalars first.

    ``references`` are further curves by the name of the scalar in whose charts they are drawn.
    """
    swept = [v for v in variables if v.is_swept]
    points = means.points
    ranked = rank_scalars(mean_facts(points))
    if not ranked:
        return Charts((), ())
    if not swept:
        why = "No iteration variable has more than one value: there is nothing to draw over."
        return Charts((), (why,))
    sweep = Sweep.of(swept)
    chosen = ranked[:limit]
    lines = collect_lines(points, _keys(chosen), sweep)
    units = {(m, n): u for m, n, u in points.select("module", "name", "unit").rows()}
    charts: list[Chart] = []
    for scalar in chosen:
        if len(charts) >= limit:
            chosen = chosen[: chosen.index(scalar)]
            break
        unit = units.get((scalar.module, scalar.name), "")
        curves = (references or {}).get(scalar.name, ())
        charts += _charts(scalar, sweep, lines, unit, references=curves)
    return Charts(
        tuple(charts[:limit]), _notes(sweep, lines, len(ranked) - len(chosen) + means.left)
    )


def chart_of(scalar: ScalarName, sweep: Sweep, lines: Lines, unit: str) -> Chart:
    """Return the one chart of a scalar whose lines, and its theory's, are in ``lines``."""
    order = sweep.sorted(lines[scalar.module, scalar.name])
    return _chart(scalar, sweep, lines, unit, part=order, references=())


def _keys(scalars: Sequence[ScalarName]) -> set[Key]:
    measured = {(scalar.module, scalar.name) for scalar in scalars}
    return measured | {(scalar.module, scalar.theory) for scalar in scalars if scalar.theory}


def _is_faceted(sweep: Sweep, lines: Collection[Point]) -> bool:
    """Whether there is a chart per value of the variables after the next."""
    return len(lines) > MAX_LINES and len(sweep.others) > 1


def _charts(
    scalar: ScalarName,
    sweep: Sweep,
    lines: Lines,
    unit: str,
    *,
    references: Sequence[Reference],
) -> list[Chart]:
    """The chart of a scalar, or its charts."""
    order = sweep.sorted(lines[scalar.module, scalar.name])
    parts = [order]
    if _is_faceted(sweep, order):
        rests = list(dict.fromkeys(line[1:] for line in order))
        parts = [[line for line in order if line[1:] == rest] for rest in rests]
    return [_chart(scalar, sweep, lines, unit, part=p, references=references) for p in parts]


def _chart(
    scalar: ScalarName,
    sweep: Sweep,
    lines: Lines,
    unit: str,
    *,
    part: Sequence[Point],
    references: Sequence[Reference],
) -> Chart:
    measured = lines[scalar.module, scalar.name]
    theory = lines[scalar.module, scalar.theory] if scalar.theory else {}
    # the variables whose values differ from line to line are in the legend, the others above it
    varying = [i for i, _ in enumerate(sweep.others) if len({line[i] for line in part}) > 1]
    fixed = [i for i, _ in enumerate(sweep.others) if i not in varying]
    traces = []
    drawn = part[:MAX_LINES]
    styles = styles_of([tuple(line[i] for i in varying) for line in drawn])
    for line, style in zip(drawn, styles, strict=True):
        name = _line_name(line, varying, sweep)
        trace = measured_trace(measured[line], name, sweep.axis, style)
        traces.append(trace)
        if line in theory:
            # a line between the points would hide the theory where the two agree
            trace["mode"] = "markers"
            named = theory_trace(theory[line], scalar.theory or "", sweep.axis, trace)
            traces.append({**named, "showlegend": len(drawn) == 1})
    traces += [reference_trace(r.label, r.points, sweep.axis) for r in references]
    values = [mean for line in part for mean in measured[line].mean if mean is not None]
    notes = [label([sweep.others[i] for i in fixed], [part[0][i] for i in fixed])] if part else []
    notes += [f"{_theory_shape(sweep)}: {scalar.theory}"] if theory else []
    notes += [f"{format_count(len(part) - len(drawn), 'line')} not drawn"] * (part != drawn)
    notes += [] if values else ["no value is a finite number"]
    legend = sweep.others[varying[0]].name if len(varying) == 1 else ""
    return Chart(
        scalar.name,
        scalar.module,
        figure(traces, sweep.axis, unit=unit, legend=legend, values=values),
        tuple(note for note in notes if note),
        len(drawn) + len(references),
    )


def _line_name(line: Point, varying: Sequence[int], sweep: Sweep) -> str:
    """``2`` under the legend's title ``servers``; ``servers=2, size=100``; or ``mean``."""
    if len(varying) == 1:
        return format_number(line[varying[0]])
    return label([sweep.others[i] for i in varying], [line[i] for i in varying]) or "mean"


def _theory_shape(sweep: Sweep) -> str:
    return "crossbar" if sweep.axis.numbers is None else "dashed"


def _notes(sweep: Sweep, lines: Lines, left_out: int) -> tuple[str, ...]:
    notes = [f"Means over {sweep.axis.variable.name}; the bars are confidence intervals."]
    others = [v.name for v in sweep.others]
    line = "colour" if sweep.axis.numbers is None else "line"
    if any(_is_faceted(sweep, found) for found in lines.values()):
        rest = " and of ".join(others[1:])
        notes.append(f"There is a {line} per value of {others[0]} and a chart per value of {rest}.")
    elif others:
        notes.append(f"There is a {line} per value of {' and of '.join(others)}.")
    if left_out > 0:
        notes.append(f"{format_count(left_out, 'scalar')} without a chart: see scalars.parquet.")
    return tuple(notes)
