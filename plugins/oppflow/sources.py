"""Finding the source trees that a user names: a folder or an archive below an allowed root, or git.

A name is ``PLACE[#SUBDIR]``: the whole tree at PLACE travels, SUBDIR says where the ini file is.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from oppflow.archive import Limits, unpack_file
from oppflow.errors import InfrastructureError, ParameterError

_ARCHIVE = re.compile(r"\.(zip|tar|tgz|tar\.(gz|bz2|xz|zst))\Z", re.IGNORECASE)
_GIT = re.compile(r"git\+(?P<url>.+?)(?:@(?P<ref>[^@/:]+(?:/[^@:]+)*))?\Z")
_GIT_SCHEMES = ("https://", "http://", "ssh://", "git://", "file://")


@dataclass(frozen=True)
class SourceTree:
    """A source tree on this machine.

    ``path`` is its top, ``name`` the name of that folder at home, ``ini_dir`` the folder of the ini
    files below it. ``home`` is where the tree lies for good, or None for an archive or a clone.
    ``commit`` is git's, with ``+`` behind it when files differ from it; empty without git.
    """

    path: Path
    name: str
    ini_dir: str
    origin: str
    home: Path | None
    commit: str


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
            tree = self._from_archive(path) if path.is_file() else self._from_folder(path)
        return _with_ini_dir(tree, subdir.strip("/"), name)

    def _locate(self, place: str) -> Path:
        candidates = [root / Path(place).expanduser() for root in self._roots]
        path = next((path for path in candidates if path.exists()), None)
        where = ", ".join(map(str, self._roots))
        if path is None:
            raise ParameterError(
                f"There is no model at {place!r}.",
                hint=f"Give a folder or an archive below {where} (OPPFLOW_MODEL_ROOTS).",
            )
        real = path.resolve()
        if not any(real.is_relative_to(root) for root in self._roots):
            why = "is a link that leaves" if path.is_symlink() or path != real else "lies outside"
            raise ParameterError(
                f"The model {place!r} {why} the folders that models may lie in.",
                hint=f"These are {where}. An admin can add one to OPPFLOW_MODEL_ROOTS.",
            )
        if path.is_file() and not _ARCHIVE.search(real.name):
            raise ParameterError(
                f"The model {place!r} is a file, and neither a .zip nor a .tar.* archive.",
                hint="Name the folder that the ini file is in.",
            )
        return real

    def _from_folder(self, path: Path) -> SourceTree:
        return SourceTree(path, path.name, "", str(path), path, _commit_of(path))

    def _from_archive(self, path: Path) -> SourceTree:
        target = self._fresh("archive")
        unpack_file(path, target, limits=self._limits)
        entries = list(target.iterdir())
        # Most archives hold one folder with everything in it: that folder is the tree.
        top = entries[0] if len(entries) == 1 and entries[0].is_dir() else target
        name = top.name if top != target else _ARCHIVE.sub("", path.name)
        return SourceTree(top, name, "", str(path), None, "")

    def _clone(self, place: str) -> SourceTree:
        match = _GIT.match(place)
        url, ref = (match["url"], match["ref"] or "HEAD") if match else ("", "")
        if not url.startswith(_GIT_SCHEMES) and not re.match(r"[\w.-]+@[\w.-]+:", url):
            raise ParameterError(
                f"{place!r} is no git address.",
                hint="Write git+https://HOST/PATH.git@BRANCH, with a tag or a commit in place of "
                "BRANCH if you like.",
            )
        if url.startswith("file://"):
            self._locate(url.removeprefix("file://"))
        target = self._fresh("clone")
        target.mkdir(parents=True)
        shown = re.sub(r"//[^/@]*@", "//", url)
        self._git(target, shown, "init", "--quiet")
        self._git(target, shown, "fetch", "--quiet", "--depth", "1", "--", url, ref)
        self._git(target, shown, "checkout", "--quiet", "--detach", "FETCH_HEAD")
        name = re.sub(r"\.git\Z", "", url.rstrip("/").rsplit("/", 1)[-1])
        return SourceTree(target, name, "", f"git+{shown}@{ref}", None, _commit_of(target))

    def _git(self, folder: Path, shown: str, *arguments: str) -> None:
        if shutil.which("git") is None:
            raise InfrastructureError("git is not installed here.", hint="Install git.")
        environment = {**os.environ, "GIT_TERMINAL_PROMPT": "0"}
        done = subprocess.run(
            ["git", "-C", str(folder), "-c", "protocol.ext.allow=never", *arguments],
            env=environment, capture_output=True, text=True, errors="replace", check=False,
        )  # fmt: skip
        if done.returncode == 0:
            return
        said = done.stderr.strip().splitlines()[-1:] or ["no message"]
        missing = re.search(r"couldn't find remote ref|not our ref|not a valid", done.stderr)
        error = ParameterError if missing else InfrastructureError
        raise error(
            f"git cannot fetch {shown}: {said[0]}",
            hint="Check the address, the branch, tag or commit, and that this machine may read it.",
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
    return SourceTree(tree.path, tree.name, subdir, tree.origin, tree.home, tree.commit)


def _commit_of(path: Path) -> str:
    """The commit that is checked out, ``+`` behind it when files differ, or nothing."""
    if shutil.which("git") is None:
        return ""

    def git(*arguments: str) -> str:
        done = subprocess.run(
            ["git", "-C", str(path), *arguments], capture_output=True, text=True, check=False
        )
        return done.stdout.strip() if done.returncode == 0 else ""

    commit = git("rev-parse", "HEAD")
    return f"{commit}+" if commit and git("status", "--porcelain", "--", ".") else commit


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
