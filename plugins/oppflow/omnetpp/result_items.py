"""What a result file holds, whatever its format: heads of runs, scalars, statistics."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from oppflow.omnetpp.result_lines import text


@dataclass(frozen=True)
class RunHeader:
    """What a result file says about the run that wrote it.

    ``variables`` are the iteration variables in the order of the file (OMNeT++ sorts them by name),
    values as text; ``config`` are the entries that applied, in their order: the first match wins.
    """

    run_id: str
    attributes: Mapping[str, str]
    variables: Mapping[str, str]
    config: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Scalar:
    """One recorded number. ``unit`` is the text of the ``unit`` attribute, empty where none is."""

    module: str
    name: str
    value: float
    unit: str = ""


@dataclass(frozen=True)
class Statistic:
    """A summary of observations: ``count``, ``mean``, ``stddev``, ``min``, ``max``, ``sum``, ...

    ``fields`` has the names of the file; a weighted statistic has ``weights``, ``weightedSum``,
    ``sqrSumWeights`` and ``weightedSqrSum`` instead of ``sum`` and ``sqrsum``. Bins are left out.
    """

    module: str
    name: str
    fields: Mapping[str, float]
    unit: str = ""


ScalarItem = RunHeader | Scalar | Statistic


@dataclass
class HeaderBuilder:
    """Collects the lines of one run's head. ``add`` tells what is wrong with a line, or None."""

    run_id: str
    attributes: dict[str, str] = field(default_factory=dict)
    variables: dict[str, str] = field(default_factory=dict)
    config: list[tuple[str, str]] = field(default_factory=list)

    def add(self, items: list[bytes]) -> str | None:
        keyword = text(items[0])
        if keyword not in {"attr", "itervar", "config", "param"}:
            return f"{keyword[:80]!r} does not belong in the head of a run"
        if len(items) != 3:
            return f"a line '{keyword} NAME VALUE' was expected"
        name, value = text(items[1]), text(items[2])
        if keyword == "attr":
            self.attributes[name] = value
        elif keyword == "itervar":
            self.variables[name] = value
        else:  # "param" is the spelling before OMNeT++ 6
            self.config.append((name, value))
        return None

    def build(self) -> RunHeader:
        return RunHeader(self.run_id, self.attributes, self.variables, tuple(self.config))
