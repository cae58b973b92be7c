"""The ``.vec`` file of a run and its index, the ``.vci`` file.

Values are buffered per vector and written in blocks; the index says where each block is.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import IO

from oppflow.engine.expressions import evaluate
from oppflow.engine.resultfile import (
    FORMAT_VERSION,
    attribute_lines,
    header,
    line,
    number,
    open_file,
    remove_old,
    told_as_unwritable,
)
from oppflow.engine.runconfig import RunConfiguration
from oppflow.engine.simtime import Intervals, format_time
from oppflow.engine.values import to_double

DEFAULT_NAME = "${resultdir}/${configname}-${iterationvarsf}#${repetition}.vec"
BYTES_PER_VALUE = 32  # what OMNeT++ counts against vector-buffer
FINGERPRINT_WIDTH = 64  # the index starts with the vector file's size and time, filled in last


class VectorFile:
    """The vectors of a run; the files appear with the first vector.

    Raises:
        EngineError: An option is malformed, or the earlier file cannot be deleted.
    """

    def __init__(self, configuration: RunConfiguration) -> None:
        self.configuration = configuration
        self.name = configuration.file_name("output-vector-file", DEFAULT_NAME)
        self.precision = configuration.integer("output-vector-precision", "14")
        limit = configuration.quantity("output-vectors-memory-limit", "B", "16MiB")
        self._most_values = int(limit) // BYTES_PER_VALUE
        self._vectors: list[Vector] = []
        self._declared = 0
        self._file: IO[str] | None = None
        self._index: IO[str] | None = None
        self.buffered = 0
        remove_old(self.name, "old output vector file")

    def vector(self, path: str, name: str, attributes: Mapping[str, str]) -> Vector:
        """A new vector; it is declared in the file unless empty ones are not wanted there.

        Raises:
            EngineError: A setting is malformed, or the file cannot be written.
        """
        vector = Vector(self, path, name, dict(attributes))
        self._vectors.append(vector)
        if self.configuration.is_on(vector.full_path, "vector-record-empty"):
            vector.declare()
        return vector

    def declare(self, vector: Vector) -> int:
        """Write a vector's declaration into both files, and return its number."""
        file, index = self._open()
        columns = "ETV" if vector.has_event_numbers else "TV"
        text = line("vector", str(self._declared), vector.path, vector.name, columns)
        text += attribute_lines(vector.attributes)
        file.write(text)
        index.write(text)
        self._declared += 1
        return self._declared - 1

    def write_block(self, values: str, index: str) -> None:
        """Write a vector's values, and their line in the index; it is given the block's place."""
        file, index_file = self._open()
        start = file.tell()
        file.write(values)
        file.flush()  # an index must not point beyond what is there
        index_file.write(index.format(place=f"{start} {file.tell() - start}"))
        index_file.flush()

    def spill_if_full(self) -> None:
        """Write all blocks once they hold more than ``output-vectors-memory-limit`` together."""
        if 0 < self._most_values <= self.buffered:
            for vector in self._vectors:
                vector.write()

    def close(self) -> None:
        """Write what is buffered, and end both files if there are any.

        Raises:
            EngineError: They could not be written, because the disk is full for example.
        """
        if not self._file or not self._index:
            return
        with told_as_unwritable("output vector file", self.name):
            for vector in self._vectors:
                vector.write()
            self._file.write("\n")
            self._index.write("\n")
            self._file.close()
            status = Path(self.name).stat()
            self._index.seek(0)
            self._index.write(f"file {status.st_size} {int(status.st_mtime)}")
            self._index.close()
        self._file = self._index = None

    def _open(self) -> tuple[IO[str], IO[str]]:
        if not self._file or not self._index:
            self._file = open_file(self.name, "w", "output vector file")
            index_name = self.name.rpartition(".")[0] + ".vci"
            self._index = open_file(index_name, "w", "index file")
            self._index.write(" " * FINGERPRINT_WIDTH + "\n")
            start = f"version {FORMAT_VERSION}\n" + header(self.configuration)
            self._file.write(start)
            self._index.write(start)
        return self._file, self._index


class Vector:
    """Values over time, buffered until a block is full."""

    def __init__(self, file: VectorFile, path: str, name: str, attributes: dict[str, str]) -> None:
        configuration = file.configuration
        self.path = path
        self.name = name
        self.attributes = attributes
        self.full_path = f"{path}.{name}"
        self.is_enabled = configuration.is_on(self.full_path, "vector-recording")
        self.has_event_numbers = configuration.is_on(self.full_path, "vector-record-eventnumbers")
        intervals = configuration.setting(self.full_path, "vector-recording-intervals", "")
        self._intervals = Intervals(intervals) if intervals else None
        self._most_values = _buffer_size(configuration, self.full_path)
        self._file = file
        self._number = -1
        self._values: list[tuple[int, float, float]] = []

    def declare(self) -> None:
        """Write the declaration, unless it was written."""
        if self._number < 0:
            self._number = self._file.declare(self)

    def record(self, event: int, seconds: float, value: float) -> None:
        """Add a value, if the vector is recorded at that time."""
        if not self.is_enabled or (self._intervals and seconds not in self._intervals):
            return
        if self._number < 0:
            self.declare()
        self._values.append((event, seconds, value))
        self._file.buffered += 1
        if len(self._values) == self._most_values:
            self.write()
        else:
            self._file.spill_if_full()

    def write(self) -> None:
        """Write the buffered values as a block."""
        values = self._values
        if not values:
            return
        precision, number_ = self._file.precision, self._number
        if self.has_event_numbers:
            rows = [f"{number_}\t{e}\t{format_time(t)}\t{v:.{precision}g}\n" for e, t, v in values]
            events = f"{values[0][0]} {values[-1][0]} "
        else:
            rows = [f"{number_}\t{format_time(t)}\t{v:.{precision}g}\n" for _, t, v in values]
            events = ""
        times = f"{format_time(values[0][1])} {format_time(values[-1][1])}"
        summary = _summary([value for _, _, value in values], precision)
        index = f"{number_}\t{{place}} {events}{times} {summary}\n"
        self._file.write_block("".join(rows), index)
        self._file.buffered -= len(values)
        self._values = []


def _buffer_size(configuration: RunConfiguration, path: str) -> int:
    size = to_double(evaluate(configuration.setting(path, "vector-buffer", "1MiB")), "B")
    return int(size) // BYTES_PER_VALUE


def _summary(values: list[float], precision: int) -> str:
    squares = sum(value * value for value in values)
    numbers = (min(values), max(values), sum(values), squares)
    return " ".join([str(len(values)), *(number(each, precision) for each in numbers)])
