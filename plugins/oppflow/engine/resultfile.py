"""What scalar and vector files have in common: how lines are spelt, and how they start.

Source: ``omnetppscalarfilewriter.cc`` and ``omnetppvectorfilewriter.cc`` of OMNeT++ 6.1, as
behaviour; version 3 of both formats.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from oppflow.engine.errors import EngineError
from oppflow.engine.runconfig import RunConfiguration
from oppflow.engine.text import quote_if_needed

FORMAT_VERSION = 3


def line(kind: str, *words: str) -> str:
    """A line of a result file; words are quoted where they need it."""
    return " ".join([kind, *map(quote_if_needed, words)]) + "\n"


def attribute_lines(attributes: Mapping[str, str]) -> str:
    """The ``attr`` lines of a result, sorted."""
    return "".join(line("attr", key, attributes[key]) for key in sorted(attributes))


def header(configuration: RunConfiguration) -> str:
    """The lines that describe the run, at the start of every result file.

    Raises:
        EngineError: ``config-recording`` has an unknown value.
    """
    return "".join(
        [
            line("run", configuration.variables["runid"]),
            *_lines("attr", configuration.attributes()),
            *_lines("itervar", configuration.iteration_variables()),
            *_lines("config", configuration.recorded_entries()),
            "\n",
        ]
    )


def _lines(kind: str, pairs: Iterable[tuple[str, str]]) -> list[str]:
    return [line(kind, key, value) for key, value in pairs]


def number(value: float, precision: int) -> str:
    """A number as C's ``%.*g`` prints it."""
    return f"{value:.{precision}g}"


def open_file(name: str, mode: str, what: str) -> IO[str]:
    """Open a result file, and make its folder.

    Raises:
        EngineError: It cannot be written.
    """
    path = Path(name)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return path.open(mode, encoding="utf-8", errors="surrogateescape", newline="\n")
    except OSError as error:
        raise EngineError(f"Cannot open {what} '{name}': {error.strerror}") from error


@contextmanager
def told_as_unwritable(what: str, name: str) -> Iterator[None]:
    """Tell failures to write a file as OMNeT++'s writers would."""
    try:
        yield
    except OSError as error:
        raise EngineError(f"Cannot write {what} '{name}': {error.strerror}") from error


def remove_old(name: str, what: str) -> None:
    """Delete the file that an earlier run left under this name; /dev/null is none.

    Raises:
        EngineError: It cannot be deleted.
    """
    try:
        if Path(name).is_file():
            Path(name).unlink()
    except OSError as error:
        raise EngineError(f"Cannot remove {what} '{name}': {error.strerror}") from error
