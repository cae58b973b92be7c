"""Unpack tar streams, trusting nothing that they say about themselves.

The library's own filters (PEP 706) are not used: they judge links by what was unpacked before, and
look at the disk for each entry. `NewTree` refuses what they refuse, and knows all of its tree.
"""

from __future__ import annotations

import stat
import tarfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import BinaryIO

from oppflow.archive.entries import DEFAULT_LIMITS, Entry, Limits
from oppflow.archive.newtree import REFUSED, NewTree
from oppflow.archive.streams import CHUNK, as_stream, decompress_stream, read_chunks
from oppflow.errors import ArchiveError, ArchiveLimitError

_COPY_AGAIN = "Make or copy the archive again."

# Names and attributes that precede an entry are read in one piece, so a huge one is a trap.
_MAX_HEADER_BYTES = 2**20
_HEADER_TYPES = frozenset(
    {
        tarfile.XHDTYPE,
        tarfile.XGLTYPE,
        tarfile.SOLARIS_XHDTYPE,
        tarfile.GNUTYPE_LONGNAME,
        tarfile.GNUTYPE_LONGLINK,
    }
)


def unpack(stream: BinaryIO, target: Path, *, limits: Limits = DEFAULT_LIMITS) -> tuple[Entry, ...]:
    """Unpack the zstd-compressed tar ``stream`` into the new folder ``target``.

    The stream is read to its end before the folder appears, so that a source that checks a digest
    there can still object. All files get the same modification time, the present. Returns what was
    unpacked.

    Raises:
        ArchiveError: The archive is damaged or cut short, exceeds ``limits``, or names a place
            outside its tree, a device, or the same thing twice.
        ParameterError: ``target`` is there already.
        InfrastructureError: The disk refuses.
    """
    return unpack_tar(decompress_stream(stream), target, limits=limits)


def unpack_tar(
    stream: BinaryIO, target: Path, *, limits: Limits = DEFAULT_LIMITS
) -> tuple[Entry, ...]:
    """Unpack the plain tar ``stream``; otherwise as `unpack`."""
    plain = as_stream(counted(stream, limits))
    with NewTree(target, limits) as tree:
        for archive, member in members(plain):
            _add(tree, archive, member)
        for _ in read_chunks(plain):
            pass  # what follows the archive's end may still tell of damage
        return tree.publish()


def members(stream: BinaryIO) -> Iterator[tuple[tarfile.TarFile, tarfile.TarInfo]]:
    """The entries of a plain tar, each to be read before the next; damage is an `ArchiveError`."""
    with ExitStack() as stack:
        with _refusing_damage():
            archive = stack.enter_context(
                tarfile.open(fileobj=stream, mode="r|", tarinfo=_Header, errors="surrogateescape")
            )
        entries = iter(archive)
        while True:
            with _refusing_damage():
                member = next(entries, None)
            if member is None:
                return
            yield archive, member


def _add(tree: NewTree, archive: tarfile.TarFile, member: tarfile.TarInfo) -> None:
    if member.issparse() or member.size < 0:
        # Its maps of holes are trusted by the library, which may never come to an end with them.
        raise ArchiveError(
            f"The archive's entry {member.name!r} is stored with holes.",
            hint="Pack it without --sparse.",
        )
    if member.isdir():
        tree.add_folder(member.name)
    elif member.issym():
        tree.add_link(member.name, member.linkname)
    elif member.islnk():
        tree.add_hard_link(member.name, member.linkname)
    elif member.isreg():
        executable = bool(member.mode & stat.S_IXUSR)
        tree.add_file(member.name, content(archive, member), executable=executable)
    else:
        raise ArchiveError(
            f"The archive's entry {member.name!r} is neither file, folder nor link.", hint=REFUSED
        )


def content(archive: tarfile.TarFile, member: tarfile.TarInfo) -> Iterator[bytes]:
    """The bytes of a regular file of the archive."""
    with _refusing_damage():
        file = archive.extractfile(member)
    assert file is not None  # it is for a regular file
    while True:
        with _refusing_damage():
            chunk = file.read(CHUNK)
        if not chunk:
            return
        yield chunk


@contextmanager
def _refusing_damage() -> Iterator[None]:
    try:
        yield
    # What the library raises besides its own errors for fields that make no sense.
    except (tarfile.TarError, ValueError, LookupError, OverflowError, RecursionError) as error:
        raise ArchiveError(f"The archive is damaged: {error}.", hint=_COPY_AGAIN) from error


def counted(stream: BinaryIO, limits: Limits) -> Iterator[bytes]:
    """The stream's chunks, as long as they can be a tar within the limits."""
    # Headers and padding come on top of the content, and a bomb may hide in them.
    room = limits.max_bytes + limits.max_files * 4 * tarfile.BLOCKSIZE + 2**20
    for chunk in read_chunks(stream):
        room -= len(chunk)
        if room < 0:
            raise ArchiveLimitError(
                f"The archive unpacks to far more than {limits.max_bytes} bytes.", hint=REFUSED
            )
        yield chunk


class _Header(tarfile.TarInfo):
    """A header that does not pass damage for the end of the archive, as the library's does."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> _Header:
        if len(buf) == tarfile.BLOCKSIZE and not any(buf):
            return super().frombuf(buf, encoding, errors)  # raises what the library ends with
        try:
            header = super().frombuf(buf, encoding, errors)
        except tarfile.HeaderError as error:
            what = "cut short" if len(buf) < tarfile.BLOCKSIZE else "damaged"
            raise ArchiveError(f"The archive is {what}: {error}.", hint=_COPY_AGAIN) from error
        if header.size < 0 or (header.type in _HEADER_TYPES and header.size > _MAX_HEADER_BYTES):
            raise ArchiveError(f"The archive has a header of {header.size} bytes.", hint=REFUSED)
        return header
