"""Scalar files (``.sca``): a strict, streaming reader.

A file that ends anywhere else than OMNeT++ 5.1 and later end it (an empty line after the last
result) is refused, so every cut is noticed: in a line, at a line's end, and in the head of the run.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum, auto
from pathlib import Path

from oppflow.errors import ResultFileError
from oppflow.omnetpp.result_items import HeaderBuilder, RunHeader, Scalar, ScalarItem, Statistic
from oppflow.omnetpp.result_lines import (
    VERSIONS,
    damaged,
    is_sqlite,
    number,
    numbered_lines,
    split_line,
    text,
)
from oppflow.omnetpp.sqlite_file import check_sqlite_file, iter_sqlite_file
from oppflow.omnetpp.whole_scalars import LARGEST, is_whole, items_of


@dataclass(frozen=True)
class ScalarFile:
    """Everything of one run in a scalar file but its parameters and histogram bins."""

    header: RunHeader
    scalars: tuple[Scalar, ...]
    statistics: tuple[Statistic, ...]


def check_scalar_file(path: Path) -> None:
    """Read the file to its end and return if it is whole.

    Text files (versions 2 and 3) are parsed line by line; of SQLite files the size that their
    header names is compared, see `check_sqlite_file`.

    Raises:
        ResultFileError: empty, cut, or malformed; the message names file and line.
    """
    if is_sqlite(path):
        check_sqlite_file(path)
        return
    if _whole_content(path) is None:
        for _ in _ScalarReader(path).items():
            pass


def read_scalar_file(path: Path) -> ScalarFile:
    """Read a scalar file that holds one run.

    Raises:
        ResultFileError: as `check_scalar_file`, and where the file holds more than one run.
    """
    header: RunHeader | None = None
    scalars: list[Scalar] = []
    statistics: list[Statistic] = []
    for item in iter_scalar_file(path):
        if isinstance(item, Scalar):
            scalars.append(item)
        elif isinstance(item, Statistic):
            statistics.append(item)
        elif header is None:
            header = item
        else:
            raise damaged(path, None, "it holds more than one run")
    if header is None:
        raise damaged(path, None, "it holds no run")
    return ScalarFile(header, tuple(scalars), tuple(statistics))


def iter_scalar_file(path: Path) -> Iterator[ScalarItem]:
    """Yield the head of each run, then its scalars and statistics in the order of the file.

    What was yielded before an error is raised comes from a file that must not be trusted.

    Raises:
        ResultFileError: as `check_scalar_file`.
    """
    if is_sqlite(path):
        check_sqlite_file(path)
        yield from iter_sqlite_file(path)
    elif content := _whole_content(path):
        yield from items_of(content)
    else:
        yield from _ScalarReader(path).items()


def _whole_content(path: Path) -> bytes | None:
    """The file's content, if it is of the usual kind, and whole."""
    try:
        if path.stat().st_size > LARGEST:
            return None
        content = path.read_bytes()
    except OSError:
        return None  # told when it is read
    return content if is_whole(content) else None


class _Stage(Enum):
    VERSION = auto()
    RUN = auto()
    HEAD = auto()
    RESULTS = auto()
    ENDED = auto()


@dataclass
class _OpenItem:
    """A result whose attributes, fields and bins may still follow."""

    keyword: bytes
    module: str
    name: str
    value: float = 0.0
    unit: str = ""
    fields: dict[str, float] = field(default_factory=dict)
    last_edge: float = float("-inf")

    def close(self) -> Scalar | Statistic | None:
        if self.keyword == b"scalar":
            return Scalar(self.module, self.name, self.value, self.unit)
        if self.keyword == b"statistic":
            return Statistic(self.module, self.name, self.fields, self.unit)
        return None


class _ScalarReader:
    """The states that a scalar file goes through, one line at a time."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._line = 0
        self._stage = _Stage.VERSION
        self._header = HeaderBuilder("")
        self._open: _OpenItem | None = None

    def items(self) -> Iterator[ScalarItem]:
        for line_number, line in numbered_lines(self._path):
            self._line = line_number
            items = split_line(line)
            if items is None:
                raise self._damaged(
                    "a quotation mark is not closed, or closed in the middle of a word"
                )
            item = self._take(items) if items else self._end_section()
            if item is not None:
                yield item
        if self._stage is not _Stage.ENDED:
            raise damaged(
                self._path,
                self._line,
                "the file ends here, without the empty line that ends a run: it was cut short",
            )

    def _damaged(self, why: str) -> ResultFileError:
        return damaged(self._path, self._line, why)

    def _take(self, items: list[bytes]) -> ScalarItem | None:
        if self._stage is _Stage.RESULTS:
            return self._result(items)
        if self._stage is _Stage.HEAD:
            if complaint := self._header.add(items):
                raise self._damaged(complaint)
        elif self._stage is _Stage.VERSION:
            if len(items) != 2 or items[0] != b"version" or items[1] not in VERSIONS:
                raise self._damaged("it does not start with 'version 2' or 'version 3'")
            self._stage = _Stage.RUN
        elif len(items) != 2 or items[0] != b"run":
            raise self._damaged("a line 'run ID' was expected")
        else:
            self._header = HeaderBuilder(text(items[1]))
            self._stage = _Stage.HEAD
        return None

    def _end_section(self) -> ScalarItem | None:
        if self._stage is _Stage.HEAD:
            self._stage = _Stage.RESULTS
            return self._header.build()
        if self._stage is _Stage.RESULTS:
            self._stage = _Stage.ENDED
            return self._close_open()
        raise self._damaged("an empty line where none can be")

    def _close_open(self) -> Scalar | Statistic | None:
        done, self._open = self._open, None
        if done is None:
            return None
        if done.keyword == b"statistic" and "count" not in done.fields:
            raise self._damaged(
                f"the statistic {done.name!r} of {done.module} before it has no count"
            )
        return done.close()

    def _result(self, items: list[bytes]) -> ScalarItem | None:
        keyword = items[0]
        expected = _ITEMS.get(keyword)
        if expected is None:
            raise self._damaged(f"{text(keyword)[:80]!r} is not a keyword of scalar files")
        if len(items) != expected:
            raise self._damaged(f"{len(items)} items after which {expected} were expected")
        if keyword in _STARTS:
            done = self._close_open()
            self._open = _OpenItem(keyword, text(items[1]), text(items[2]))
            if keyword == b"scalar":
                self._open.value = self._number(items[3])
            return done
        self._detail(items)
        return None

    def _detail(self, items: list[bytes]) -> None:
        item = self._open
        if item is None:
            raise self._damaged(f"'{text(items[0])}' before any result")
        if items[0] == b"attr":
            if items[1] == b"unit":
                item.unit = text(items[2])
            return
        if item.keyword != b"statistic":
            raise self._damaged(f"'{text(items[0])}' outside of a statistic")
        value = self._number(items[2])
        if items[0] == b"field":
            item.fields[text(items[1])] = value
            return
        edge = self._number(items[1])
        if edge < item.last_edge:
            raise self._damaged("the bins are not in ascending order")
        item.last_edge = edge

    def _number(self, item: bytes) -> float:
        value = number(item)
        if value is None:
            raise self._damaged(f"{text(item)[:80]!r} is not a number")
        return value


_STARTS = (b"scalar", b"par", b"statistic")
_ITEMS = {b"scalar": 4, b"par": 4, b"statistic": 3, b"attr": 3, b"field": 3, b"bin": 3}
