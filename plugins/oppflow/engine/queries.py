"""Answers about configurations and runs: ``-q``, ``-a`` and ``-e``.

Source: ``EnvirBase::printRunInfo`` of OMNeT++ 6.1, as behaviour.
"""

from __future__ import annotations

from collections.abc import Iterator

from oppflow.engine.configuration import Configuration
from oppflow.engine.errors import EngineError
from oppflow.engine.filters import select_runs
from oppflow.engine.runs import Runs
from oppflow.engine.text import indent_lines

ANSWERS = ("numruns", "runnumbers", "runs", "rundetails", "runconfig", "sectioninheritance")


def answer(
    configuration: Configuration, query: str, name: str, run_filter: str, *, verbose: bool
) -> Iterator[str]:
    """The text that ``-q`` prints, piece by piece.

    Raises:
        EngineError: There is no such configuration, or its runs cannot be computed.
    """
    if query == "sectioninheritance":
        yield "\n" if verbose else ""
        for section in configuration.sections.chain(name):
            is_general = section.name == "General"
            yield f"{section.name}\n" if is_general else f"Config {section.name}\n"
        return
    numbers = select_runs(configuration, name, run_filter)
    if verbose:
        yield f"Config: {name}\nNumber of runs: {configuration.count_runs(name)}\n"
        if run_filter.strip():
            yield f"Number of runs selected: {len(numbers)}\n"
    runs = configuration.unroll(name)
    if query == "numruns":
        yield "" if verbose else f"{len(numbers)}\n"
        return
    yield "\n" if verbose else ""
    if query == "runnumbers":
        yield "Run numbers:" if verbose else ""
        yield "".join(f" {number}" for number in numbers) + "\n"
    else:
        yield from _describe_runs(runs, numbers, query)


def _describe_runs(runs: Runs, numbers: list[int], query: str) -> Iterator[str]:
    for number in numbers:
        yield f"Run {number}: {runs.info(number)}\n"
        if query == "rundetails":
            lines = "".join(f"{key} = {value}\n" for key, value in runs.details(number))
            yield indent_lines(lines)
        elif query == "runconfig":
            for entry in runs.entries(number):
                yield f"\t{entry.key} = {entry.value}\n"
        # as in OMNeT++: by number, so repeated last numbers in a filter get no line
        if query != "runs" and number != numbers[-1]:
            yield "\n"


def count_all(configuration: Configuration) -> Iterator[str]:
    """The text that ``-a`` prints: every configuration with its number of runs.

    Raises:
        EngineError: The runs of one cannot be computed.
    """
    for section in configuration.sections:
        yield f"Config {section.name}: "  # stands there even if counting fails, as in OMNeT++
        yield f"{configuration.count_runs(section.name)}\n"


def option_value(configuration: Configuration, key: str, name: str, run_filter: str) -> str:
    """The text that ``-e`` prints: an option's value in the one run that is selected.

    Raises:
        EngineError: No run or several are selected.
    """
    numbers = select_runs(configuration, name, run_filter)
    if not numbers:
        raise EngineError("Run filter does not match any run")
    if len(numbers) > 1:
        raise EngineError(f"Run filter matches more than one run ({len(numbers)})")
    entries = configuration.runs(name).entries(numbers[0])
    return next((entry.value for entry in entries if entry.key == key), "") + "\n"
