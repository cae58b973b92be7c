"""The lines of OMNeT++ result files: read strictly, split, and a bad one told with its place.

The format is that of the OMNeT++ manual's appendix "Result File Formats"; how it is written and
tokenised is in OMNeT++'s ``omnetppscalarfilewriter.cc`` and ``linetokenizer.cc``. The three kinds
(``.sca``, ``.vec``, ``.vci``) share it: lines of items separated by blanks and tabs, items with
blanks in double quotes, a ``run`` header that an empty line ends, results, and an empty line when
the run ended. That last line is what tells a whole file from one that was cut at a line's end.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from oppflow.errors import ResultFileError

SQLITE_MAGIC = b"SQLite format 3\0"
VERSIONS = (b"2", b"3")
# The longest line that a sane file holds; a longer one is a damaged file, not a reason to swap.
LONGEST_LINE = 64 * 1024 * 1024

_TOKEN = re.compile(rb'[ \t]*(?:"((?:[^"\\]|\\.)*)"|([^ \t"]+))(?=[ \t]|$)', re.DOTALL)
_ESCAPE = re.compile(rb"\\(x[0-9A-Fa-f]{1,2}|.)", re.DOTALL)
_CONTROL = {b"b": b"\b", b"f": b"\f", b"n": b"\n", b"r": b"\r", b"t": b"\t"}
_HINT = "simulate the run again; if it happens again, look for a full disk or a killed simulation"


def damaged(path: Path, line: int | None, why: str) -> ResultFileError:
    """Return the error of this file to raise; ``line`` counts from 1, None for the whole file."""
    where = f"{path.name}, line {line}" if line else path.name
    return ResultFileError(f"The result file {where}: {why}.", hint=_HINT)


def numbered_lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """Yield the number and the content of every line, without its end; the last must have one.

    Raises:
        ResultFileError: for a missing or empty file, a NUL byte, or a last line that was cut.
    """
    number = 0
    try:
        with path.open("rb") as file:
            while line := file.readline(LONGEST_LINE):
                number += 1
                if not line.endswith(b"\n"):
                    raise damaged(path, number, "the file was cut in the middle of this line")
                if b"\0" in line:
                    raise damaged(
                        path, number, "it holds a NUL byte, as after a crash of the machine"
                    )
                yield number, line.rstrip(b"\r\n")
    except OSError as error:
        raise damaged(path, None, f"it cannot be read ({error.strerror})") from error
    if number == 0:
        raise damaged(path, None, "it is empty")


def split_line(line: bytes) -> list[bytes] | None:
    r"""Split a line into its items, quotes removed and escapes resolved; None if a quote is open.

    The escapes are those of OMNeT++'s ``opp_quotestr``: ``\b \f \n \r \t \" \\`` and ``\xHH``.
    """
    if b'"' not in line:
        return line.split()
    items: list[bytes] = []
    position, end = 0, len(line.rstrip(b" \t"))
    while position < end:
        match = _TOKEN.match(line, position, end)
        if match is None:
            return None
        quoted, bare = match.groups()
        items.append(bare if quoted is None else _ESCAPE.sub(_unescape, quoted))
        position = match.end()
    return items


def _unescape(match: re.Match[bytes]) -> bytes:
    escape: bytes = match[1]
    if len(escape) > 1:
        return bytes([int(escape[1:], 16)])
    return _CONTROL.get(escape, escape)


def text(item: bytes) -> str:
    """Return an item as text; bytes that are not UTF-8 become replacement characters."""
    return item.decode("utf-8", errors="replace")


def number(item: bytes) -> float | None:
    """Return an item as a float, ``nan`` and ``inf`` as C prints them; None if it is none."""
    if b"_" in item:  # float() would take Python's digit separators
        return None
    try:
        return float(item)
    except ValueError:
        return None


def is_sqlite(path: Path) -> bool:
    """Tell whether the file is an SQLite data base, OMNeT++'s other result format.

    Raises:
        ResultFileError: if the file cannot be read.
    """
    try:
        with path.open("rb") as file:
            return file.read(len(SQLITE_MAGIC)) == SQLITE_MAGIC
    except OSError as error:
        raise damaged(path, None, f"it cannot be read ({error.strerror})") from error
