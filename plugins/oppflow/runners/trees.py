"""The trees that this host's workers share: unpacked once, read-only, by what is in them."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import shutil
import stat
import time
import uuid
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from oppflow.archive import Limits, unpack
from oppflow.runners.interface import OpenArchive, TreeParts

_UNUSED_DAYS = 14
_ABANDONED_HOURS = 24


class TreeCache:
    """A folder of unpacked trees; one that is there is whole."""

    def __init__(self, root: Path, open_archive: OpenArchive, limits: Limits) -> None:
        self._root = root
        self._open = open_archive
        self._limits = limits

    @contextlib.contextmanager
    def provide(self, trees: Sequence[TreeParts]) -> Iterator[Path]:
        """The folder with all the trees at their places; made if it is not there yet.

        It stays for as long as the context lasts.

        Raises:
            ArchiveMissingError, ArchiveError, StoreError: see `oppflow.store` and `unpack`.
            OSError: the disk is full.
        """
        name = hashlib.sha256(repr(sorted(map(repr, trees))).encode()).hexdigest()[:32]
        folder = self._root / name
        while (used := _open_shared(folder)) is None:
            self._make(trees, folder)
        try:
            os.utime(folder)
            yield folder
        finally:
            os.close(used)

    def _make(self, trees: Sequence[TreeParts], folder: Path) -> None:
        self._root.mkdir(parents=True, exist_ok=True)
        self.prune()
        aside = self._root / f".{folder.name}.{uuid.uuid4().hex}"
        try:
            for tree in trees:
                self._lay_out(tree, aside)
            _set_writable(aside, writable=False)
            try:
                aside.rename(folder)
            except OSError:
                # Another task may have been faster: its folder holds the same.
                if not folder.is_dir():
                    raise
        finally:
            remove_tree(aside)

    def _lay_out(self, tree: TreeParts, base: Path) -> None:
        target = base / tree.place
        with self._open(tree.sources) as stream:
            unpack(stream, target, limits=self._limits)
        if tree.products is None:
            return
        products = target.with_name(f".{target.name}.products")
        with self._open(tree.products) as stream:
            unpack(stream, products, limits=self._limits)
        for directory, _, names in os.walk(products):
            into = target / Path(directory).relative_to(products)
            into.mkdir(parents=True, exist_ok=True)
            for name in names:
                Path(directory, name).replace(into / name)
        shutil.rmtree(products)

    def prune(self) -> None:
        """Remove trees that nobody used for two weeks, and what a killed task left half made."""
        now = time.time()
        for folder in self._root.iterdir():
            hidden = folder.name.startswith(".")
            with contextlib.suppress(FileNotFoundError):
                age_hours = (now - folder.stat().st_mtime) / 3600
                if age_hours > (_ABANDONED_HOURS if hidden else 24 * _UNUSED_DAYS):
                    self._remove_unused(folder)

    def _remove_unused(self, folder: Path) -> None:
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # Under its name nobody may find half of it.
            doomed = self._root / f".{uuid.uuid4().hex}.doomed"
            folder.rename(doomed)
            remove_tree(doomed)
        except BlockingIOError:
            pass  # a campaign of more than two weeks is at work in it
        finally:
            os.close(descriptor)


def _open_shared(folder: Path) -> int | None:
    """Keep a folder from being removed until the descriptor is closed; None if it is not there."""
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    fcntl.flock(descriptor, fcntl.LOCK_SH)
    with contextlib.suppress(FileNotFoundError):
        if os.fstat(descriptor).st_ino == folder.stat().st_ino:
            return descriptor
    os.close(descriptor)
    return None


def remove_tree(folder: Path) -> None:
    """Remove a folder, read-only ones too; nothing happens if it is not there."""
    if folder.is_dir():
        _set_writable(folder, writable=True)
    shutil.rmtree(folder, ignore_errors=True)


def _set_writable(folder: Path, *, writable: bool) -> None:
    for path in _everything(folder):
        mode = stat.S_IMODE(path.stat().st_mode)
        with contextlib.suppress(PermissionError):
            path.chmod(mode | 0o200 if writable else mode & ~0o222)


def _everything(folder: Path) -> Iterable[Path]:
    yield folder
    for directory, folders, names in os.walk(folder):
        for name in (*folders, *names):
            path = Path(directory, name)
            if not path.is_symlink():
                yield path
