"""What the files of an OMNeT++ source tree say about it: NED folders, exclusions, projects, build.

The formats are those of the OMNeT++ IDE: ``.nedfolders`` and ``.nedexclusions`` are lists, a line
each (``opp_featuretool`` reads them alike); ``.project`` and ``.oppbuildspec`` are small XML files.
"""

from __future__ import annotations

import html
import re
import shlex
from dataclasses import dataclass
from pathlib import Path

MAKEFILES = ("GNUmakefile", "makefile", "Makefile")  # in the order in which make looks for them
SOURCE_SUFFIXES = frozenset({".cc", ".cpp", ".cxx", ".msg", ".sm"})

_PROJECTS = re.compile(r"<projects>(.*?)</projects>", re.DOTALL)
_PROJECT = re.compile(r"<project>\s*([^<]+?)\s*</project>")
_NAME = re.compile(r"<name>\s*([^<]+?)\s*</name>")
_DIR = re.compile(r"<dir\s([^>]*)>")
_ATTRIBUTE = re.compile(r'([\w-]+)\s*=\s*"([^"]*)"')


@dataclass(frozen=True)
class BuildFolder:
    """An entry of ``.oppbuildspec``: a folder, ``makemake`` or ``custom``, and its options."""

    path: str
    kind: str
    options: tuple[str, ...]


def declared_ned_folders(tree: Path) -> tuple[str, ...]:
    """The folders of ``.nedfolders``, relative to the tree; none without that file."""
    lines = _lines(tree / ".nedfolders")
    return tuple(line for line in lines if not line.startswith("-"))


def ned_exclusions(tree: Path) -> tuple[str, ...]:
    """The packages that are not to be loaded; OMNeT++ 4 kept them in ``.nedfolders``."""
    earlier = [line[1:] for line in _lines(tree / ".nedfolders") if line.startswith("-")]
    return tuple(dict.fromkeys([*_lines(tree / ".nedexclusions"), *filter(None, earlier)]))


def project_names(tree: Path) -> tuple[str, ...]:
    """What the tree may be called by others: its name as a project, and its folder's."""
    own = _NAME.search(_text(tree / ".project"))
    return tuple(dict.fromkeys([*([html.unescape(own[1])] if own else []), tree.name]))


def referenced_projects(tree: Path) -> tuple[str, ...]:
    """The projects that the tree's ``.project`` names as needed by it."""
    match = _PROJECTS.search(_text(tree / ".project"))
    return tuple(html.unescape(name) for name in _PROJECT.findall(match[1])) if match else ()


def build_folders(tree: Path) -> tuple[BuildFolder, ...]:
    """The entries of ``.oppbuildspec`` whose folders are there; none without that file."""
    found = []
    for entry in _DIR.findall(_text(tree / ".oppbuildspec")):
        values = {key: html.unescape(value) for key, value in _ATTRIBUTE.findall(entry)}
        path, kind = values.get("path", ""), values.get("type", "makemake")
        if kind in ("makemake", "custom") and path and (tree / path).is_dir():
            options = tuple(shlex.split(values.get("makemake-options", "")))
            found.append(BuildFolder(path.strip("/") or ".", kind, options))
    return tuple(found)


def makefile(folder: Path) -> Path | None:
    """The makefile that ``make`` takes there."""
    return next((folder / name for name in MAKEFILES if (folder / name).is_file()), None)


def has_target(file: Path, target: str) -> bool:
    """Whether a makefile has a rule of its own for a target."""
    return re.search(rf"^{re.escape(target)}\s*:(?!=)", _text(file), re.MULTILINE) is not None


def has_sources(folder: Path) -> bool:
    """Whether there is something to compile in the folder or below it."""
    return any(path.suffix in SOURCE_SUFFIXES and path.is_file() for path in folder.rglob("*"))


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def _lines(path: Path) -> list[str]:
    return [line.strip() for line in _text(path).splitlines() if line.strip()]
