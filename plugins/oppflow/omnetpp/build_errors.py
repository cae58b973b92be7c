"""What a failed build says, made short: its first errors, its last lines, and what to do."""

from __future__ import annotations

import re
from collections import deque

_LAST = 25
_FIRST = 5
_ERROR = re.compile(r"\berror\b|undefined reference|cannot find|No rule to make", re.IGNORECASE)

_HINTS = (
    (
        re.compile(r"cannot find -lopp\w+(?:d|_dbg)\b"),
        "This OMNeT++ was built without its debug libraries: choose the mode release.",
    ),
    (
        re.compile(r"cannot find -l([^\s:]+)"),
        "The library {0} is not there: name the source tree that makes it in projects.",
    ),
    (
        re.compile(r"error: ([^\s:]+): No such file or directory"),
        "The file {0} is not there: if it belongs to another source tree, name that in projects.",
    ),
)


class BuildOutput:
    """Hears a build's lines and remembers what an error message needs."""

    def __init__(self) -> None:
        self._first: list[tuple[int, str]] = []
        self._last: deque[tuple[int, str]] = deque(maxlen=_LAST)
        self._count = 0

    def hear(self, line: str) -> None:
        """Take the next line."""
        self._count += 1
        numbered = (self._count, line)
        if len(self._first) < _FIRST and _ERROR.search(line):
            self._first.append(numbered)
        self._last.append(numbered)

    def told(self) -> str:
        """The first errors and the last lines, each once, indented."""
        start = self._last[0][0] if self._last else 0
        earlier = [line for number, line in self._first if number < start]
        gap = ["..."] if earlier else []
        return "\n".join(
            f"  {line}" for line in [*earlier, *gap, *(line for _, line in self._last)]
        )

    def hint(self) -> str:
        """What to do, where the lines tell; empty otherwise."""
        for pattern, hint in _HINTS:
            for _, line in [*self._first, *self._last]:
                match = pattern.search(line)
                if match:
                    return hint.format(*match.groups())
        return ""
