"""Lines as figures in Plotly's JSON format (https://plotly.com/javascript/reference).

Plain data: nothing here draws. Colours of texts and grids are the page's business.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from oppflow.analysis.lines import Axis, Line, Point

# Distinct for the colour-blind too, and readable on white and on near-black.
COLOURS = (
    "#2f7de1", "#d96a00", "#14926b", "#c0408c", "#7d5fe0", "#9a7b00", "#1794a8", "#d0454f",
)  # fmt: skip
SYMBOLS = ("circle", "square", "diamond", "triangle-up", "cross", "x")
DASHES = ("solid", "dot", "dashdot", "longdash")
GREY = "#888888"

Json = dict[str, Any]


@dataclass(frozen=True)
class Style:
    """How a line is told from the others."""

    colour: str = COLOURS[0]
    dash: str = DASHES[0]
    symbol: str = SYMBOLS[0]


def styles_of(lines: Sequence[Point]) -> list[Style]:
    """Return the styles of a chart's lines, which are told apart by these values of variables.

    The colour tells the first value. Where lines differ in further ones, dash and symbol tell
    their combination; else they change when the colours are used up.
    """
    firsts = list(dict.fromkeys(line[:1] for line in lines))
    rests = list(dict.fromkeys(line[1:] for line in lines))
    styles = []
    for line in lines:
        first, rest = firsts.index(line[:1]), rests.index(line[1:])
        dash, symbol = (rest, rest) if len(rests) > 1 else (first // len(COLOURS), first)
        styles.append(
            Style(
                COLOURS[first % len(COLOURS)],
                DASHES[dash % len(DASHES)],
                SYMBOLS[symbol % len(SYMBOLS)],
            )
        )
    return styles


def measured_trace(line: Line, label: str, axis: Axis, style: Style) -> Json:
    """Return the trace of means with their intervals. ``label`` also names its place in a group."""
    return {
        "type": "scatter",
        "mode": "markers" if axis.numbers is None else "lines+markers",
        "name": plain(label),
        "offsetgroup": label,
        "x": line.x,
        "y": line.mean,
        "error_y": {
            "type": "data",
            "array": line.half_width,
            "visible": any(line.half_width),
            "thickness": 1.5,
            "width": 4,
        },
        "text": line.hover,
        "hovertemplate": "%{x}: %{text}",
        "line": {"color": style.colour, "dash": style.dash, "width": 2},
        "marker": {"color": style.colour, "symbol": style.symbol, "size": 7},
    }


def theory_trace(line: Line, name: str, axis: Axis, beside: Json) -> Json:
    """Return the dashed trace that belongs to a measured one."""
    trace = reference_trace(name, list(zip(line.x, line.mean, strict=True)), axis)
    colour = beside["line"]["color"]
    trace["line"]["color"] = trace["marker"]["line"]["color"] = colour
    return {**trace, "offsetgroup": beside["offsetgroup"]}


def reference_trace(
    label: str, points: Sequence[tuple[float | str, float | None]], axis: Axis
) -> Json:
    """Return a dashed grey line; along an axis of text, a grey bar at each point."""
    return {
        "type": "scatter",
        "mode": "markers" if axis.numbers is None else "lines",
        "name": plain(label),
        "x": [x for x, _ in points],
        "y": [y for _, y in points],
        "hovertemplate": "%{x}: %{y:.5g}",
        "line": {"color": GREY, "dash": "dash", "width": 1.5},
        "marker": {"symbol": "line-ew", "size": 26, "line": {"color": GREY, "width": 1.5}},
    }


def figure(
    traces: Sequence[Json], axis: Axis, *, unit: str, legend: str, values: Sequence[float]
) -> Mapping[str, Any]:
    """Return the whole figure. ``values`` are the means; they choose the range of the y axis."""
    y_axis: Json = {"title": {"text": plain(f"[{unit}]" if unit else "")}}
    if values and 0 <= min(values) <= 0.5 * max(values):
        y_axis["rangemode"] = "tozero"
    layout: Json = {
        "xaxis": _x_axis(axis),
        "yaxis": y_axis,
        "showlegend": len(traces) > 1,
        "legend": {"title": {"text": plain(legend)}},
    }
    if axis.numbers is None:  # side by side, not on top of each other
        layout |= {"scattermode": "group", "scattergap": 0.5}
    return {"data": list(traces), "layout": layout}


def plain(text: str) -> str:
    """Return text that Plotly does not take for its subset of HTML."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _x_axis(axis: Axis) -> Json:
    title = {"text": plain(axis.title)}
    if axis.numbers is None:
        values = [plain(str(value)) for value in axis.variable.values]
        return {
            "title": title,
            "type": "category",
            "categoryorder": "array",
            "categoryarray": list(axis.variable.values),
            "tickvals": list(axis.variable.values),
            "ticktext": values,
        }
    kind = "log" if _is_geometric(sorted(axis.numbers.values())) else "linear"
    return {"title": title, "type": kind}


def _is_geometric(values: Sequence[float]) -> bool:
    """Whether values such as 1, 10, 100 or 1, 2, 4, ..., 64 call for a logarithmic axis."""
    if len(values) < 3 or values[0] <= 0 or values[-1] < 30 * values[0]:
        return False
    ratios = [after / before for before, after in pairwise(values)]
    return max(ratios) <= 3 * min(ratios) and min(ratios) > 1.5
