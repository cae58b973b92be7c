"""Which runs a filter selects: a list of numbers, or an expression over the variables.

Source: ``EnvirBase::resolveRunFilter`` of OMNeT++ 6.1, as behaviour.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from oppflow.engine.configuration import Configuration
from oppflow.engine.errors import EngineError
from oppflow.engine.variables import holds, substitute

_NUMBERS = re.compile(r"[0-9,.\- ]*")
_RANGE = re.compile(r"[ \t]*(\d+)[ \t]*(?:(?:-\.?|\.\.)[ \t]*(\d+)[ \t]*)?(,|$)")


def select_runs(configuration: Configuration, name: str, run_filter: str) -> list[int]:
    """The run numbers that a filter selects; an empty one selects all.

    A list keeps its order and repeats numbers that it repeats.

    Raises:
        EngineError: There is no such configuration, or the filter is malformed or out of range.
    """
    if not run_filter.strip():
        return list(range(configuration.count_runs(name)))
    if _NUMBERS.fullmatch(run_filter):
        return _listed(run_filter, configuration.count_runs(name))
    runs = configuration.unroll(name)
    try:
        return [number for number in range(len(runs)) if _holds(run_filter, runs.variables(number))]
    except EngineError as error:
        raise EngineError(f"Cannot evaluate run filter: {error.message}") from error


def _holds(run_filter: str, variables: Mapping[str, str]) -> bool:
    return holds(substitute(run_filter, variables, unknown="Unknown variable $"), {})


def _listed(run_filter: str, count: int) -> list[int]:
    numbers: list[int] = []
    position = 0
    while position < len(run_filter.rstrip(" \t")):
        found = _RANGE.match(run_filter, position)
        if not found:
            raise EngineError(f"Syntax error in run list '{run_filter}'")
        first = int(found.group(1))
        # a range that ends before it starts holds nothing
        for number in range(first, int(found.group(2) or first) + 1):
            if number >= count:
                raise EngineError(
                    f"Run number {number} in run list '{run_filter}' is out of range 0..{count - 1}"
                )
            numbers.append(number)
        position = found.end()
    return numbers
