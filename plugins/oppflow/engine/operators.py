"""What the operators of expressions do to values, with OMNeT++'s rules for types and units.

Source: ``exprnodes.cc`` of OMNeT++ 6.1, as behaviour.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable

from oppflow.engine.errors import ExpressionError
from oppflow.engine.patterns import matcher
from oppflow.engine.units import find_unit
from oppflow.engine.values import Number, Value, cannot_cast, common_unit, spell, type_name

_NO_ROUNDING = " (note: no implicit conversion from double to int)"


def negate(value: Value) -> Value:
    """Unary minus."""
    if not isinstance(value, Number):
        raise ExpressionError(f"Numeric argument expected, got {type_name(value)}")
    return Number(-_linear(value).value, value.unit)


def invert(value: Value) -> Value:
    """Bitwise complement."""
    if not isinstance(value, Number) or not isinstance(value.value, int):
        hint = _NO_ROUNDING if type_name(value) == "double" else ""
        raise ExpressionError(f"Integer argument expected, got {type_name(value)}{hint}")
    return Number(~value.value)


def truth(value: Value) -> bool:
    """The operand of ``!``, ``&&``, ``||`` and ``?:``."""
    if not isinstance(value, bool):
        raise ExpressionError(f"Boolean argument expected, got {type_name(value)}")
    return value


def _linear(number: Number) -> Number:
    unit = find_unit(number.unit) if number.unit else None
    if unit and unit.logarithmic:
        raise ExpressionError(
            f"Refusing to perform computations with quantity of logarithmic unit '{number.unit}'"
        )
    return number


def _numbers(left: Value, right: Value) -> tuple[Number, Number]:
    if isinstance(left, Number) and isinstance(right, Number):
        return _linear(left), _linear(right)
    # OMNeT++ converts the operands of a double one by one, and complains about the first
    for value, other in ((left, right), (right, left)):
        if type_name(other) == "double" and not isinstance(value, Number):
            raise cannot_cast(value, "double")
    raise ExpressionError(
        f"Numeric arguments expected, got {type_name(left)} and {type_name(right)}"
    )


def _add(left: Value, right: Value) -> Value:
    if isinstance(left, str) and isinstance(right, str):
        return left + right
    first, second = common_unit(*_numbers(left, right))
    return Number(first.value + second.value, first.unit)


def _subtract(left: Value, right: Value) -> Value:
    first, second = common_unit(*_numbers(left, right))
    return Number(first.value - second.value, first.unit)


def _multiply(left: Value, right: Value) -> Value:
    first, second = _numbers(left, right)
    if first.unit and second.unit:
        raise ExpressionError("Multiplying two quantities with units is not supported")
    return Number(first.value * second.value, first.unit or second.unit)


def _divide(left: Value, right: Value) -> Value:
    for value in (left, right):
        if not isinstance(value, Number):
            raise cannot_cast(value, "double")
    first, second = _numbers(left, right)
    divisor = second.in_unit(first.unit) if second.unit else second.value
    unit = "" if second.unit else first.unit
    if divisor == 0:
        ratio = math.nan if first.value == 0 else math.copysign(math.inf, first.value)
        return Number(ratio, unit)
    return Number(first.value / divisor, unit)


def _integers(left: Value, right: Value) -> tuple[int, int, str]:
    if isinstance(left, Number) and isinstance(right, Number):
        second, first = common_unit(_linear(right), _linear(left))
        if isinstance(first.value, int) and isinstance(second.value, int):
            return first.value, second.value, first.unit
    names = (type_name(left), type_name(right))
    hint = _NO_ROUNDING if "double" in names else ""
    raise ExpressionError(f"Integer arguments expected, got {names[0]} and {names[1]}{hint}")


def _modulo(left: Value, right: Value) -> Value:
    first, second, unit = _integers(left, right)
    if second == 0:
        raise ExpressionError("Division by zero")
    return Number(int(math.fmod(first, second)), unit)


def _power(left: Value, right: Value) -> Value:
    first, second = _numbers(left, right)
    if first.unit or second.unit:
        raise ExpressionError(
            f"Dimensionless arguments expected, got {spell(first)} and {spell(second)}"
        )
    if isinstance(first.value, int) and isinstance(second.value, int) and second.value < 0:
        raise ExpressionError(
            "Negative exponent in integer exponentiation, cast operands to double to allow it"
        )
    try:
        result = first.value**second.value
    except (OverflowError, ZeroDivisionError):
        result = math.inf
    return Number(math.nan if isinstance(result, complex) else result)


def compare(left: Value, right: Value) -> float:
    """Negative, zero or positive as ``left`` is less than, equal to or greater than ``right``.

    Raises:
        ExpressionError: The types or units do not compare.
    """
    if isinstance(left, Number) and isinstance(right, Number):
        first, second = common_unit(left, right)
        return 0 if first.value == second.value else first.value - second.value
    if isinstance(left, bool) and isinstance(right, bool):
        return int(left) - int(right)
    if isinstance(left, str) and isinstance(right, str):
        return (left > right) - (left < right)
    for value, other in ((left, right), (right, left)):
        if type_name(other) == "double":
            raise cannot_cast(value, "double")
    raise ExpressionError(f"Mismatching argument types '{type_name(left)}' vs '{type_name(right)}'")


def _sign(difference: float) -> float:
    return difference if math.isnan(difference) else float((difference > 0) - (difference < 0))


def _matches(left: Value, right: Value) -> Value:
    if not isinstance(left, str) or not isinstance(right, str):
        raise ExpressionError("String operands expected for '=~'")
    return matcher(right)(left)


def _comparison(test: Callable[[float, float], bool]) -> Callable[[Value, Value], Value]:
    return lambda left, right: test(compare(left, right), 0)


def _bitwise(compute: Callable[[int, int], int]) -> Callable[[Value, Value], Value]:
    def apply(left: Value, right: Value) -> Value:
        first, second, _ = _integers(left, right)
        return Number(compute(first, second))

    return apply


BINARY: dict[str, Callable[[Value, Value], Value]] = {
    "+": _add, "-": _subtract, "*": _multiply, "/": _divide, "%": _modulo, "^": _power,
    "==": _comparison(operator.eq), "!=": _comparison(operator.ne),
    "<": _comparison(operator.lt), ">": _comparison(operator.gt),
    "<=": _comparison(operator.le), ">=": _comparison(operator.ge),
    "<=>": lambda left, right: Number(_sign(compare(left, right))),
    "=~": _matches, "&": _bitwise(operator.and_), "|": _bitwise(operator.or_),
    "#": _bitwise(operator.xor), "<<": _bitwise(operator.lshift), ">>": _bitwise(operator.rshift),
}  # fmt: skip
