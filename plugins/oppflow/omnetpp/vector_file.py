"""Vector files (``.vec``): checked against their index to the last byte, and read row by row.

OMNeT++ writes the index's first line from what the file system says after it closed the vector
file, so a file that a full disk cut short has the size that its index names. The check therefore
accounts for every byte: blocks as the index has them, declarations between, the empty line last.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import BinaryIO, NamedTuple

from oppflow.omnetpp.result_items import HeaderBuilder
from oppflow.omnetpp.result_lines import (
    VERSIONS,
    damaged,
    is_sqlite,
    number,
    split_line,
    text,
)
from oppflow.omnetpp.sqlite_file import check_sqlite_file
from oppflow.omnetpp.vector_index import (
    Block,
    Vector,
    VectorIndex,
    index_path,
    read_vector_index,
)
from oppflow.omnetpp.whole_vectors import LARGEST, second_without_rows

_CHUNK = 1024 * 1024


class Row(NamedTuple):
    """One observation: event number (None where not recorded), simulated time in s, value."""

    event: int | None
    time: Decimal
    value: float


def check_vector_file(vec_path: Path, *, compare_time: bool = True) -> None:
    """Return if the vector file is whole and its index (``.vci``) belongs to it.

    Checked are the size and, unless ``compare_time`` is false, the modification second that the
    index names; that each block holds the rows that the index counts; that nothing but
    declarations lies between blocks; and the empty line that ends a run. Of SQLite files, which
    have no index, see `check_sqlite_file`.

    Raises:
        ResultFileError: something of this does not hold, or a file is missing or empty.
    """
    if is_sqlite(vec_path):
        check_sqlite_file(vec_path)
        return
    state = vec_path.stat()
    if state.st_size == 0:
        raise damaged(vec_path, None, "it is empty")
    if _is_without_rows(vec_path, state, compare_time=compare_time):
        return
    index = read_vector_index(index_path(vec_path))
    if index.file_size != state.st_size:
        raise damaged(
            vec_path, None, f"it has {state.st_size} bytes, its index says {index.file_size}"
        )
    if compare_time and index.file_second != int(state.st_mtime):
        raise damaged(vec_path, None, "it was changed after its index was written")
    with vec_path.open("rb") as file:
        _check_content(vec_path, file, index)


def _is_without_rows(vec_path: Path, state: os.stat_result, *, compare_time: bool) -> bool:
    """Whether the file is whole and has no rows; false says nothing."""
    if state.st_size > LARGEST:
        return False
    try:
        index = index_path(vec_path).read_bytes()
    except OSError:
        return False  # who reads it line by line says what is wrong with it
    second = second_without_rows(vec_path.read_bytes(), index)
    return second is not None and (second == int(state.st_mtime) or not compare_time)


def read_vectors(vec_path: Path) -> VectorIndex:
    """Return the head of the run and the declarations of its vectors, from the index.

    Raises:
        ResultFileError: as for `read_vector_index`, and if the sizes do not agree.
    """
    index = read_vector_index(index_path(vec_path))
    if index.file_size != vec_path.stat().st_size:
        raise damaged(vec_path, None, "its size is not the one that its index names")
    return index


def iter_rows(vec_path: Path, vector: Vector) -> Iterator[Row]:
    """Yield the rows of one vector of `read_vectors` in their order, in bounded memory.

    Raises:
        ResultFileError: the rows are not where the index says, or malformed.
    """
    with vec_path.open("rb") as file:
        for block in vector.blocks:
            file.seek(block.offset)
            for _ in range(block.rows):
                row = _row(file.readline(), vector)
                if row is None:
                    raise damaged(vec_path, None, f"a row before byte {file.tell()} is malformed")
                yield row


def _row(line: bytes, vector: Vector) -> Row | None:
    items = line.split()
    if len(items) != len(vector.columns) + 1 or items[0] != b"%d" % vector.number:
        return None
    by_column = dict(zip(vector.columns, items[1:], strict=True))
    value = number(by_column.get("V", b"?"))
    try:
        time = Decimal(by_column["T"].decode("ascii"))
        event = int(by_column["E"]) if "E" in by_column else None
    except (KeyError, ValueError, InvalidOperation):
        return None
    return None if value is None else Row(event, time, value)


def _check_content(path: Path, file: BinaryIO, index: VectorIndex) -> None:
    blocks = sorted(
        (block for vector in index.vectors for block in vector.blocks), key=lambda b: b.offset
    )
    between = _Declarations(path)
    position = 0
    for block in blocks:
        position = _check_lines(file, position, block.offset, between)
        _check_block(path, file, block)
        position += block.size
    _check_lines(file, position, index.file_size, between)
    between.finish()


def _check_lines(file: BinaryIO, start: int, end: int, between: _Declarations) -> int:
    file.seek(start)
    while start < end:
        line = file.readline(end - start)
        start += len(line)
        between.take(line, start)
    if start != end:
        raise between.damaged(start, "two blocks of the index overlap")
    return end


def _check_block(path: Path, file: BinaryIO, block: Block) -> None:
    """Compare beginning, end and number of lines of a block; the file stands at its offset."""
    left, rows, last = block.size, 0, b""
    marks = (b"%d\t" % block.vector, b"%d " % block.vector)
    file.seek(block.offset)
    while left > 0 and (data := file.read(min(left, _CHUNK))):
        if left == block.size and not data.startswith(marks):
            break
        rows += data.count(b"\n")
        left -= len(data)
        last = data
    if left or rows != block.rows or not last.endswith(b"\n"):
        raise damaged(
            path, None, f"the block of vector {block.vector} at byte {block.offset} is not whole"
        )


class _Declarations:
    """What stands in a vector file besides rows: version, head, declarations, the last line."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._stage = "version"
        self._header = HeaderBuilder("")

    def damaged(self, position: int, why: str) -> Exception:
        return damaged(self._path, None, f"{why}, at byte {position}")

    def take(self, line: bytes, position: int) -> None:
        """Take a line that ends before byte ``position``."""
        items = split_line(line.rstrip(b"\r\n"))
        if not line.endswith(b"\n") or items is None or b"\0" in line:
            raise self.damaged(position, "a line was cut")
        if not items:
            self._end_section(position)
        elif not self._fits(items):
            raise self.damaged(position, f"{text(line[:80]).strip()!r} was not expected")

    def finish(self) -> None:
        if self._stage != "ended":
            raise damaged(
                self._path, None, "the empty line that ends a run is missing: it was cut short"
            )

    def _fits(self, items: list[bytes]) -> bool:
        if self._stage == "version":
            self._stage = "run"
            return len(items) == 2 and items[0] == b"version" and items[1] in VERSIONS
        if self._stage == "run":
            self._stage = "head"
            return len(items) == 2 and items[0] == b"run"
        if self._stage == "head":
            return self._header.add(items) is None
        lengths = {b"vector": 5, b"attr": 3}
        return self._stage == "results" and lengths.get(items[0]) == len(items)

    def _end_section(self, position: int) -> None:
        following = {"head": "results", "results": "ended"}.get(self._stage)
        if following is None:
            raise self.damaged(position, "an empty line where none can be")
        self._stage = following
