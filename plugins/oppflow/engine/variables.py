"""``${...}`` in values: iteration variables, references to them, predefined variables.

Source: ``sectionbasedconfig.cc`` and ``valueiterator.cc`` of OMNeT++ 6.1, as behaviour.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass

from oppflow.engine.errors import EngineError, ExpressionError
from oppflow.engine.expressions import parse
from oppflow.engine.text import (
    SPACE,
    continues_name,
    find_delimiter,
    split_outside_quotes,
    starts_name,
)
from oppflow.engine.values import Number, Value, spell, type_name

PREDEFINED = (
    "runid", "inifile", "configname", "runnumber", "network", "experiment", "measurement",
    "replication", "processid", "datetime", "datetimef", "resultdir", "repetition", "seedset",
    "iterationvars", "iterationvarsf", "iterationvarsd",
)  # fmt: skip

_REFERENCE = re.compile(r"\$\{([A-Za-z0-9_@]+)\}|\$([A-Za-z0-9_@]+)", re.ASCII)
_STEP = re.compile(r"(?<![^\W_])step(?![^\W_])")


@dataclass(frozen=True)
class Variable:
    """What stands between ``${`` and ``}``: a name, values, and the variable it runs along with."""

    name: str
    values: str
    parallel: str


def parse_variable(text: str, start: int) -> tuple[Variable, int]:
    """The variable whose ``${`` stands at ``start``, and where what follows it begins.

    Raises:
        EngineError: It is malformed.
    """
    end = find_delimiter(text, start + 2, "}")
    body = text[start + 2 : end].lstrip(SPACE)
    if not body:
        raise EngineError("Missing '}' for '${'")
    name, values = _split_name(body, text[start:])
    values, parallel = _split_parallel(values)
    return Variable(name, values, parallel), end + 1  # a brace that is missing is not missed


def _split_name(body: str, rest_of_line: str) -> tuple[str, str]:
    if not body or not starts_name(body[0]):
        return "", body
    length = next((i for i, c in enumerate(body) if not continues_name(c)), len(body))
    name, rest = body[:length], body[length:].lstrip(SPACE)
    if not rest:
        return name, ""
    if rest.startswith("=") and not rest.startswith("=="):
        return name, rest[1:]
    # OMNeT++ looks for a comma to the end of the line, not of the variable
    if "," in rest_of_line[rest_of_line.index(name) + length :]:
        return "", body
    raise EngineError("Missing '=' after '${varname'")


def _split_parallel(values: str) -> tuple[str, str]:
    before, mark, after = values.rpartition("!")
    name = after.strip(SPACE)
    if mark and name and starts_name(name[0]) and all(continues_name(c) for c in name):
        return before, name
    return values, ""


class Template:
    """A value with ``${...}`` in it, taken apart once to be filled in for many runs.

    ``variables`` are the iteration variables that it defines, unnamed ones with a number as name.
    """

    def __init__(self, text: str, first_unnamed: int = 0) -> None:
        self.variables: list[Variable] = []
        self._parts: list[tuple[str, str]] = []  # text, and the variable after it
        position = 0
        while (start := text.find("${", position)) >= 0:
            variable, end = parse_variable(text, start)
            if not variable.name:
                unnamed = sum(each.name.isdigit() for each in self.variables)
                variable = Variable(
                    str(first_unnamed + unnamed), variable.values, variable.parallel
                )
            if variable.values:
                self.variables.append(variable)
            self._parts.append((text[position:start], variable.name))
            position = end
        self._rest = text[position:]

    @property
    def is_constant(self) -> bool:
        """Whether there is nothing to fill in."""
        return not self._parts

    def fill(self, values: Mapping[str, str]) -> str:
        """The text with the variables' values.

        Raises:
            EngineError: A variable has no value.
        """
        if not self._parts:
            return self._rest
        try:
            return "".join([before + values[name] for before, name in self._parts]) + self._rest
        except KeyError as error:
            raise EngineError(f"No such variable: ${{{error.args[0]}}}") from None


class ValueList:
    """The values of an iteration variable: single ones, and ranges ``a..b step c``."""

    def __init__(self, text: str) -> None:
        self._items = [_parse_item(item) for item in split_outside_quotes(text, ",")]
        self.references = frozenset(
            name for item in self._items for part in item for name in _references(part)
        )
        self._constant: list[str] | None = None

    def values(self, variables: Mapping[str, str]) -> list[str]:
        """All values, given those of the outer variables.

        Raises:
            EngineError: A range cannot be computed.
        """
        if self._constant is not None:
            return self._constant
        result: list[str] = []
        for item in self._items:
            parts = [substitute(part, variables) for part in item]
            result += parts if len(parts) == 1 else _range(parts, item)
        if not any("$" in part for item in self._items for part in item):
            self._constant = result
        return result


def _parse_item(item: str) -> tuple[str, ...]:
    first, dots, rest = item.partition("..")
    if not dots:
        return (item,)
    step = _STEP.search(rest)
    if not step:
        return first, rest, "1"
    return first, rest[: step.start()], rest[step.end() :]


def _range(parts: list[str], item: tuple[str, ...]) -> list[str]:
    step, end, start = (_double(parts[index], item[index]) for index in (2, 1, 0))
    if step == 0:
        raise EngineError(f"Step of zero in the range '{item[0]}..{item[1]} step {item[2]}'")
    # the surplus keeps rounding from losing the last value, as in OMNeT++
    count = math.floor((end - start + 1.000001 * step) / step)
    return [f"{start + step * index:g}" for index in range(count)]


def _double(text: str, raw: str) -> float:
    value = evaluate_text(text)
    if isinstance(value, Number):
        return value.value
    raise EngineError(_expected("double", value, raw))


def _expected(wanted: str, value: Value, raw: str) -> str:
    if value is None:
        return f"{wanted} expected, but nothing found in the expression '{raw}'"
    found = f"{type_name(value)} ({spell(value)})"
    return f"{wanted} expected, but {found} found in the expression '{raw}'"


def evaluate_text(text: str) -> Value:
    """A condition's or range's value after substitution.

    Raises:
        EngineError: With OMNeT++'s words, and the expression.
    """
    try:
        node = parse(text, True)
    except ExpressionError as error:
        raise EngineError(f"Parse error in expression '{text}': {error.message}") from error
    try:
        return node()
    except ExpressionError as error:
        raise EngineError(f"Cannot evaluate expression '{text}': {error.message}") from error


def holds(expression: str, variables: Mapping[str, str]) -> bool:
    """Whether a constraint is true for these values.

    Raises:
        EngineError: It cannot be evaluated, or is neither true nor false.
    """
    value = evaluate_text(substitute(expression, variables))
    if not isinstance(value, bool):
        raise EngineError(_expected("bool", value, expression))
    return value


def _references(text: str) -> list[str]:
    """The variables whose loops must be outside this one's: OMNeT++ overlooks ``${x}`` here."""
    return [plain for _, plain in _REFERENCE.findall(text) if plain]


def substitute(
    text: str, variables: Mapping[str, str], unknown: str = "Unknown iteration variable: $"
) -> str:
    """The text with the values of the variables it names.

    Raises:
        EngineError: There is no such variable; the message starts with ``unknown``.
    """
    if "$" not in text:
        return text

    def value(found: re.Match[str]) -> str:
        name = found.group(1) or found.group(2)
        if name not in variables:
            raise EngineError(f"{unknown}{name}")
        return variables[name]

    return _REFERENCE.sub(value, text)
