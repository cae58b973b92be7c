"""Reading what ``opp_run -s -q rundetails`` and ``-q runconfig`` answer.

Format: OMNeT++ 6.1, ``EnvirBase::printRunInfo``: a line ``Run N: $a=1, $repetition=0``, then
TAB-indented ``key = value`` lines, then an empty line between runs.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from oppflow.campaign import Run
from oppflow.errors import ModelError
from oppflow.omnetpp.commands import PROBE_MARK

Pair = tuple[str, str]

_RUN_LINE = re.compile(r"Run (\d+): (.*)\Z", re.DOTALL)
_VARIABLE = re.compile(r'\$(\w+)=((?:"(?:[^"\\]|\\.)*"|(?!, \$\w+=).)*)(?:, |\Z)', re.DOTALL)
_PROBE = re.compile(rf'"{PROBE_MARK} (-?\d+) (.*)"\Z', re.DOTALL)


@dataclass(frozen=True)
class RunAnswer:
    """One run of an answer: number, variables (the repetition last), ``key = value`` lines."""

    number: int
    variables: tuple[Pair, ...]
    pairs: tuple[Pair, ...]


def parse_runs(answer: str) -> Iterator[RunAnswer]:
    """The runs of an answer, in its order.

    Raises:
        ModelError: the answer is not of the known format.
    """
    head: tuple[int, tuple[Pair, ...]] | None = None
    pairs: list[Pair] = []
    for line in answer.split("\n"):
        if line.startswith("Run "):
            if head:
                yield RunAnswer(*head, tuple(pairs))
            head, pairs = _parse_head(line), []
        elif line.startswith("\t"):
            key, _, value = line[1:].partition(" = ")
            pairs.append((key, value))
        elif line.strip():
            raise ModelError(f"OMNeT++ answered something unknown about runs: {line[:200]!r}")
    if head:
        yield RunAnswer(*head, tuple(pairs))


def _parse_head(line: str) -> tuple[int, tuple[Pair, ...]]:
    match = _RUN_LINE.match(line)
    variables = tuple(_VARIABLE.findall(match[2])) if match else ()
    if not match or not variables or variables[-1][0] != "repetition":
        raise ModelError(f"OMNeT++ answered something unknown about runs: {line[:200]!r}")
    return int(match[1]), variables


def parse_probed_runs(answer: str) -> Iterator[tuple[Run, tuple[Pair, ...]]]:
    """The runs of a ``rundetails`` answer that was asked with the probe ini file.

    Each comes with the ini entries that hold ``${``, expanded for the run, in ini order, without
    the probe's own.

    Raises:
        ModelError: the answer is not of the known format, or the probe's line is missing.
    """
    for run in parse_runs(answer):
        *variables, (_, repetition) = run.variables
        seed_set, result_name = "", ""
        pairs = []
        for key, value in run.pairs:
            match = _PROBE.match(value) if key == "description" else None
            if match:
                seed_set, result_name = match[1], match[2]
            else:
                pairs.append((key, value))
        if not result_name:
            raise ModelError(f"OMNeT++ did not tell the seed set of run {run.number}.")
        yield (
            Run(run.number, tuple(variables), int(repetition), seed_set, result_name),
            tuple(pairs),
        )


class ConfigurationTemplate:
    """Every run's whole configuration, from that of one run and each run's own entries.

    ``-q runconfig`` of all runs costs the square of their number; this needs it for the first only.
    """

    def __init__(self, first_config: Sequence[Pair], first_details: Sequence[Pair]) -> None:
        """Find the entries of ``first_details`` (`parse_probed_runs`) in ``first_config``."""
        self._pairs = [pair for pair in first_config if not _PROBE.match(pair[1])]
        self._places: list[int | None] = []
        start = 0
        for pair in first_details:
            found = next(
                (i for i in range(start, len(self._pairs)) if self._pairs[i] == pair), None
            )
            self._places.append(found)
            start = start if found is None else found + 1

    def expand(self, details: Sequence[Pair]) -> tuple[Pair, ...]:
        """The configuration of the run whose own entries are ``details``, in ini order."""
        pairs = list(self._pairs)
        for place, pair in zip(self._places, details, strict=True):
            if place is not None:
                pairs[place] = pair
        return tuple(pairs)
