"""Which folders are roots of NED packages: OMNeT++ refuses files whose package does not fit.

The rule is that of OMNeT++'s ``nedresourcecache.cc``: a root's package is what its ``package.ned``
declares, or none; a folder below it adds its name.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from oppflow.omnetpp.layout import declared_ned_folders

_COMMENT = re.compile(r"//.*")
_PACKAGE = re.compile(r"^\s*package\s+([\w.]+)\s*;", re.MULTILINE)


@dataclass(frozen=True)
class Misfit:
    """A NED file (relative to the tree) whose package is not what its place below ``root`` asks."""

    file: str
    root: str
    declared: str
    expected: str


def ned_folders(tree: Path) -> tuple[str, ...]:
    """The roots: ``.nedfolders``, else the tree itself.

    Where the tree's own files do not fit that, it is the folders right below it, if they do: that
    is how ``src`` and ``simulations`` are used without a ``.nedfolders``.
    """
    declared = declared_ned_folders(tree)
    if declared:
        return declared
    if next(misfits(tree, "."), None) is None:
        return (".",)
    below = [
        folder.name
        for folder in sorted(tree.iterdir())
        if folder.is_dir() and next(_ned_files(folder), None) is not None
    ]
    here = any(tree.glob("*.ned"))
    fit = not here and all(next(misfits(tree, name), None) is None for name in below)
    return tuple(below) if fit else (".",)


def misfits(tree: Path, root: str, excluded: Collection[str] = ()) -> Iterator[Misfit]:
    """The files below a root that OMNeT++ would refuse; ``excluded`` packages are not loaded."""
    top = tree / root
    start = _declared(top / "package.ned")
    for file in _ned_files(top):
        folders = file.parent.relative_to(top).parts
        expected = ".".join([*([start] if start else []), *folders])
        if _is_excluded(start, folders, excluded):
            continue
        declared = _declared(file)
        if declared != expected:
            yield Misfit(file.relative_to(tree).as_posix(), root, declared, expected)


def _is_excluded(start: str, folders: tuple[str, ...], excluded: Collection[str]) -> bool:
    steps = [*([start] if start else []), *folders]
    return any(".".join(steps[:length]) in excluded for length in range(1, len(steps) + 1))


def _ned_files(folder: Path) -> Iterator[Path]:
    """As OMNeT++ finds them: nothing whose name begins with a dot."""
    for file in sorted(folder.rglob("*.ned")):
        inner = file.relative_to(folder).parts
        if file.is_file() and not any(part.startswith(".") for part in inner):
            yield file


def _declared(file: Path) -> str:
    try:
        text = file.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    match = _PACKAGE.search(_COMMENT.sub("", text))
    return match[1] if match else ""
