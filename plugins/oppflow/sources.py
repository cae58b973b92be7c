"""Finding the source trees that a user names: a folder or an archive below an allowed root, or git.

A name is ``PLACE[#SUBDIR]``: the whole tree at PLACE travels, SUBDIR says where the ini file is.
"""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from oppflow.archive import Limits, unpack_file
from oppflow.errors import ParameterError
from oppflow.git import GitAddress, commit_of

_ARCHIVE = re.compile(r"\.(zip|tar|tgz|tar\.(gz|bz2|xz|zst))\Z", re.IGNORECASE)


@dataclass(frozen=True)
class SourceTree:
    """A source tree on this machine.

    ``path`` is its top, ``name`` the name of that folder at home, ``ini_dir`` the folder of the ini
    files below it. ``home`` is where the tree lies for good, or None for an archive or a clone.
    ``commit`` is git's, with ``+`` behind it when files differ from it; empty without git.
    ``fetch`` is the shell command that makes the folder ``name`` where there is no home.
    """

    path: Path
    name: str
    ini_dir: str
    origin: str
    home: Path | None
    commit: str
    fetch: str = ""


class SourceFinder:
    """Turns names into trees on this machine."""

    def __init__(self, roots: Sequence[Path], scratch: Path, limits: Limits) -> None:
        """``roots`` are the allowed ones, archives and clones are unpacked below ``scratch``."""
        self._roots = [root.resolve() for root in roots]
        self._scratch = scratch
        self._limits = limits

    def find(self, name: str) -> SourceTree:
        """The tree that a name means.

        Raises:
            ParameterError: there is no such tree, or it lies outside the allowed roots.
            ArchiveError: the archive is damaged or unsafe.
            InfrastructureError: git cannot reach the repository.
        """
        place, _, subdir = name.partition("#")
        if place.startswith("git+"):
            tree = self._clone(place)
        else:
            path = self._locate(place)
            tree = self._from_archive(path, subdir) if path.is_file() else self._from_folder(path)
        return _with_ini_dir(tree, subdir.strip("/"), name)

    def _locate(self, place: str) -> Path:
        candidates = [root / os.path.expanduser(place) for root in self._roots]  # noqa: PTH111
        path = next(filter(_is_there, candidates), None)
        where = ", ".join(map(str, self._roots))
        if path is None:
            raise ParameterError(
                f"There is no model at {place!r}.",
                hint=f"Give a folder or an archive below {where} (OPPFLOW_MODEL_ROOTS).",
            )
        real = path.resolve()
        if not any(real.is_relative_to(root) for root in self._roots):
            straight = Path(os.path.abspath(path))  # noqa: PTH100 -- without following links
            leaves = any(straight.is_relative_to(root) for root in self._roots)
            raise ParameterError(
                f"The model {place!r} {'is a link that leaves' if leaves else 'lies outside'} "
                "the folders that models may lie in.",
                hint=f"These are {where}. An admin can add one to OPPFLOW_MODEL_ROOTS.",
            )
        if path.is_file() and not _ARCHIVE.search(real.name):
            raise ParameterError(
                f"The model {place!r} is a file, and neither a .zip nor a .tar.* archive.",
                hint="Name the folder that the ini file is in.",
            )
        return real

    def _from_folder(self, path: Path) -> SourceTree:
        return SourceTree(path, path.name, "", str(path), path, commit_of(path))

    def _from_archive(self, path: Path, subdir: str) -> SourceTree:
        target = self._fresh("archive")
        unpack_file(path, target, limits=self._limits)
        entries = list(target.iterdir())
        unzips = path.suffix.lower() == ".zip"
        fetch = shlex.join(["unzip", "-q", str(path)] if unzips else ["tar", "-xf", str(path)])
        # Most archives hold one folder with everything in it: that folder is the tree, unless the
        # user has named a place that counts it.
        is_named = subdir and (target / subdir.strip("/")).is_dir()
        if len(entries) == 1 and entries[0].is_dir() and not is_named:
            return SourceTree(entries[0], entries[0].name, "", str(path), None, "", fetch)
        name = _ARCHIVE.sub("", path.name)
        into = shlex.quote(name)
        fetch = f"mkdir {into} && {fetch} {'-d' if unzips else '-C'} {into}"
        return SourceTree(target, name, "", str(path), None, "", fetch)

    def _clone(self, place: str) -> SourceTree:
        address = GitAddress.parse(place)
        if address.path:
            address = address.at(self._locate(address.path))
        target = self._fresh("clone")
        commit = address.clone(target)
        return SourceTree(
            target,
            address.name,
            "",
            address.shown,
            None,
            commit,
            address.command(commit.removesuffix("+")),
        )

    def _fresh(self, kind: str) -> Path:
        self._scratch.mkdir(parents=True, exist_ok=True)
        return self._scratch / f"{kind}-{len(list(self._scratch.iterdir()))}"


def _with_ini_dir(tree: SourceTree, subdir: str, name: str) -> SourceTree:
    folder = (tree.path / subdir).resolve()
    if not folder.is_relative_to(tree.path.resolve()):
        raise ParameterError(f"#{subdir} in {name!r} leaves the model's tree.")
    if not folder.is_dir():
        raise ParameterError(
            f"There is no folder {subdir!r} in the model {name.partition('#')[0]!r}.",
            hint="What stands behind # is the folder of the ini file, such as #simulations.",
        )
    inside = folder.relative_to(tree.path.resolve()).as_posix()
    return replace(tree, ini_dir="" if inside == "." else inside)


def _is_there(path: Path) -> bool:
    """Whether the path exists; one that cannot be a path, or be looked at, does not."""
    try:
        return path.exists()
    except OSError:
        return False


def places(trees: Sequence[SourceTree]) -> list[str]:
    """Where each tree goes below a common folder, so that their relative places stay as at home.

    Archives and clones have no home: they lie beside the others, under their own names.

    Raises:
        ParameterError: two trees would lie at the same place, or one within another.
    """
    homes = [tree.home for tree in trees if tree.home]
    common = Path(os.path.commonpath([home.parent for home in homes])) if homes else Path("/")
    found = [tree.home.relative_to(common).as_posix() if tree.home else tree.name for tree in trees]
    for index, place in enumerate(found):
        for other in found[index + 1 :]:
            if Path(place).is_relative_to(other) or Path(other).is_relative_to(place):
                raise ParameterError(
                    f"The source trees {place!r} and {other!r} would lie at the same place.",
                    hint="Name every tree once; a model within a project is named as the "
                    "project's folder with #SUBDIR.",
                )
    return found
