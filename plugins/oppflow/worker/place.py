"""A run's own place: where it works, and where its results are found afterwards.

The built trees are shared and read-only. A run sees them through a mirror: real directories along
the path to the ini file and below the ini file's directory, symbolic links for everything else, so
that ``../queueinglib`` resolves as it does at home while the run's own files stay its own.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path


class Place:
    """All paths of one run, or of several, one after the other."""

    def __init__(self, root: Path, ini_path: str) -> None:
        """``ini_path`` is that of the ini files' folder, below the trees' folder."""
        self.root = root
        self.ini_path = ini_path
        self._as_made: dict[str, tuple[object, ...]] = {}

    @property
    def trees(self) -> Path:
        """The mirror of the trees' folder."""
        return self.root / "trees"

    @property
    def working_dir(self) -> Path:
        """The ini file's directory, where the simulation is started."""
        return self.trees / self.ini_path

    @property
    def result_dir(self) -> Path:
        """What ``--result-dir`` says."""
        return self.root / "results"

    @property
    def output_file(self) -> Path:
        """What the simulation printed."""
        return self.root / "output"

    @property
    def home(self) -> Path:
        """A home directory for programs that want one."""
        return self.root / "home"

    @property
    def temporary(self) -> Path:
        """What ``TMPDIR`` says."""
        return self.root / "tmp"

    def make(self, trees: Path, ini_files: tuple[str, ...], included: Iterable[str] = ()) -> None:
        """Mirror ``trees``; ini files are copied, since an editor or a model may rewrite them.

        Folders of ``included`` ini files become real ones as well: OMNeT++ looks for a network in
        the package of the folder that names it, and takes the paths of folders without links.
        """
        for folder in (self.result_dir, self.home, self.temporary):
            folder.mkdir(parents=True)
        self._mirror_along(trees, self.trees, Path(self.ini_path).parts)
        for path in included:
            _make_real(trees, self.trees, Path(path).parts[:-1])
        for name in ini_files:
            copy = self.working_dir / name
            if copy.is_symlink():
                source = copy.resolve()
                copy.unlink()
                shutil.copyfile(source, copy)
        self._as_made = self._state()

    def _mirror_along(self, source: Path, target: Path, path: tuple[str, ...]) -> None:
        if not path:
            _mirror_all(source, target)
            return
        target.mkdir()
        for entry in os.scandir(source):
            if entry.name != path[0]:
                (target / entry.name).symlink_to(entry.path)
        self._mirror_along(source / path[0], target / path[0], path[1:])

    def new_files(self) -> Iterator[tuple[str, Path]]:
        """The regular files that the run made, as (path below the place's part, file).

        Files of the result directory come under their path there; those made elsewhere in the
        mirror come under ``../`` plus their path below the ini file's directory or the trees.
        """
        for file in _regular_files(self.result_dir):
            yield file.relative_to(self.result_dir).as_posix(), file
        if self._state() == self._as_made:
            return
        for file in _regular_files(self.trees):
            yield "../" + os.path.relpath(file, self.working_dir), file

    def clear(self) -> bool:
        """Make the place ready for another run; false if that cannot be, as a run changed more.

        A mirror takes longer to make than a short run takes: it serves the next run if nothing in
        it was added, removed or replaced.
        """
        if self._state() != self._as_made:
            return False
        for folder in (self.result_dir, self.home, self.temporary):
            _empty(folder)
        return True

    def _state(self) -> dict[str, tuple[object, ...]]:
        """What tells whether the mirror was changed: its folders' entries and times, its files'."""
        state: dict[str, tuple[object, ...]] = {}
        folders = [str(self.trees)]
        while folders:
            folder = folders.pop()
            state[folder] = ()
            names = []
            # What a run made unreadable differs from what was made, and that is all that counts.
            with contextlib.suppress(OSError), os.scandir(folder) as entries:
                for entry in entries:
                    names.append(entry.name)
                    if entry.is_dir(follow_symlinks=False):
                        folders.append(entry.path)
                    elif not entry.is_symlink():
                        status = entry.stat(follow_symlinks=False)
                        state[entry.path] = (status.st_ino, status.st_size, status.st_mtime_ns)
                state[folder] = (os.stat(folder).st_mtime_ns, *sorted(names))  # noqa: PTH116
        return state

    def remove(self) -> None:
        """Remove the place and everything in it."""
        shutil.rmtree(self.root, ignore_errors=True)


def _empty(folder: Path) -> None:
    for entry in os.scandir(folder):
        if entry.is_dir(follow_symlinks=False):
            shutil.rmtree(entry.path)
        else:
            os.unlink(entry.path)  # noqa: PTH108


def _mirror_all(source: Path, target: Path) -> None:
    target.mkdir()
    for entry in os.scandir(source):
        if entry.is_dir(follow_symlinks=False):
            _mirror_all(Path(entry.path), target / entry.name)
        elif entry.is_symlink():
            (target / entry.name).symlink_to(Path(entry.path).readlink())
        else:
            (target / entry.name).symlink_to(entry.path)


def _make_real(source: Path, target: Path, path: tuple[str, ...]) -> None:
    """Turn links along ``path`` into folders of links."""
    for name in path:
        source, target = source / name, target / name
        if target.is_symlink():
            target.unlink()
            target.mkdir()
            for entry in os.scandir(source):
                (target / entry.name).symlink_to(entry.path)


def _regular_files(folder: Path) -> Iterator[Path]:
    for directory, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted(names):
            path = Path(directory, name)
            if path.is_file() and not path.is_symlink():
                yield path
