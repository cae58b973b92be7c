"""What a packed tree holds, and how much of it is allowed."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class EntryKind(str, Enum):
    """What an entry is; folders are not listed, they follow from the paths."""

    FILE = "file"
    LINK = "link"


@dataclass(frozen=True)
class Entry:
    """A file or a symbolic link of a tree.

    ``path`` is relative to the tree, with ``/``. ``size`` is bytes of content, 0 for a link.
    ``sha256`` is of the content; of a link, it is of the target's text, which ``target`` holds.
    """

    path: str
    kind: EntryKind
    executable: bool
    size: int
    sha256: str
    target: str = ""


@dataclass(frozen=True)
class Limits:
    """The most that a tree may hold: bytes of content; files, links and folders together.

    The defaults fit INET with its examples many times over.
    """

    max_bytes: int = 20 * 2**30
    max_files: int = 200_000


DEFAULT_LIMITS = Limits()
