"""Iteration variables as columns of a table: their names, their values as numbers or as text."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from oppflow.analysis.summary import CampaignRun
from oppflow.campaign import Run

# Columns that every table of results has; a variable of such a name gets a ``$`` in front.
FIXED_COLUMNS = frozenset(
    {"run", "config", "repetition", "seed_set", "module", "name", "value", "unit"}
    | {"mean", "half_width", "samples", "skipped"}
)

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
_QUANTITY = re.compile(rf"({_NUMBER.pattern})\s*([A-Za-z%/]+)")
_ESCAPED = re.compile(r"\\(.)")

Value = float | str | None


@dataclass(frozen=True)
class Variable:
    """An iteration variable: its column and its values, each once, in the order of the runs.

    Values are numbers if all of them are; otherwise text, without the quotes of strings and with
    the units of quantities.
    """

    name: str
    column: str
    values: tuple[float | str, ...]
    is_number: bool

    @property
    def is_swept(self) -> bool:
        """Whether it has more than one value in this campaign."""
        return len(self.values) > 1

    def value(self, text: str | None) -> Value:
        """Return the value that a run's text stands for; None for a run without the variable."""
        if text is None:
            return None
        return float(text) if self.is_number else plain_text(text)


def find_variables(runs: Iterable[CampaignRun]) -> tuple[Variable, ...]:
    """Return the iteration variables of the runs, in nesting order."""
    return variables_of(campaign_run.run for campaign_run in runs)


def variables_of(runs: Iterable[Run]) -> tuple[Variable, ...]:
    """Return the iteration variables of runs that may not have ended, in nesting order."""
    texts: dict[str, dict[str, None]] = {}
    for run in runs:
        for name, text in run.variables:
            texts.setdefault(name, {})[text] = None
    return tuple(_variable(name, tuple(values)) for name, values in texts.items())


def variable_values(variables: Iterable[Variable], run: CampaignRun) -> dict[str, Value]:
    """Return the run's values by column."""
    texts: Mapping[str, str] = dict(run.run.variables)
    return {variable.column: variable.value(texts.get(variable.name)) for variable in variables}


def plain_text(text: str) -> str:
    """Return a value without the quotes and escapes of a string constant."""
    if len(text) >= 2 and text[0] == text[-1] == '"':
        return _ESCAPED.sub(r"\1", text[1:-1])
    return text


def quantities(values: Iterable[float | str]) -> tuple[list[float], str] | None:
    """Return values such as ``10ms``, ``20ms`` as numbers and their unit; None if they are others.

    Quantities of different units are None: to compare ``1s`` and ``10ms`` is OMNeT++'s business.
    """
    numbers, units = [], set()
    for value in values:
        match = _QUANTITY.fullmatch(value) if isinstance(value, str) else None
        if match is None:
            return None
        numbers.append(float(match[1]))
        units.add(match[4])
    return (numbers, units.pop()) if len(units) == 1 else None


def _variable(name: str, texts: tuple[str, ...]) -> Variable:
    is_number = all(_NUMBER.fullmatch(text) for text in texts)
    values = dict.fromkeys(float(text) if is_number else plain_text(text) for text in texts)
    clashes = name in FIXED_COLUMNS or not name.isidentifier()
    return Variable(name, f"${name}" if clashes else name, tuple(values), is_number)
