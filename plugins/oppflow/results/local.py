"""Results in a folder of this host, or one that all hosts share."""

from __future__ import annotations

import os
from collections.abc import Hashable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from oppflow.archive.streams import read_chunks
from oppflow.results.interface import CampaignResults, ResultsFile, ResultsRoot
from oppflow.results_folder import PRIVATE, ResultsFolder


class LocalRoot(ResultsRoot):
    """A folder with a folder for each campaign."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __repr__(self) -> str:
        return f"LocalRoot({str(self._path)!r})"

    def campaign(self, name: str) -> CampaignResults:
        return LocalResults(ResultsFolder.named(self._path, name))

    def documents(self, name: str) -> Iterator[tuple[str, bytes]]:
        for path in self._path.glob(f"*/{name}"):
            with suppress(OSError):
                yield path.parent.name, path.read_bytes()


class LocalResults(CampaignResults):
    """The folder is where the results are kept."""

    def where(self, name: str = "") -> str:
        return str(self.folder.path / name)

    def check_free(self, owner: str) -> None:
        self.folder.check_free(owner)

    def claim(self, owner: str) -> None:
        self.folder.claim(owner)

    def fetch(self, *names: str) -> None:
        pass

    def publish(self) -> None:
        pass

    def remove(self, name: str) -> None:
        (self.folder.path / name).unlink(missing_ok=True)

    def is_there(self) -> bool:
        return self.folder.path.is_dir()

    def has(self, name: str) -> bool:
        return (self.folder.path / name).exists()

    def files(self) -> Iterator[ResultsFile]:
        for name, path in files_in(self.folder.path):
            state = path.stat()
            yield ResultsFile(name, state.st_size, state.st_mtime)

    def find(self, name: str) -> ResultsFile | None:
        root = self.folder.path.resolve()
        try:
            path = (root / name).resolve()
            inside = path.is_relative_to(root) and not _is_private(path.relative_to(root))
            if not inside or not path.is_file():
                return None
            state = path.stat()
        except (OSError, ValueError):  # ValueError: a NUL character in the name
            return None
        return ResultsFile(path.relative_to(root).as_posix(), state.st_size, state.st_mtime)

    @contextmanager
    def chunks(self, name: str) -> Iterator[Iterator[bytes]]:
        with (self.folder.path / name).open("rb") as file:
            yield read_chunks(file)

    def stamp(self, *names: str) -> Hashable:
        return tuple(_stamp(self.folder.path / name) for name in names)


def files_in(folder: Path) -> Iterator[tuple[str, Path]]:
    """Name and path of every regular file in the folder, sorted; neither links nor our own."""
    for top, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith(PRIVATE))
        for name in sorted(names):
            path = Path(top, name)
            if path.is_file() and not path.is_symlink():
                yield path.relative_to(folder).as_posix(), path


def _is_private(path: Path) -> bool:
    return any(part.startswith(PRIVATE) for part in path.parts[:1])


def _stamp(path: Path) -> tuple[int, int] | None:
    try:
        state = path.stat()
    except OSError:
        return None
    return state.st_mtime_ns, state.st_size
