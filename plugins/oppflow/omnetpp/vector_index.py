"""Index files (``.vci``): where in a vector file which vector's rows are.

Format: OMNeT++'s ``indexfilewriter.cc``. The first line, left blank while the simulation runs, is
``file SIZE SECOND``: size and modification time of the vector file. Then come the head of the run,
the vectors, and a line per block of rows: id, offset, size, events, times, count and statistics.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from oppflow.errors import ResultFileError
from oppflow.omnetpp.result_items import HeaderBuilder, RunHeader
from oppflow.omnetpp.result_lines import VERSIONS, damaged, numbered_lines, split_line, text


@dataclass(frozen=True)
class Block:
    """Rows of one vector that follow each other in the file: offset and size are bytes."""

    vector: int
    offset: int
    size: int
    rows: int


@dataclass(frozen=True)
class Vector:
    """A vector's declaration. ``columns`` are letters: E event number, T time in s, V value."""

    number: int
    module: str
    name: str
    columns: str
    attributes: Mapping[str, str]
    blocks: tuple[Block, ...]

    @property
    def rows(self) -> int:
        """How many rows the vector has."""
        return sum(block.rows for block in self.blocks)


@dataclass(frozen=True)
class VectorIndex:
    """A whole index. ``file_size`` is bytes, ``file_second`` the Unix time of the ``.vec`` file."""

    file_size: int
    file_second: int
    header: RunHeader
    vectors: tuple[Vector, ...]


def index_path(vec_path: Path) -> Path:
    """Return the path of the index beside a vector file."""
    return vec_path.with_suffix(".vci")


def read_vector_index(vci_path: Path) -> VectorIndex:
    """Read an index file.

    Raises:
        ResultFileError: missing, empty, cut, malformed, or never finished by the simulation.
    """
    reader = _IndexReader(vci_path)
    for line_number, line in numbered_lines(vci_path):
        reader.take(line_number, line)
    return reader.index()


@dataclass
class _OpenVector:
    module: str
    name: str
    columns: str
    attributes: dict[str, str] = field(default_factory=dict)
    blocks: list[Block] = field(default_factory=list)


class _IndexReader:
    """The states that an index file goes through, one line at a time."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._line = 0
        self._file: tuple[int, int] | None = None
        self._header: HeaderBuilder | None = None
        self._in_head = False
        self._vectors: dict[int, _OpenVector] = {}
        self._last: _OpenVector | None = None

    def take(self, line_number: int, line: bytes) -> None:
        self._line = line_number
        items = split_line(line)
        if items is None:
            raise self._damaged("a quotation mark is not closed")
        if line_number == 1:
            self._take_file(items)
        elif not items:
            self._in_head = False
        elif self._in_head and self._header is not None:
            if complaint := self._header.add(items):
                raise self._damaged(complaint)
        else:
            self._take_body(items)

    def index(self) -> VectorIndex:
        if self._file is None or self._header is None or self._in_head:
            raise damaged(self._path, None, "it has no whole head")
        vectors = tuple(
            Vector(number, v.module, v.name, v.columns, v.attributes, tuple(v.blocks))
            for number, v in self._vectors.items()
        )
        return VectorIndex(*self._file, self._header.build(), vectors)

    def _damaged(self, why: str) -> ResultFileError:
        return damaged(self._path, self._line, why)

    def _take_file(self, items: list[bytes]) -> None:
        if not items:
            raise self._damaged("the simulation never told the vector file's size: it was cut off")
        if len(items) != 3 or items[0] != b"file":
            raise self._damaged("a line 'file SIZE SECOND' was expected")
        self._file = (self._integer(items[1]), self._integer(items[2]))

    def _take_body(self, items: list[bytes]) -> None:
        keyword = items[0]
        if keyword == b"vector" and len(items) == 5 and self._header is not None:
            columns = text(items[4])
            self._last = _OpenVector(text(items[2]), text(items[3]), columns)
            self._vectors[self._integer(items[1])] = self._last
        elif keyword == b"attr" and len(items) == 3 and self._last is not None:
            self._last.attributes[text(items[1])] = text(items[2])
        elif keyword.isdigit() and len(items) >= 3:
            self._take_block(items)
        elif keyword == b"run" and len(items) == 2 and self._header is None:
            self._header, self._in_head = HeaderBuilder(text(items[1])), True
        elif keyword != b"version" or items[1:] not in ([version] for version in VERSIONS):
            raise self._damaged(f"{text(keyword)[:80]!r} was not expected here")

    def _take_block(self, items: list[bytes]) -> None:
        number, offset, size = (self._integer(item) for item in items[:3])
        vector = self._vectors.get(number)
        if vector is None:
            raise self._damaged(f"a block of vector {number}, which is not declared")
        # first and last event, first and last time; then the count, min, max, sum, sum of squares
        place = 3 + 2 * ("E" in vector.columns) + 2 * ("T" in vector.columns)
        if len(items) != place + 5:
            raise self._damaged(f"{len(items)} items where {place + 5} were expected")
        vector.blocks.append(Block(number, offset, size, self._integer(items[place])))

    def _integer(self, item: bytes) -> int:
        if not item.isdigit():
            raise self._damaged(f"{text(item)[:80]!r} is not a whole number")
        return int(item)
