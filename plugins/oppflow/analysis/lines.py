"""The lines of charts as numbers: means along one swept variable, per value of the others."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import polars as pl

from oppflow.analysis.formatting import format_estimate, format_number
from oppflow.analysis.variables import Value, Variable, quantities

Point = tuple[Value, ...]
Key = tuple[str, str]  # module and name of a scalar


@dataclass(frozen=True)
class Axis:
    """A swept variable as an axis. ``numbers`` maps its values where they are numbers."""

    variable: Variable
    title: str
    numbers: Mapping[float | str, float] | None

    @classmethod
    def of(cls, variable: Variable) -> Axis:
        """Return the axis of a variable; quantities such as ``10ms`` are put on a scale of ms."""
        if variable.is_number:
            return cls(variable, variable.name, {v: float(v) for v in variable.values})
        found = quantities(variable.values)
        if found is None:
            return cls(variable, variable.name, None)
        numbers, unit = found
        places = dict(zip(variable.values, numbers, strict=True))
        return cls(variable, f"{variable.name} [{unit}]", places)

    def place(self, value: Value) -> float | str | None:
        """Return where on the axis a value of the variable lies."""
        if value is None or self.numbers is None:
            return value
        return self.numbers.get(value)

    def order(self, place: float | str) -> float:
        """Return what sorts places: numbers ascending, text as in the ini file."""
        if isinstance(place, str):
            return self.variable.values.index(place)
        return place


@dataclass(frozen=True)
class Sweep:
    """How the swept variables are laid out: one along the axis, the others as lines."""

    axis: Axis
    others: tuple[Variable, ...]

    @classmethod
    def of(cls, swept: Sequence[Variable]) -> Sweep:
        """Return the layout of one or more swept variables.

        Along the axis lies the first whose values are numbers or quantities; if there is none, the
        first. The others keep their order.
        """
        axes = [Axis.of(variable) for variable in swept]
        axis = next((axis for axis in axes if axis.numbers is not None), axes[0])
        return cls(axis, tuple(v for v in swept if v is not axis.variable))

    def sorted(self, lines: Iterable[Point]) -> list[Point]:
        """Return the points that name lines in the order of the variables' values."""
        places = [{value: i for i, value in enumerate(v.values)} for v in self.others]

        def order(point: Point) -> list[int]:
            pairs = zip(places, point, strict=True)
            return [-1 if value is None else place[value] for place, value in pairs]

        return sorted(lines, key=order)


def label(variables: Sequence[Variable], values: Sequence[Value]) -> str:
    """Return ``servers=2, size=100``; empty without variables."""
    pairs = zip(variables, values, strict=True)
    return ", ".join(f"{v.name}={format_number(value)}" for v, value in pairs)


@dataclass
class Line:
    """Points in the order of the axis. ``hover`` is the estimate and n as text."""

    x: list[float | str] = field(default_factory=list)
    mean: list[float | None] = field(default_factory=list)
    half_width: list[float | None] = field(default_factory=list)
    hover: list[str] = field(default_factory=list)


def collect_lines(
    points: pl.DataFrame, wanted: Iterable[Key], sweep: Sweep
) -> dict[Key, dict[Point, Line]]:
    """Return the lines of the wanted scalars from a table of `summarise`.

    What is no finite number becomes None: a gap in the line.
    """
    found: dict[Key, dict[Point, Line]] = {key: {} for key in wanted}
    rows = []
    for row in points.iter_rows(named=True):
        place = sweep.axis.place(row[sweep.axis.variable.column])
        if (row["module"], row["name"]) in found and place is not None:
            rows.append((place, row))
    for place, row in sorted(rows, key=lambda pair: sweep.axis.order(pair[0])):
        other_values = tuple(row[v.column] for v in sweep.others)
        line = found[row["module"], row["name"]].setdefault(other_values, Line())
        line.x.append(place)
        line.mean.append(_finite(row["mean"]))
        line.half_width.append(_finite(row["half_width"]))
        estimate = format_estimate(row["mean"], row["half_width"])
        line.hover.append(f"{estimate} (n = {row['samples']})")
    return found


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None
