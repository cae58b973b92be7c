"""Vector files without a single row, as runs leave them that record no vectors: read as a whole.

Checking them line by line was a tenth of what the worker did for a short run.
"""

from __future__ import annotations

import re

from oppflow.omnetpp.whole_scalars import HEAD, compiled

LARGEST = 64 * 1024
"""Bytes up to which a file is looked at as a whole."""

_FIRST = re.compile(rb"file ([0-9]+) ([0-9]+) *\n")
_WHOLE = compiled(HEAD + rb"(?:vector ITEM ITEM ITEM ITEM *\nATTRIBUTES)*\n")


def second_without_rows(content: bytes, index: bytes) -> int | None:
    """The Unix time that an index names for a whole vector file without rows.

    The index then repeats the file after its own first line, as there are no blocks to tell of.
    None says nothing: the file may have rows, or be damaged.
    """
    first = _FIRST.match(index)
    if first is None or int(first[1]) != len(content) or index[first.end() :] != content:
        return None
    return int(first[2]) if _WHOLE.fullmatch(content) else None
