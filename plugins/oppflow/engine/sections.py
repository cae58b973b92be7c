"""How configurations extend each other: which sections count for one, and in which order.

Source: ``sectionbasedconfig.cc`` of OMNeT++ 6.1, as behaviour; the order is C3 linearisation.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from oppflow.engine.errors import EngineError
from oppflow.engine.inifile import Section

GENERAL = "General"


class Sections:
    """The sections of the ini files, by name."""

    def __init__(self, sections: list[Section]) -> None:
        self._by_name = {section.name: section for section in sections}
        self._chains: dict[str, list[Section]] = {}

    def __iter__(self) -> Iterator[Section]:
        return iter(self._by_name.values())

    def __contains__(self, name: str) -> bool:
        return name in self._by_name

    def chain(self, name: str) -> list[Section]:
        """The configuration's own section, then those it falls back to, nearest first.

        Raises:
            EngineError: There is no such configuration, or its bases contradict each other.
        """
        if name not in self._by_name:
            if name == GENERAL:
                return []
            if not name:
                raise EngineError("Empty config name specified")
            raise EngineError(f"No such config: {name}")
        if name not in self._chains:
            self._chains[name] = [self._by_name[each] for each in self._linearise(name)]
        return self._chains[name]

    def bases(self, name: str) -> list[str]:
        """What the section extends: the General one unless it says otherwise."""
        if name == GENERAL:
            return []
        extends = self._by_name[name].find("extends")
        names = base_names(extends.value) if extends else []
        return names or [GENERAL] * (GENERAL in self._by_name)

    def _linearise(self, name: str) -> list[str]:
        bases = self.bases(name)
        for base in bases:
            if base not in self._by_name:
                raise EngineError(f"Section not found: {base}")
        pending = [[section.name for section in self.chain(base)] for base in bases]
        merged = _merge([*pending, bases])
        if merged is None:
            raise EngineError(f"Detected section fallback chain inconsistency at [{name}]")
        return [name, *merged]

    def refuse_cycles(self) -> None:
        """Raises EngineError where sections extend each other in a circle."""
        done: set[str] = set()
        for section in self:
            if self._closes_circle(section.name, done, []):
                raise EngineError(f"Cycle detected in section fallback chain at [{section.name}]")

    def _closes_circle(self, name: str, done: set[str], path: list[str]) -> bool:
        if name in done or name not in self._by_name:
            return False
        if name in path:
            return True
        extends = [entry for entry in self._by_name[name].entries if entry.key == "extends"]
        bases = [base for entry in extends for base in base_names(entry.value)]
        if any(self._closes_circle(base, done, [*path, name]) for base in bases):
            return True
        done.add(name)
        return False


def base_names(value: str) -> list[str]:
    """The names in the value of ``extends``."""
    return [name for name in re.split(r"[, \t]", value) if name]


def _merge(chains: list[list[str]]) -> list[str] | None:
    """C3: keep every chain's order, prefer earlier chains; None if they contradict each other."""
    chains = [chain[:] for chain in chains if chain]
    merged: list[str] = []
    while chains:
        heads = (chain[0] for chain in chains)
        chosen = next(
            (head for head in heads if not any(head in chain[1:] for chain in chains)), None
        )
        if chosen is None:
            return None
        merged.append(chosen)
        chains = [rest for chain in chains if (rest := chain[chain[0] == chosen :])]
    return merged
