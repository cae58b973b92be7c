"""Whether two campaigns left the same results: by digests, which need no statistics."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from oppflow.errors import ResultFileError
from oppflow.manifest import Manifest
from oppflow.omnetpp.result_files import normalised_digest

_KINDS = (".sca", ".vec")

# Of the head of a run, what differs between equal simulations: entries that cannot change results.
_CONFIG = frozenset({"repeat", "constraint", "iteration-nesting-order", "extends", "abstract",
                     "description", "result-dir"})  # fmt: skip
_ATTRIBUTES = frozenset({"runnumber"})


Fetch = Callable[[Path, "list[str]"], None]
"""Has files of these names in a campaign's folder, as far as there are any."""

_AT_ONCE = 32


def all_here(folder: Path, names: list[str]) -> None:
    """A `Fetch` for results that are on this host."""


def same_files(
    before: Path, earlier: Manifest, now: Path, later: Manifest, *, fetch: Fetch = all_here
) -> bool:
    """Whether the good runs of both have the same scalar and vector files, by name and content.

    Files of one digest are not read; others are, without what is incidental, up to the first pair
    that differs. What cannot be read or has no such digest (SQLite) is not the same.
    """
    first, second = _files(earlier), _files(later)
    if first.keys() != second.keys():
        return False
    differing = [name for name in second if first[name] != second[name]]
    for start in range(0, len(differing), _AT_ONCE):
        names = differing[start : start + _AT_ONCE]
        for folder in (before, now):
            fetch(folder, names)
        if not all(_same(before / name, now / name) for name in names):
            return False
    return True


def _files(manifest: Manifest) -> dict[str, str]:
    return {
        file.name: file.sha256
        for _, record in manifest.runs
        if record.outcome.is_good
        for file in record.files
        if file.name.endswith(_KINDS)
    }


def _same(one: Path, other: Path) -> bool:
    try:
        digests = {
            normalised_digest(path, ignore_config=_CONFIG, ignore_attributes=_ATTRIBUTES)
            for path in (one, other)
        }
    except (ResultFileError, OSError):
        return False
    return len(digests) == 1
