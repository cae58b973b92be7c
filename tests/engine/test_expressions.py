"""Expressions are computed with OMNeT++'s precedences, types and units."""

from __future__ import annotations

import math
import operator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oppflow.engine.errors import ExpressionError
from oppflow.engine.expressions import evaluate, parse
from oppflow.engine.values import Number, spell


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1 + 2 * 3", "7"),
        ("-2 ^ 2", "4"),
        ("2 ^ 3 ^ 2", "512"),
        ("7 / 2", "3.5"),
        ("-7 % 3", "-1"),
        ("1 < 2 == true", "true"),
        ("1 || 2 > 3", None),
        ("true || 1/0 > 0", "true"),
        ("false && nonsense", "false"),
        ("true ## true", "false"),
        ("1 > 2 ? 3 : 4", "4"),
        ("!false && !(1 > 2)", "true"),
        ("5 & 6 | 1", "5"),
        ("1 << 4 >> 2", "4"),
        ("~5", "-6"),
        ("5 # 1", "4"),
        ("2 <=> 3", "-1"),
        ('"a" + "b" == "ab"', "true"),
        ('"udp lite" =~ "*d*"', "true"),
        ("5s == 5000ms", "true"),
        ("1m + 1km", "1001m"),
        ("1min 30s", "90s"),
        ("2 * 3s", "6s"),
        ("6s / 2s", "3"),
        ("1KiB == 1024B", "true"),
        ("10 dBm == 10 mW", "true"),
        ("90 seconds == 1.5 minutes", "true"),
        ("0x1F", "31"),
        ("1e3", "1000"),
        ("undefined == 1", "undefined"),
        ("0/0 == 0", "false"),
        ("1/0", "inf"),
        ("int(7 / 2)", "3"),
        ("double(3) / 2", "1.5"),
        ("sqrt(16) + pow(2, 3)", "12"),
        ("ms(5s)", "5000ms"),
        ("s(3)", "3s"),
        ("'single' == \"single\"", "true"),
    ],
)
def test_values(text: str, value: str | None) -> None:
    if value is None:
        with pytest.raises(ExpressionError):
            evaluate(text)
    else:
        assert spell(evaluate(text)) == value


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "syntax error"),
        ("1 +", "syntax error"),
        ("1 2", "syntax error"),
        ("(1", "syntax error"),
        ("a", "No such variable: 'a'"),
        ("1 + a", "No such variable: 'a'"),
        ("min(1, 2)", "No 'min' function accepting 2 argument(s) was found"),
        ("1 == 1s", "operator '==': Cannot convert unit 's' (second) to none"),
        ("1s + 1m", "operator '+': Cannot convert unit 'm' (meter) to 's' (second)"),
        ("1s * 1s", "operator '*': Multiplying two quantities with units is not supported"),
        ('1 == "a"', "operator '==': Mismatching argument types 'integer' vs 'string'"),
        ("1.5 % 1", "operator '%': Integer arguments expected, got double and integer"),
        ("1 && true", "operator '&&': Boolean argument expected, got integer"),
        ('1 =~ "a"', "operator '=~': String operands expected for '=~'"),
        ('-"a"', "operator '-': Numeric argument expected, got string"),
        ("2 ^ -1", "operator '^': Negative exponent in integer exponentiation"),
        ("1 % 0", "operator '%': Division by zero"),
        ("1 = 1", "Unknown operator '='"),
        ('"a\\q"', "Illegal escape sequence '\\q'"),
        ("sqrt(4s)", "sqrt(): Dimensionless argument expected, got 4s"),
        ("sqrt(1, 2)", "Function 'sqrt' invoked with wrong number of arguments (2 instead of 1)"),
        ("9223372036854775808", 'Cannot represent "9223372036854775808" in the target integer'),
        ("1h 2h", "Error in quantity '1 h 2 h': Units must be in strictly decreasing order"),
    ],
)
def test_faults(text: str, message: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        evaluate(text)
    assert caught.value.message.startswith(message)


def test_conditions_compare_with_a_single_equals_sign_and_know_no_casts() -> None:
    assert parse("1 = 1", True)() is True
    with pytest.raises(ExpressionError, match="No 'int' function accepting 1 argument"):
        parse("int(1.5) == 1", True)()


@given(st.integers(-(10**6), 10**6), st.integers(-(10**6), 10**6), st.sampled_from("+-*"))
def test_integers_stay_integers(left: int, right: int, sign: str) -> None:
    compute = {"+": operator.add, "-": operator.sub, "*": operator.mul}[sign]
    assert evaluate(f"({left}) {sign} ({right})") == Number(compute(left, right))


@given(st.floats(1e-6, 1e6), st.sampled_from(["s", "ms", "us", "min", "h"]))
def test_times_survive_units(value: float, unit: str) -> None:
    number = evaluate(f"{value!r}{unit} + 0s")
    assert isinstance(number, Number)
    back = Number(number.in_unit("s"), "s").in_unit(unit)
    assert math.isclose(back, value, rel_tol=1e-12)
