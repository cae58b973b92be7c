"""OMNeT++'s wildcard patterns: ``*``, ``**``, ``?``, ``{a-z}``, ``{1..5}``, ``[1..5]``.

Source: ``patternmatcher.cc`` of OMNeT++ 6.1, as behaviour; dots separate the parts of a path.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache

from oppflow.engine.errors import ExpressionError

_RANGE = re.compile(r"(\d*)\.\.(\d*)")


def contains_wildcards(pattern: str) -> bool:
    """Whether the text means more than itself as a pattern."""
    return any(mark in pattern for mark in ("?", "*", "\\", "{", "..")) if pattern else False


@lru_cache(maxsize=4096)
def matcher(pattern: str) -> Callable[[str], bool]:
    """A function that tells whether a whole path matches the pattern.

    Raises:
        ExpressionError: A brace is not closed.
    """
    regex, ranges = _translate(_bytes_as_characters(pattern))
    compiled = re.compile(regex, re.DOTALL)

    def matches(text: str) -> bool:
        found = compiled.fullmatch(_bytes_as_characters(text))
        if not found:
            return False
        numbers = zip(ranges, found.groups(), strict=True)
        return all(low <= int(number) <= high for (low, high), number in numbers)

    return matches


def _bytes_as_characters(text: str) -> str:
    """OMNeT++ knows bytes only: ``?`` is one of them."""
    return text if text.isascii() else text.encode("utf-8", "surrogateescape").decode("latin-1")


def _translate(pattern: str) -> tuple[str, list[tuple[int, float]]]:
    """A regular expression with one group per numeric range, and the ranges' limits."""
    parts: list[str] = []
    ranges: list[tuple[int, float]] = []
    position = 0
    while position < len(pattern):
        character = pattern[position]
        limits = _numeric_range(pattern, position, bool(parts))
        if limits:
            ranges.append(limits[0])
            parts.append(limits[1])
            position = limits[2]
        elif pattern.startswith("**", position):
            parts.append(".*")
            position += 2
        elif character in "*?":
            parts.append("[^.]*" if character == "*" else "[^.]")
            position += 1
        elif character == "{":
            part, position = _character_set(pattern, position)
            parts.append(part)
        else:
            position += character == "\\"
            parts.append(re.escape(pattern[position : position + 1]))
            position += 1
    return "".join(parts), ranges


def _numeric_range(
    pattern: str, position: int, after_something: bool
) -> tuple[tuple[int, float], str, int] | None:
    """``{a..b}`` anywhere, or ``[a..b]`` as an index: its limits, its regex and where it ends."""
    opening = pattern[position]
    if opening not in "{[" or (opening == "[" and not after_something):
        return None
    found = _RANGE.match(pattern, position + 1)
    closing = "}" if opening == "{" else "]"
    if not found or not pattern.startswith(closing, found.end()):
        return None
    limits = (int(found.group(1) or 0), float(found.group(2) or "inf"))
    # no digit may follow: the number is read as far as it goes
    regex = r"(\d+)(?!\d)" if opening == "{" else r"\[(\d+)\]"
    return limits, regex, found.end() + 1


def _character_set(pattern: str, position: int) -> tuple[str, int]:
    start = position + 1
    negated = pattern.startswith("^", start)
    start += negated
    end = pattern.find("}", start + 1)  # a brace that comes first belongs to the set
    if end < 0:
        raise ExpressionError("Unmatched '}' in expression")
    items = re.sub(r"([\\\[\]^&~|])", r"\\\1", pattern[start:end])
    return f"[{'^' if negated else ''}{items}]", end + 1
