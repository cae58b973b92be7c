"""What a simulation prints under Cmdenv, read as it comes: its progress and how it ended.

The words are those of OMNeT++ 5.1 and later (``cmdenv.cc``, ``envirbase.cc``, ``cexception.cc``).
"""

from __future__ import annotations

import re
from collections import deque
from dataclasses import dataclass, replace

# How many lines a text of the model's own may have that an error or a last word begins with.
_LONGEST_TEXT = 10
# A longer line is looked at from both ends: what matters stands at the start and at the end.
_LONG = 4000

_ESCAPES = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b[@-Z\\-_]")
_STATUS = re.compile(r"\*\* Event #(\d+)\s+t=(\S+)")
_PERCENTAGE = re.compile(r"\s(\d+)% completed")
_SPEED = re.compile(r"\sev/sec=(\S+)")
_PLACE = re.compile(r"\bat t=(\S+?)s, event #(\d+)\Z")
_CONTINUED = re.compile(r" -- .*\b(at t=\S+s, event #\d+|during (network|finalization)[ a-z]*)\Z")
_ERROR = re.compile(r"Error(:| in | during )")
_PERFORMANCE = ("     Speed:     ev/sec=", "     Messages:  created: ")
_FINGERPRINT = "Fingerprint mismatch!"


@dataclass(frozen=True)
class Progress:
    """How far a simulation is. ``simulated_time`` is text, in s, with all its digits.

    ``percentage`` is None where the simulation has no limit, ``events_per_second`` where the line
    does not tell.
    """

    event: int
    simulated_time: str
    percentage: int | None = None
    events_per_second: float | None = None


@dataclass(frozen=True)
class CmdenvSummary:
    """What a simulation's output told, up to now.

    ``terminator`` is the last ``<!>`` line that says at which time and event the simulation ended,
    without the mark, empty if none came; ``error`` is the last ``<!> Error`` line likewise, and
    ``error_is_last`` tells that it came after the terminator. ``fingerprint_mismatch`` is that
    line's text, ``last_mark`` any last ``<!>`` line but a warning. ``simulated_time`` (text, s) and
    ``events`` are the latest that were told.
    """

    terminator: str = ""
    error: str = ""
    error_is_last: bool = False
    fingerprint_mismatch: str = ""
    last_mark: str = ""
    simulated_time: str = ""
    events: int = 0
    last_lines: tuple[str, ...] = ()


class CmdenvParser:
    """Takes the lines of standard output and standard error in the order of their arrival.

    Lines may be long, coloured, or hold anything else that a model prints; memory is bounded.
    Not for several threads at once.
    """

    def __init__(self, *, keep: int = 20, width: int = 500) -> None:
        self._lines: deque[str] = deque(maxlen=keep)
        self._width = width
        self._last_is_status = False
        self._terminator = ""
        self._error = ""
        self._error_is_last = False
        self._fingerprint = ""
        self._last_mark = ""
        self._unfinished: list[str] = []
        self._progress: Progress | None = None

    def feed(self, line: str) -> Progress | None:
        """Take one line, with or without its end; return the progress if the line tells it."""
        line = plain(line)
        if line.startswith("<!>"):
            text = line[3:].strip()
            self._unfinished = [] if _CONTINUED.search(text) else [text]
            self._take_mark(text)
        elif self._unfinished:
            self._continue_mark(line)
        if line.startswith("** Event #"):
            progress = self._take_status(line)
            self._remember(line, is_status=progress is not None)
            return progress
        if line.startswith(_PERFORMANCE):
            return self._take_performance(line)
        self._remember(line, is_status=False)
        return None

    def summary(self) -> CmdenvSummary:
        """Return what is known up to now."""
        progress = self._progress or Progress(0, "")
        return CmdenvSummary(
            terminator=self._terminator,
            error=self._error,
            error_is_last=self._error_is_last,
            fingerprint_mismatch=self._fingerprint,
            last_mark=self._last_mark,
            simulated_time=progress.simulated_time,
            events=progress.event,
            last_lines=tuple(self._lines),
        )

    def _take_status(self, line: str) -> Progress | None:
        match = _STATUS.match(line)
        if match is None:
            return None
        rest = line[match.end() :]
        percentage = _PERCENTAGE.search(rest)
        self._progress = Progress(
            event=int(match[1]),
            simulated_time=match[2].removesuffix("s"),
            percentage=min(int(percentage[1]), 100) if percentage else None,
            events_per_second=_speed(rest),
        )
        return self._progress

    def _take_performance(self, line: str) -> Progress | None:
        """Take a line that follows a status line if the performance display is on."""
        speed, before = _speed(line), self._progress
        if speed is None or before is None:
            return None
        self._progress = replace(before, events_per_second=speed)
        return self._progress

    def _take_mark(self, text: str) -> None:
        place = _PLACE.search(text)
        if not text.startswith("Warning"):
            self._last_mark = text
        if _ERROR.match(text):
            self._error, self._error_is_last = text, True
        elif text.startswith(_FINGERPRINT):
            self._fingerprint = text
        elif place:
            self._terminator, self._error_is_last = text, False
        if place:
            self._progress = Progress(int(place[2]), place[1])

    def _continue_mark(self, line: str) -> None:
        """Take a line after a mark: the last line of a longer text tells the place."""
        self._unfinished.append(line.strip())
        if _CONTINUED.search(line):
            text, self._unfinished = " ".join(self._unfinished), []
            self._take_mark(text)
        elif not line.strip() or len(self._unfinished) >= _LONGEST_TEXT:
            self._unfinished = []

    def _remember(self, line: str, *, is_status: bool) -> None:
        if not line.strip():
            return
        if is_status and self._last_is_status:
            self._lines.pop()  # one status line says as much as twenty
        self._last_is_status = is_status
        self._lines.append(_cut(line, self._width))


def plain(line: str) -> str:
    """Return a line without its end, colours and control characters; a long one without middle."""
    line = line.rstrip("\r\n")
    if len(line) > _LONG:
        line = _cut(line, _LONG)
    if line.isprintable():
        return line
    line = _ESCAPES.sub("", line).replace("\t", " ")
    return "".join(c if c.isprintable() else "�" for c in line)


def _cut(line: str, width: int) -> str:
    if len(line) <= width:
        return line
    mark = " [...] "
    tail = (width - len(mark)) // 2
    return line[: width - len(mark) - tail] + mark + line[-tail:]


def _speed(text: str) -> float | None:
    match = _SPEED.search(text)
    try:
        return float(match[1]) if match else None
    except ValueError:
        return None
