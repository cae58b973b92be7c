r"""Scalar files as OMNeT++ writes nearly all of them, read as a whole.

Checking such a file line by line takes a third of the time that the simulation took which wrote it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from oppflow.omnetpp.result_items import HeaderBuilder, Scalar, ScalarItem, Statistic
from oppflow.omnetpp.result_lines import split_line, text

LARGEST = 16 * 1024 * 1024
"""Bytes up to which a file is looked at as a whole."""

_PARTS = {
    b"ATTRIBUTES": rb"(?:attr ITEM ITEM\n)*",
    b"ITEM": rb'(?:[^\s"\0]+|"[^"\\\n\0]*(?:\\[^\n\0][^"\\\n\0]*)*")',
    b"NUMBER": rb"[-+]?(?:[0-9]+(?:\.[0-9]*)?(?:e[-+]?[0-9]+)?|inf|nan)",
}


def compiled(pattern: bytes) -> re.Pattern[bytes]:
    """A pattern of a result file's lines, in which ITEM, NUMBER and ATTRIBUTES stand for theirs."""
    for name, part in _PARTS.items():
        pattern = pattern.replace(name, part)
    return re.compile(pattern, re.MULTILINE)


HEAD = rb"version [23]\nrun ITEM\n(?:(?:attr|itervar|config|param) ITEM ITEM\n)*\n"
"""What all kinds of result files begin with, up to the empty line."""

_HEAD = compiled(HEAD)
# A few at a time: for each that it repeats, the matcher remembers how to go back.
_RESULTS = compiled(
    rb"(?:scalar ITEM ITEM NUMBER *\nATTRIBUTES"
    rb"|par ITEM ITEM ITEM\nATTRIBUTES"
    rb"|statistic ITEM ITEM *\nfield count NUMBER\n(?:field ITEM NUMBER\n)*ATTRIBUTES"
    rb"(?:bin[ \t]NUMBER[ \t]NUMBER\n)*"
    rb"){1,500}"
)
_BINS = compiled(rb"(?:bin[ \t]NUMBER[ \t]NUMBER\n)+")
_RESULT = compiled(
    rb"^(?:scalar (?P<scalar>ITEM ITEM) (?P<value>NUMBER) *\n"
    rb"|statistic (?P<statistic>ITEM ITEM) *\n(?P<fields>(?:field ITEM NUMBER\n)+))"
    rb"(?P<attributes>ATTRIBUTES)"
)
_UNIT = compiled(rb"^attr unit ITEM\n")


def is_whole(content: bytes) -> bool:
    """Whether this is a scalar file of one run, from its first line to the empty one at its end.

    False says nothing: the file may be unusual.
    """
    part = _HEAD.match(content)
    end = 0
    while part is not None:
        end = part.end()
        part = _RESULTS.match(content, end)
    return content[end:] == b"\n" and all(_ascend(bins[0]) for bins in _BINS.finditer(content))


def items_of(content: bytes) -> Iterator[ScalarItem]:
    """The head, then the scalars and statistics of a file that `is_whole`."""
    head, _, results = content.partition(b"\n\n")
    _, run, *lines = head.split(b"\n")
    header = HeaderBuilder(text(_items(run)[1]))
    for line in lines:
        header.add(_items(line))
    yield header.build()
    for result in _RESULT.finditer(results):
        module, name = map(text, _items(result["scalar"] or result["statistic"]))
        unit = _unit(result["attributes"])
        if result["scalar"]:
            yield Scalar(module, name, float(result["value"]), unit)
        else:
            fields = map(_items, result["fields"].splitlines())
            yield Statistic(module, name, {text(key): float(v) for _, key, v in fields}, unit)


def _items(line: bytes) -> list[bytes]:
    return split_line(line) or []


def _unit(attributes: bytes) -> str:
    found = _UNIT.search(attributes) if attributes else None
    return text(_items(found[0])[2]) if found else ""


def _ascend(bins: bytes) -> bool:
    edges = [float(line.split()[1]) for line in bins.splitlines()]
    return all(edges[i] <= edges[i + 1] for i in range(len(edges) - 1))
