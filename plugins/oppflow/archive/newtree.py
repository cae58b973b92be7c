"""A tree that is made aside, entry by entry, and appears whole or not at all."""

from __future__ import annotations

import dataclasses
import errno
import hashlib
import os
import secrets
import shutil
import time
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from types import TracebackType

from oppflow.archive.entries import Entry, EntryKind, Limits
from oppflow.archive.links import resolve
from oppflow.errors import (
    ArchiveError,
    ArchiveLimitError,
    InfrastructureError,
    OppflowError,
    ParameterError,
)

REFUSED = "Make the archive again from the files alone; do not unpack this one by other means."


class NewTree:
    """A folder to be, at ``target``; use it as a context and end it with `publish`.

    Without `publish` nothing is left behind. Entries never replace one another, and nothing is
    written through a link: a path below anything but a folder of this tree is refused. Modes are
    0755 or 0644 less the umask.
    """

    def __init__(self, target: Path, limits: Limits) -> None:
        self.target = target
        self.aside = target.parent / f".{target.name}.{secrets.token_hex(8)}.part"
        self._limits = limits
        self._room = limits.max_bytes
        self._kinds: dict[str, EntryKind | None] = {"": None}  # None: a folder
        self._entries: dict[str, Entry] = {}
        # One time for all: make must not take one file for older by the order of unpacking.
        self._now = int(time.time())

    def __enter__(self) -> NewTree:
        if os.path.lexists(self.target):
            raise ParameterError(
                f"{self.target} is there already.", hint="Unpack into a folder that is new."
            )
        with self._explained(self.aside):
            self.target.parent.mkdir(parents=True, exist_ok=True)
            self.aside.mkdir()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        shutil.rmtree(self.aside, ignore_errors=True)

    def add_folder(self, name: str) -> None:
        """Add the folder ``name`` and those above it; one that is there already is fine."""
        self._make_folders(inner_path(name))

    def add_file(self, name: str, chunks: Iterable[bytes], *, executable: bool) -> None:
        """Add a file with the content ``chunks``."""
        path = self._claim(name, EntryKind.FILE)
        place = f"{self.aside}/{path}"
        digest = hashlib.sha256()
        size = 0
        with self._explained(place):
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
            with os.fdopen(os.open(place, flags, 0o755 if executable else 0o644), "wb") as file:
                for chunk in chunks:
                    size += len(chunk)
                    self._take_room(len(chunk))
                    digest.update(chunk)
                    file.write(chunk)
            os.utime(place, (self._now, self._now), follow_symlinks=False)
        self._entries[path] = Entry(
            path, EntryKind.FILE, executable=executable, size=size, sha256=digest.hexdigest()
        )

    def add_link(self, name: str, target: str) -> None:
        """Add a symbolic link; where it leads is checked once all links are known."""
        path = self._claim(name, EntryKind.LINK)
        if not target or "\0" in target:
            raise ArchiveError(f"The link {name!r} leads nowhere.", hint=REFUSED)
        with self._explained(self.aside / path):
            (self.aside / path).symlink_to(target)
        digest = hashlib.sha256(os.fsencode(target)).hexdigest()
        self._entries[path] = Entry(
            path, EntryKind.LINK, executable=False, size=0, sha256=digest, target=target
        )

    def add_hard_link(self, name: str, existing: str) -> None:
        """Add a further name of a file that was added before."""
        source = inner_path(existing)
        if self._kinds.get(source) is not EntryKind.FILE:
            raise ArchiveError(
                f"The hard link {name!r} is to {existing!r}, no earlier file of the archive.",
                hint=REFUSED,
            )
        path = self._claim(name, EntryKind.FILE)
        with self._explained(self.aside / path):
            os.link(self.aside / source, self.aside / path, follow_symlinks=False)
        entry = self._entries[source]
        self._entries[path] = dataclasses.replace(entry, path=path)

    def publish(self) -> tuple[Entry, ...]:
        """Check the links, give the tree its name, and tell what is in it, sorted by path.

        Raises:
            ArchiveError: A link leaves the tree.
            ParameterError: Something took the name meanwhile.
        """
        links = {path: entry.target for path, entry in self._entries.items() if entry.target}
        for path, target in links.items():
            if resolve(path, target, links) is None:
                raise ArchiveError(
                    f"The link {path!r} -> {target!r} leaves the tree.", hint=REFUSED
                )
        with self._explained(self.target):
            self.aside.rename(self.target)
        return tuple(sorted(self._entries.values(), key=lambda entry: os.fsencode(entry.path)))

    def _claim(self, name: str, kind: EntryKind) -> str:
        path = inner_path(name)
        if path in self._kinds:
            raise ArchiveError(f"The archive holds {name!r} twice.", hint=REFUSED)
        self._make_folders(path.rpartition("/")[0])
        self._note(path, kind)
        return path

    def _make_folders(self, path: str) -> None:
        missing = []
        while path not in self._kinds:
            missing.append(path)
            path = path.rpartition("/")[0]
        if self._kinds[path] is not None:
            raise ArchiveError(
                f"The archive holds something below {path!r}, which is no folder in it.",
                hint=REFUSED,
            )
        for folder in reversed(missing):
            self._note(folder, None)
            with self._explained(self.aside / folder):
                (self.aside / folder).mkdir()

    def _note(self, path: str, kind: EntryKind | None) -> None:
        self._kinds[path] = kind
        if len(self._kinds) > self._limits.max_files + 1:
            raise ArchiveLimitError(
                f"The archive holds more than {self._limits.max_files} files.",
                hint="Leave out what no simulation reads, or raise OPPFLOW_MAX_FILES.",
            )

    def _take_room(self, size: int) -> None:
        self._room -= size
        if self._room < 0:
            raise ArchiveLimitError(
                f"The archive holds more than {self._limits.max_bytes} bytes.",
                hint="Leave out what no simulation reads, or raise OPPFLOW_MAX_UNPACKED.",
            )

    def _explained(self, place: Path | str) -> AbstractContextManager[None]:
        return explained(place, self.target)


@contextmanager
def explained(place: Path | str, target: Path | None = None) -> Iterator[None]:
    """Tell what the system says about writing to a place, for a tree that appears at ``target``."""
    try:
        yield
    except (ValueError, OverflowError) as error:
        raise ArchiveError(f"The archive's entry {place} makes no sense: {error}.") from error
    except OSError as error:
        raise _explain(error, Path(place), target) from error


def _explain(error: OSError, place: Path, target: Path | None) -> OppflowError:
    if error.errno in (errno.ENAMETOOLONG, errno.EILSEQ):
        return ArchiveLimitError(
            f"{place} cannot be a file's name here: {error.strerror}.", hint=REFUSED
        )
    if place == target and error.errno in (errno.EEXIST, errno.ENOTEMPTY, errno.ENOTDIR):
        return ParameterError(
            f"{target} was made by somebody else meanwhile.",
            hint="Unpack into a folder that is new.",
        )
    hint = "Check that the folder is there, and who may write to it."
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        hint = f"Make room on the disk of {(target or place).parent}."
    return InfrastructureError(f"{place} cannot be written: {error.strerror}.", hint=hint)


def inner_path(name: str) -> str:
    """The entry's path within the tree: no ``.`` and no empty steps; "" is the tree itself."""
    steps = [step for step in name.split("/") if step not in ("", ".")]
    if name.startswith("/") or ".." in steps or "\0" in name:
        raise ArchiveError(f"The archive's entry {name!r} is not inside its tree.", hint=REFUSED)
    return "/".join(steps)
