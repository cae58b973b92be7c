"""Expressions in ini files, constraints and run filters: operators, comparisons, ``=~``, units.

Source: the grammar of OMNeT++ 6.1 (``expression.y``), as behaviour. Arrays, objects, members and
the functions of NED are not supported.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache, partial

from oppflow.engine.errors import EngineError, ExpressionError, LocatedError
from oppflow.engine.functions import call, check_call
from oppflow.engine.operators import BINARY, invert, negate, truth
from oppflow.engine.text import unquote
from oppflow.engine.units import parse_quantity
from oppflow.engine.values import Number, Value

_TOKEN = re.compile(
    r"""\s*(?:
    (?P<number>0[xX][0-9A-Fa-f]+|\d*\.\d+(?:[eE][+-]?\d+)?|\d+[eE][+-]?\d+|\d+)
    |(?P<name>[A-Za-z_@$][\w@$]*(?::[A-Za-z_@$][\w@$]*)*)
    |(?P<string>"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*')
    |(?P<operator><=>|\|\||&&|\#\#|==|!=|<=|>=|=~|<<|>>|[-+*/%^<>!&|\#~?:()=,.\[\]{}])
    )""",
    re.VERBOSE | re.DOTALL,
)
# binary operators by how tightly they bind; ?: binds least, unary ones most
_LEVELS = {
    "||": 1, "##": 2, "&&": 3, "==": 4, "!=": 4, "=": 4, "<": 5, ">": 5, "<=": 5, ">=": 5,
    "<=>": 6, "=~": 7, "|": 8, "#": 9, "&": 10, "<<": 11, ">>": 11, "+": 12, "-": 12,
    "*": 13, "/": 13, "%": 13, "^": 14,
}  # fmt: skip
_CONSTANTS: dict[str, Value] = {
    "true": True,
    "false": False,
    "nan": Number(float("nan")),
    "inf": Number(float("inf")),
    "undefined": None,
}

LARGEST_INTEGER = 2**63 - 1

Node = Callable[[], Value]


def evaluate(text: str) -> Value:
    """The value of an option or a parameter.

    Raises:
        ExpressionError: The expression cannot be parsed or evaluated.
    """
    return parse(text)()


@lru_cache(maxsize=1024)
def parse(text: str, is_condition: bool = False) -> Node:
    """The expression, ready to be evaluated.

    In a condition (a constraint or a run filter) ``=`` may stand for ``==``, and there are no
    casts ``int()`` and ``double()``.

    Raises:
        ExpressionError: It cannot be parsed.
    """
    try:
        return _Parser(text, is_condition=is_condition).expression()
    except ExpressionError:
        raise
    except EngineError as error:
        raise ExpressionError(error.message) from error


def _tokens(text: str) -> list[tuple[str, str]]:
    tokens = []
    position = 0
    stripped = text.rstrip()
    while position < len(stripped):
        found = _TOKEN.match(stripped, position)
        if not found or not found.lastgroup:
            raise ExpressionError("syntax error")
        tokens.append((found.lastgroup, found.group(found.lastgroup)))
        position = found.end()
    return [*tokens, ("end", "")]


class _Parser:
    """A precedence climber that turns an expression into nested functions."""

    def __init__(self, text: str, *, is_condition: bool) -> None:
        self._tokens = _tokens(text)
        self._position = 0
        self._is_condition = is_condition

    def expression(self) -> Node:
        node = self._conditional()
        if self._kind != "end":
            raise ExpressionError("syntax error")
        return node

    @property
    def _kind(self) -> str:
        return self._tokens[self._position][0]

    @property
    def _sign(self) -> str:
        kind, token = self._tokens[self._position]
        return token if kind == "operator" else ""

    def _take(self) -> str:
        self._position += 1
        return self._tokens[self._position - 1][1]

    def _expect(self, token: str) -> None:
        if self._sign != token:
            raise ExpressionError("syntax error")
        self._take()

    def _conditional(self) -> Node:
        condition = self._binary(1)
        if self._sign != "?":
            return condition
        self._take()
        chosen = self._conditional()
        self._expect(":")
        otherwise = self._conditional()
        return _located("?:", lambda: chosen() if truth(condition()) else otherwise())

    def _binary(self, level: int) -> Node:
        left = self._unary()
        while _LEVELS.get(self._sign, 0) >= level:
            sign = self._take()
            own = _LEVELS[sign]
            right = self._binary(own if sign == "^" else own + 1)
            left = self._operation(sign, left, right)
        return left

    def _operation(self, sign: str, left: Node, right: Node) -> Node:
        if sign == "&&":
            return _located(sign, lambda: truth(left()) and truth(right()))
        if sign == "||":
            return _located(sign, lambda: truth(left()) or truth(right()))
        if sign == "##":
            return _located(sign, lambda: truth(left()) != truth(right()))
        if sign == "=":
            if not self._is_condition:
                raise ExpressionError("Unknown operator '='")
            sign = "=="
        return _located(sign, partial(_apply, BINARY[sign], left, right))

    def _unary(self) -> Node:
        sign = self._sign
        if sign not in ("-", "!", "~") or not sign:
            return self._primary()
        self._take()
        operand = self._unary()
        if sign == "-":
            return _located(sign, lambda: negate(operand()))
        if sign == "~":
            return _located(sign, lambda: invert(operand()))
        return _located(sign, lambda: not truth(operand()))

    def _primary(self) -> Node:
        kind = self._kind
        if self._sign == "(":
            self._take()
            node = self._conditional()
            self._expect(")")
            return node
        if kind == "string":
            return _constant(unquote(self._take()))
        if kind == "number":
            return _constant(self._number())
        if kind == "name":
            return self._name()
        raise ExpressionError("syntax error")

    def _number(self) -> Number:
        first = self._take()
        if self._kind != "name" or self._tokens[self._position][1] in _CONSTANTS:
            return Number(_plain_number(first))
        parts = [first, self._take()]
        while self._kind == "number" and self._tokens[self._position + 1][0] == "name":
            parts += [self._take(), self._take()]
        value, unit = parse_quantity(" ".join(parts))
        return Number(int(value) if value == int(value) else value, unit)

    def _name(self) -> Node:
        name = self._take()
        if self._sign == "(":
            arguments = self._arguments()
            check_call(name, len(arguments))
            return _located(
                f"{name}()",
                lambda: call(
                    name,
                    [argument() for argument in arguments],
                    has_casts=not self._is_condition,
                ),
            )
        return _constant(_CONSTANTS[name]) if name in _CONSTANTS else _unknown(name)

    def _arguments(self) -> list[Node]:
        self._take()
        arguments: list[Node] = []
        while self._sign != ")":
            if arguments:
                self._expect(",")
            arguments.append(self._conditional())
        self._take()
        return arguments


def _plain_number(digits: str) -> int | float:
    if digits[:2] in ("0x", "0X"):
        return int(digits, 16)
    if not digits.isdigit():
        return float(digits)
    if int(digits) > LARGEST_INTEGER:
        raise ExpressionError(f'Cannot represent "{digits}" in the target integer type')
    return int(digits)


def _constant(value: Value) -> Node:
    return lambda: value


def _apply(compute: Callable[[Value, Value], Value], left: Node, right: Node) -> Value:
    first, second = left(), right()
    return None if first is None or second is None else compute(first, second)


def _unknown(name: str) -> Node:
    def fail() -> Value:
        raise LocatedError(f"No such variable: '{name}'")

    return fail


def _located(sign: str, node: Node) -> Node:
    """The node, naming its operator in errors, as OMNeT++ does for the innermost one."""

    def run() -> Value:
        try:
            return node()
        except LocatedError:
            raise
        except ExpressionError as error:
            where = sign if sign.endswith("()") else f"operator '{sign}'"
            raise LocatedError(f"{where}: {error.message}") from error

    return run
