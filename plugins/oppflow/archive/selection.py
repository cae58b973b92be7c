"""Choose what of a tree is packed: see `oppflow.archive.rules`."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from pathlib import Path

from oppflow.archive import rules
from oppflow.archive.entries import EntryKind, Limits
from oppflow.archive.links import resolve
from oppflow.archive.walk import Walk
from oppflow.errors import ArchiveError, ParameterError


@dataclass(frozen=True)
class Selected:
    """A file or link that is to be packed; ``target`` is a link's."""

    path: str
    kind: EntryKind
    target: str = ""


def select(root: Path, limits: Limits) -> list[Selected]:
    """What of the tree at ``root`` is packed, sorted by path.

    Raises:
        ParameterError: There is no such folder, or what is to be packed exceeds ``limits``.
        ArchiveError: A link leaves the tree, something in it is neither file, link nor folder, or
            cannot be read.
    """
    if not root.is_dir():
        raise ParameterError(
            f"{root} is no folder.", hint="Name the folder that holds the model's sources."
        )
    walk = Walk(root)
    walk.run()
    files = [path for path in walk.files if not _is_built_file(walk, path)]
    links = [path for path in walk.links if not _is_built_link(walk, path)]
    _refuse_leaving(walk, links)
    _refuse_excess(
        root, sum(walk.files[path].st_size for path in files), len(files + links), limits
    )
    selected = [Selected(path, EntryKind.FILE) for path in files]
    selected += [Selected(path, EntryKind.LINK, walk.links[path]) for path in links]
    return sorted(selected, key=lambda entry: os.fsencode(entry.path))


def _is_built_file(walk: Walk, path: str) -> bool:
    name = path.rpartition("/")[2]
    if path in walk.tracked or name not in walk.built:
        return False
    executable = bool(walk.files[path].st_mode & stat.S_IXUSR)
    return rules.may_be_built(name, executable=executable)


def _is_built_link(walk: Walk, path: str) -> bool:
    if path in walk.tracked:
        return False
    end = resolve(path, walk.links[path], walk.links)
    if end is not None and any(f"{end}/".startswith(f"{output}/") for output in walk.outputs):
        return True
    name = path.rpartition("/")[2]
    return name in walk.built and rules.may_be_built(name, executable=True)


def _refuse_leaving(walk: Walk, links: list[str]) -> None:
    for path in sorted(links):
        if resolve(path, walk.links[path], walk.links) is None:
            raise ArchiveError(
                f"The link {walk.root / path} -> {walk.links[path]} leaves the tree {walk.root}, "
                "so it would lead nowhere where the simulation runs.",
                hint="Make it a relative link to a place inside the tree, replace it by what it "
                "points to, or give the folder that holds both (model: FOLDER#SUBDIR).",
            )


def _refuse_excess(root: Path, size: int, count: int, limits: Limits) -> None:
    if count > limits.max_files or size > limits.max_bytes:
        raise ParameterError(
            f"{root} holds {count} files of {size} bytes together: {limits.max_files} files and "
            f"{limits.max_bytes} bytes are allowed.",
            hint="Name the model's own folder, move data that no simulation reads out of it, or "
            "raise the limit.",
        )
