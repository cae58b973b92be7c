"""The functions that expressions in constraints and run filters may call.

Source: ``exprnodes.cc`` of OMNeT++ 6.1, as behaviour. NED's own functions (``uniform()``,
``parent``, ``index``...) belong to NED, and are not here.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from oppflow.engine.errors import ExpressionError, LocatedError
from oppflow.engine.units import convert, find_unit, parse_quantity
from oppflow.engine.values import Number, Value, cannot_cast, spell, type_name

_MATH: dict[tuple[str, int], Callable[..., float]] = {
    ("acos", 1): math.acos, ("asin", 1): math.asin, ("atan", 1): math.atan,
    ("atan2", 2): math.atan2, ("sin", 1): math.sin, ("cos", 1): math.cos, ("tan", 1): math.tan,
    ("ceil", 1): math.ceil, ("floor", 1): math.floor, ("exp", 1): math.exp, ("pow", 2): math.pow,
    ("sqrt", 1): math.sqrt, ("fabs", 1): math.fabs, ("fmod", 2): math.fmod,
    ("hypot", 2): math.hypot, ("log", 1): math.log, ("log10", 1): math.log10,
}  # fmt: skip


def check_call(name: str, count: int) -> None:
    """Raises ExpressionError where a mathematical function is given too much or too little."""
    wanted = next((number for known, number in _MATH if known == name), count)
    if wanted != count:
        raise ExpressionError(
            f"Function '{name}' invoked with wrong number of arguments ({count} instead of "
            f"{wanted})"
        )


def call(name: str, arguments: Sequence[Value], *, has_casts: bool) -> Value:
    """The function's value; NED's casts ``int()`` and ``double()`` do not exist everywhere.

    Raises:
        ExpressionError: There is no such function, or it does not take these arguments.
    """
    if (name, len(arguments)) in _MATH:
        return _compute(_MATH[name, len(arguments)], [_plain(value) for value in arguments])
    if len(arguments) == 1 and has_casts:
        if name == "int":
            number = _cast(arguments[0], name)
            if isinstance(number.value, float) and not math.isfinite(number.value):
                raise ExpressionError(f"Cannot cast {spell(number)} to int")
            return Number(math.floor(number.value), number.unit)
        if name == "double":
            number = _cast(arguments[0], name)
            return Number(float(number.value), number.unit)
    if len(arguments) == 1 and isinstance(arguments[0], Number) and find_unit(name):
        return _in_unit(arguments[0], name)
    raise LocatedError(f"No '{name}' function accepting {len(arguments)} argument(s) was found")


def _compute(function: Callable[..., float], arguments: list[float]) -> Value:
    try:
        return Number(float(function(*arguments)))
    except ValueError:  # C gives NaN where Python objects
        return Number(math.nan)
    except OverflowError:
        return Number(math.inf)


def _plain(value: Value) -> float:
    if not isinstance(value, Number):
        raise cannot_cast(value, "double")
    if value.unit:
        raise ExpressionError(f"Dimensionless argument expected, got {spell(value)}")
    return float(value.value)


def _cast(value: Value, target: str) -> Number:
    if isinstance(value, bool):
        return Number(int(value))
    if isinstance(value, Number):
        return value
    if isinstance(value, str):
        return Number(*parse_quantity(value))
    raise ExpressionError(f"Cannot cast {type_name(value)} to {target}")


def _in_unit(number: Number, unit: str) -> Number:
    if not number.unit:
        return Number(number.value, unit)
    return Number(convert(float(number.value), number.unit, unit), unit)
