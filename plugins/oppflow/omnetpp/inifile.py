"""What must be known of ini files without asking OMNeT++: which other ones they include."""

from __future__ import annotations

import re
from pathlib import Path

from oppflow.errors import ParameterError

_INCLUDE = re.compile(r"^include\s+(.+?)\s*(?:#.*)?$", re.MULTILINE)


def read_with_includes(tree: Path, ini_dir: str, names: tuple[str, ...]) -> dict[str, str]:
    """The text of the ini files and of all that they include, by their path in the tree.

    An ``include`` is relative to the file that has it. Files outside the tree are refused: they
    would not travel.

    Raises:
        ParameterError: a file is missing, or lies outside the tree.
    """
    found: dict[str, str] = {}
    waiting = [(Path(ini_dir, name), "ini_files") for name in names]
    while waiting:
        path, wanted_by = waiting.pop()
        place = tree / path
        if not place.is_file():
            raise ParameterError(
                f"There is no ini file {path.as_posix()} in the model (named by {wanted_by}).",
                hint=_what_is_there(tree, ini_dir),
            )
        inside = place.resolve()
        if not inside.is_relative_to(tree.resolve()):
            raise ParameterError(f"The ini file {path.as_posix()} lies outside the model's tree.")
        name = inside.relative_to(tree.resolve()).as_posix()
        if name in found:
            continue
        found[name] = inside.read_text(encoding="utf-8", errors="replace")
        waiting += [(path.parent / other, name) for other in _INCLUDE.findall(found[name])]
    return found


def _what_is_there(tree: Path, ini_dir: str) -> str:
    here = sorted(path.name for path in (tree / ini_dir).glob("*.ini"))
    if here:
        return f"Ini files there: {', '.join(here)}. Name them in ini_files."
    below = sorted(path.parent.relative_to(tree).as_posix() for path in tree.rglob("*.ini"))[:8]
    if below:
        folders = ", ".join(f"#{folder}" for folder in dict.fromkeys(below))
        return f"There are ini files in other folders of the model: say which, with {folders}."
    return "A model is a folder with an omnetpp.ini in it, or below it (MODEL#SUBDIR)."
