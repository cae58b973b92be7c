"""The filter above the table of runs: a few words become an expression; nothing is evaluated.

Words are separated by blanks, and every one must hold. ``load=0.5``, ``load>=0.5``, ``state!=done``
compare a column or an iteration variable; ``name~text`` looks for a part of the value; any other
word is looked for in state, variables, message and reason. A minus in front turns a word around.
Double quotes keep blanks together.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import polars as pl

_WORD = re.compile(r'-?(?:[^\s"]*"[^"]*"?)+[^\s"]*|\S+')
_COMPARISON = re.compile(r"(\$?[^=!<>~\s]+)(!=|<=|>=|=|<|>|~)(.*)", re.DOTALL)
_OTHER_NAMES = {"outcome": "state", "rep": "repetition", "seed": "seed_set", "#": "run"}
_LOOKED_AT = ("state", "message", "reason", "result_name")
_LONGEST = 2000

_COMPARE: dict[str, Callable[[pl.Expr, Any], pl.Expr]] = {
    "=": lambda column, value: column == value,
    "!=": lambda column, value: (column != value).fill_null(value=True),
    "<": lambda column, value: column < value,
    "<=": lambda column, value: column <= value,
    ">": lambda column, value: column > value,
    ">=": lambda column, value: column >= value,
}


def select_runs(frame: pl.DataFrame, text: str) -> pl.DataFrame:
    """The rows of a table of `oppflow.web.runs_frame` that a filter leaves."""
    expression = parse_filter(text, frame.schema)
    return frame if expression is None else frame.filter(expression)


def parse_filter(text: str, schema: pl.Schema) -> pl.Expr | None:
    """The filter as an expression over the table's columns; None for an empty one."""
    found: pl.Expr | None = None
    for word in _WORD.findall(text[:_LONGEST]):
        negated = word.startswith("-") and len(word) > 1
        expression = _expression(word[1:] if negated else word, schema).fill_null(value=False)
        expression = ~expression if negated else expression
        found = expression if found is None else found & expression
    return found


def _expression(word: str, schema: pl.Schema) -> pl.Expr:
    match = _COMPARISON.fullmatch(word)
    column = _column(match[1].replace('"', ""), schema) if match else None
    if match is None or column is None:
        return _contains_anywhere(word.replace('"', ""), schema)
    return _comparison(column, match[2], match[3].replace('"', ""), schema)


def _column(name: str, schema: pl.Schema) -> str | None:
    """The column that a name means: iteration variables come first."""
    candidates = (f"${name.removeprefix('$')}", name, _OTHER_NAMES.get(name, name))
    return next((column for column in candidates if column in schema), None)


def _comparison(name: str, operator: str, text: str, schema: pl.Schema) -> pl.Expr:
    column = pl.col(name)
    if operator == "~":
        return _contains(column, text)
    if schema[name].is_numeric():
        try:
            return _COMPARE[operator](column, float(text))
        except ValueError:
            return pl.lit(value=operator == "!=")
    return _COMPARE[operator](column, text)


def _contains(column: pl.Expr, text: str) -> pl.Expr:
    lower = column.cast(pl.String).str.to_lowercase()
    return lower.str.contains(text.lower(), literal=True)


def _contains_anywhere(text: str, schema: pl.Schema) -> pl.Expr:
    if text.startswith("#") and text[1:].isdecimal():
        return pl.col("run") == int(text[1:])
    names = [name for name in schema if name.startswith("$") or name in _LOOKED_AT]
    parts = [_contains(pl.col(name), text).fill_null(value=False) for name in names]
    return pl.any_horizontal(parts)
