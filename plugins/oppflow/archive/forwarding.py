"""Pass packed trees on as one plain tar, checked as if they were unpacked, without a disk between.

For a place that others unpack into, such as a container's volume. What was passed on may be used
only after the end: links are judged when all of them are known.
"""

from __future__ import annotations

import stat
import tarfile
import time
from collections.abc import Iterator
from typing import BinaryIO

from oppflow.archive.entries import DEFAULT_LIMITS, Limits
from oppflow.archive.links import resolve
from oppflow.archive.newtree import REFUSED, inner_path
from oppflow.archive.streams import as_stream, decompress_stream
from oppflow.archive.unpacking import content, counted, members
from oppflow.errors import ArchiveError

END_OF_TAR = bytes(2 * tarfile.BLOCKSIZE)


class ForwardedTree:
    """One tree at ``place`` of the tar, from archives that are laid over each other.

    Files belong to root and have modes 0755 or 0644; all have the same time, the present, since
    make must not take one for older by the order of unpacking.
    """

    def __init__(self, place: str, limits: Limits = DEFAULT_LIMITS) -> None:
        self._place = place
        self._limits = limits
        self._links: dict[str, str] = {}
        self._folders: set[str] = set()
        self._now = int(time.time())

    def entries(self, packed: BinaryIO) -> Iterator[bytes]:
        """The blocks of the tar for one zstd-compressed archive of the tree.

        Raises:
            ArchiveError: it is damaged, holds more than the limits allow, or something that is
                neither file, folder nor symbolic link, or names a place outside the tree.
        """
        plain = as_stream(counted(decompress_stream(packed), self._limits))
        yield from self._folders_of("x")
        size = 0
        for count, (archive, member) in enumerate(members(plain), start=1):
            size += member.size
            self._check_limits(count, size)
            yield from self._entry(archive, member)
        while plain.read(tarfile.BLOCKSIZE):
            pass  # what follows the archive's end may still tell of damage

    def check(self) -> None:
        """Judge the links, once all archives are passed on.

        Raises:
            ArchiveError: a link leaves the tree.
        """
        for path, target in self._links.items():
            if resolve(path, target, self._links) is None:
                raise ArchiveError(
                    f"The link {path!r} -> {target!r} leaves the tree.", hint=REFUSED
                )

    def _check_limits(self, count: int, size: int) -> None:
        limits = self._limits
        if count <= limits.max_files and size <= limits.max_bytes:
            return
        what = (
            f"{limits.max_files} files" if size <= limits.max_bytes else f"{limits.max_bytes} bytes"
        )
        raise ArchiveError(
            f"The archive holds more than {what}.",
            hint="Leave out what no simulation reads, or raise the limit.",
        )

    def _entry(self, archive: tarfile.TarFile, member: tarfile.TarInfo) -> Iterator[bytes]:
        path = inner_path(member.name)
        self._refuse_below_link(path)
        if member.isdir():
            yield from self._folders_of(f"{path}/x")
            return
        yield from self._folders_of(path)
        self._links.pop(path, None)
        if member.issym():
            self._links[path] = member.linkname
            yield self._header(path, tarfile.SYMTYPE, 0o777, target=member.linkname)
        elif member.isreg() and not member.issparse():
            mode = 0o755 if member.mode & stat.S_IXUSR else 0o644
            yield self._header(path, tarfile.REGTYPE, mode, size=member.size)
            yield from content(archive, member)
            yield bytes(-member.size % tarfile.BLOCKSIZE)
        else:
            raise ArchiveError(
                f"The archive's entry {member.name!r} is neither file, folder nor link.",
                hint=REFUSED,
            )

    def _refuse_below_link(self, path: str) -> None:
        parts = path.split("/")
        for depth in range(1, len(parts)):
            if "/".join(parts[:depth]) in self._links:
                raise ArchiveError(
                    f"The archive holds {path!r}, which is below a link.", hint=REFUSED
                )

    def _folders_of(self, path: str) -> Iterator[bytes]:
        """The folders above a path, those that are new."""
        parts = path.split("/")[:-1]
        for depth in range(len(parts) + 1):
            folder = "/".join(parts[:depth])
            if folder not in self._folders:
                self._folders.add(folder)
                yield self._header(folder, tarfile.DIRTYPE, 0o755)

    def _header(
        self, path: str, kind: bytes, mode: int, *, size: int = 0, target: str = ""
    ) -> bytes:
        header = tarfile.TarInfo(f"{self._place}/{path}".rstrip("/"))
        header.type, header.mode, header.size, header.linkname = kind, mode, size, target
        header.mtime = self._now
        return header.tobuf(tarfile.PAX_FORMAT, "utf-8", "surrogateescape")
