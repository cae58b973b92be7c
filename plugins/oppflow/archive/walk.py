"""Walk a tree and note what of it may be source, folder by folder."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from oppflow.archive import rules
from oppflow.archive.git import tracked_files
from oppflow.errors import ArchiveError, InfrastructureError, OppflowError


@dataclass(frozen=True)
class _Folder:
    path: str
    in_work_tree: bool
    only_tracked: bool


@dataclass
class Walk:
    """What a walk found: the status of files and the targets of links, by path.

    ``tracked`` are paths that git tracks. ``outputs`` are the ``out`` folders that a build left,
    and ``built`` the names of all files in them.
    """

    root: Path
    files: dict[str, os.stat_result] = field(default_factory=dict)
    links: dict[str, str] = field(default_factory=dict)
    tracked: set[str] = field(default_factory=set)
    built: set[str] = field(default_factory=set)
    outputs: set[str] = field(default_factory=set)
    _tracked_folders: set[str] = field(default_factory=set)

    def run(self) -> None:
        """Walk the tree.

        Raises:
            ArchiveError: Something in it is neither file, link nor folder, or cannot be read.
        """
        todo = [_Folder("", in_work_tree=False, only_tracked=False)]
        while todo:
            todo.extend(self._visit(todo.pop()))

    def _visit(self, folder: _Folder) -> Iterator[_Folder]:
        children = _children(self.root / folder.path)
        names = {child.name for child in children}
        in_work_tree = folder.in_work_tree
        if not folder.path or ".git" in names:
            in_work_tree = self._ask_git(folder.path) or in_work_tree
        beside_ini = not folder.path or any(name.lower().endswith(".ini") for name in names)
        for child in children:
            path = f"{folder.path}/{child.name}".lstrip("/")
            if child.name in rules.VCS:
                continue
            if child.is_dir(follow_symlinks=False):
                left = self._left_behind(path, beside_ini=beside_ini)
                only_tracked = folder.only_tracked or left
                if not only_tracked or path in self._tracked_folders:
                    yield _Folder(path, in_work_tree, only_tracked)
                continue
            untracked = not folder.only_tracked and not rules.is_left_over(
                child.name, names, in_work_tree=in_work_tree
            )
            if untracked or path in self.tracked:
                self._note(child, path)

    def _ask_git(self, folder: str) -> bool:
        listed = tracked_files(self.root / folder)
        for name in listed:
            path = f"{folder}/{name}".lstrip("/")
            self.tracked.add(path)
            self._tracked_folders.update(str(parent) for parent in PurePosixPath(path).parents)
        return bool(listed)

    def _left_behind(self, path: str, *, beside_ini: bool) -> bool:
        name = path.rpartition("/")[2]
        if name == rules.BUILD_OUTPUT and beside_ini:
            self.outputs.add(path)
            for _, _, names in os.walk(self.root / path):
                self.built.update(names)
        return name in rules.CACHES or (beside_ini and name in rules.OUTPUTS)

    def _note(self, child: os.DirEntry[str], path: str) -> None:
        try:
            status = child.stat(follow_symlinks=False)
            if stat.S_ISLNK(status.st_mode):
                self.links[path] = str(Path(child.path).readlink())
                return
        except OSError as error:
            raise unreadable(Path(child.path), error) from error
        if not stat.S_ISREG(status.st_mode):
            raise ArchiveError(
                f"{child.path} is {_kind(status.st_mode)}: only files, folders and symbolic "
                "links can be packed.",
                hint="Remove it, or move it out of the tree.",
            )
        self.files[path] = status


def _children(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as children:
            return list(children)
    except OSError as error:
        raise unreadable(folder, error) from error


def unreadable(path: Path, error: OSError) -> OppflowError:
    """The error for what cannot be read at ``path``, which was there when its folder was listed."""
    if error.errno == errno.ENOENT:
        return changed(path, "it is gone")
    if error.errno in (errno.ELOOP, errno.ENOTDIR, errno.ENXIO):
        return changed(path, "something else took its place")
    return ArchiveError(
        f"{path} cannot be read: {error.strerror}.",
        hint="Give the user that Airflow runs as permission to read it, or move it elsewhere.",
    )


def changed(path: Path, how: str) -> InfrastructureError:
    """The error for what somebody changed during the walk or the packing."""
    return InfrastructureError(
        f"{path} changed while it was being packed: {how}.",
        hint="Leave the tree alone until the task pack_model is done; it is tried again.",
    )


def _kind(mode: int) -> str:
    kinds = {stat.S_IFIFO: "a named pipe", stat.S_IFSOCK: "a socket"}
    return kinds.get(stat.S_IFMT(mode), "a device")
