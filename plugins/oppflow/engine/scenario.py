"""The runs of a configuration: all combinations of its iteration variables that are allowed.

Source: ``scenario.cc`` of OMNeT++ 6.1, as behaviour.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from oppflow.engine.errors import EngineError
from oppflow.engine.text import split_and_trim
from oppflow.engine.variables import ValueList, Variable, holds

MOST_RUNS = 1_000_000


class Scenario:
    """Iteration variables in the order of their loops, outermost first."""

    def __init__(self, variables: Sequence[Variable], constraint: str, nesting: str) -> None:
        self._constraint = constraint
        self._variables = {variable.name: variable for variable in variables}
        self._lists = {variable.name: _value_list(variable) for variable in variables}
        self._refuse_undefined()
        self.names = self._order(self._nesting(nesting))

    def runs(self) -> list[tuple[str, ...]]:
        """Every run's values, in the order of ``names``.

        Raises:
            EngineError: Values or the constraint cannot be computed, or there are too many runs.
        """
        runs: list[tuple[str, ...]] = []
        for run in self._combinations(0, {}, {}):
            if len(runs) > MOST_RUNS:
                raise EngineError("Are you sure you want to generate more than one million runs?")
            runs.append(run)
        return runs

    def _combinations(
        self, depth: int, chosen: dict[str, str], positions: dict[str, int]
    ) -> Iterator[tuple[str, ...]]:
        if depth == len(self.names):
            if self._is_allowed(chosen):
                yield tuple([chosen[name] for name in self.names])
            return
        name = self.names[depth]
        variable = self._variables[name]
        values = list(enumerate(self._lists[name].values(chosen)))
        if variable.parallel:
            position = positions[variable.parallel]
            if position >= len(values):
                raise EngineError(
                    f"Parallel iterator ${{...!{variable.parallel}}} does not have enough values"
                )
            values = values[position : position + 1]
        for position, value in values:
            chosen[name] = value
            positions[name] = position
            yield from self._combinations(depth + 1, chosen, positions)

    def _is_allowed(self, chosen: dict[str, str]) -> bool:
        if not self._constraint:
            return True
        try:
            return holds(self._constraint, chosen)
        except EngineError as error:
            raise EngineError(f"Cannot evaluate constraint expression: {error.message}") from error

    def _refuse_undefined(self) -> None:
        for name, variable in self._variables.items():
            origin = f"referenced from the definition of ${name}"
            for reference in sorted(self._lists[name].references):
                if reference not in self._variables:
                    raise EngineError(
                        f"Undefined variable ${reference}, {origin} ({variable.values})"
                    )
            if variable.parallel and variable.parallel not in self._variables:
                raise EngineError(
                    f"Undefined variable ${variable.parallel}, {origin} as parallel variable"
                )

    def _nesting(self, specification: str) -> list[str]:
        names = split_and_trim(specification, ",")
        for name in names:
            if name != "*" and name not in self._variables:
                raise EngineError(
                    f"Undefined variable ${name} specified as part of the iteration variable "
                    "nesting order"
                )
        if names.count("*") > 1:
            raise EngineError("Iteration variable nesting order may only contain one '*'")
        position = names.index("*") if "*" in names else len(names)
        others = [name for name in self._variables if name not in names]
        return [*names[:position], *others, *names[position + 1 :]]

    def _order(self, names: list[str]) -> list[str]:
        """The wished order, changed as little as it takes to have referenced variables outside."""
        ordered: list[str] = []
        while names:
            free = next((name for name in names if not self._needs(name) & set(names)), None)
            if free is None:
                raise EngineError("Cycle detected in iteration variable references")
            ordered.append(free)
            names.remove(free)
        return ordered

    def _needs(self, name: str) -> set[str]:
        parallel = self._variables[name].parallel
        return {*self._lists[name].references, *([parallel] if parallel else [])}


def _value_list(variable: Variable) -> ValueList:
    try:
        return ValueList(variable.values)
    except EngineError as error:
        raise EngineError(
            f"Cannot parse iteration variable '{variable.name}' "
            f"({error.message} in '{variable.values}')"
        ) from error
