"""Simulated time: seconds as a float, printed with OMNeT++'s picosecond resolution."""

from __future__ import annotations

from oppflow.engine.errors import EngineError
from oppflow.engine.text import split_and_trim
from oppflow.engine.units import convert, parse_quantity

LARGEST_TEXT = "9223372.036854775807"
"""Seconds; what 64 bits of picoseconds hold. OMNeT++ refuses longer limits, so the engine does."""


def format_time(seconds: float) -> str:
    """The time as OMNeT++ prints it: up to 12 decimals, no zeros at the end."""
    return f"{seconds:.12f}".rstrip("0").removesuffix(".")


class Intervals:
    """Stretches of time in which a vector is recorded: ``..100s, 200s..400s, 900s..``.

    Raises:
        EngineError: An interval is malformed.
    """

    def __init__(self, text: str) -> None:
        self._intervals = [_parse_interval(item) for item in split_and_trim(text, ",")]

    def __contains__(self, seconds: float) -> bool:
        return not self._intervals or any(start <= seconds <= end for start, end in self._intervals)


def _parse_interval(item: str) -> tuple[float, float]:
    parts = split_and_trim(item, "..")
    if len(parts) != 2:
        raise EngineError(f"Wrong syntax in interval {item}, [start]..[end] expected")
    start, end = parts
    return _seconds(start) if start else 0.0, _seconds(end) if end else float("inf")


def _seconds(text: str) -> float:
    value, unit = parse_quantity(text)
    return convert(value, unit or "s", "s")
