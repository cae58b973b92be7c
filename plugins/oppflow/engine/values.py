"""The values of expressions: truth values, numbers with or without a unit, and strings."""

from __future__ import annotations

from typing import NamedTuple

from oppflow.engine.errors import ExpressionError
from oppflow.engine.text import quote
from oppflow.engine.units import conversion_factor, convert


class Number(NamedTuple):
    """An integer or a double, and its unit; an empty unit is none."""

    value: int | float
    unit: str = ""

    def in_unit(self, unit: str) -> float:
        """The number in another unit.

        Raises:
            ExpressionError: The units do not belong together.
        """
        return convert(self.value, self.unit, unit)


Value = bool | Number | str | None
"""None is OMNeT++'s ``undefined``."""


def type_name(value: Value) -> str:
    """What OMNeT++ calls the value's type in messages."""
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, str):
        return "string"
    if value is None:
        return "undefined"
    return "integer" if isinstance(value.value, int) else "double"


def spell(value: Value) -> str:
    """The value as OMNeT++ prints it: six digits for doubles, quotes around strings."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return quote(value)
    if value is None:
        return "undefined"
    digits = str(value.value) if isinstance(value.value, int) else f"{value.value:g}"
    return digits + (" " if digits in ("inf", "-inf", "nan") and value.unit else "") + value.unit


def cannot_cast(value: Value, target: str) -> ExpressionError:
    """The error of a value that has the wrong type where it stands."""
    note = ""
    if type_name(value) == "double" and target == "integer":
        note = " (note: no implicit conversion from double to int)"
    return ExpressionError(
        f"Cannot cast '{spell(value)}' from type '{type_name(value)}' to '{target}'{note}"
    )


def to_int(value: Value) -> int:
    """The value as an integer.

    Raises:
        ExpressionError: It is none; doubles are not rounded.
    """
    if isinstance(value, Number) and isinstance(value.value, int):
        return value.value
    raise cannot_cast(value, "integer")


def to_double(value: Value, unit: str = "") -> float:
    """The value as a double in the given unit.

    Raises:
        ExpressionError: It is no number, or its unit cannot be converted.
    """
    if isinstance(value, Number):
        return float(value.in_unit(unit))
    raise cannot_cast(value, "double")


def to_bool(value: Value) -> bool:
    """The value as a truth value.

    Raises:
        ExpressionError: It is none.
    """
    if isinstance(value, bool):
        return value
    raise cannot_cast(value, "bool")


def common_unit(left: Number, right: Number) -> tuple[Number, Number]:
    """Both numbers in one unit; integers stay integers where the factor is one.

    Raises:
        ExpressionError: The units do not belong together.
    """
    if left.unit == right.unit:
        return left, right
    if isinstance(left.value, int) and isinstance(right.value, int):
        for smaller, larger, swapped in ((left, right, False), (right, left, True)):
            factor = conversion_factor(larger.unit, smaller.unit)
            if factor > 1 and factor == int(factor):
                converted = Number(int(factor) * int(larger.value), smaller.unit)
                return (converted, smaller) if swapped else (smaller, converted)
    return left, Number(convert(right.value, right.unit, left.unit), left.unit)
