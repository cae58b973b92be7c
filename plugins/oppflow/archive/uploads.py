"""Unpack the archives that people have: zip, and tar with the usual compressions."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import stat
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from oppflow.archive.entries import DEFAULT_LIMITS, Entry, Limits
from oppflow.archive.newtree import REFUSED, NewTree
from oppflow.archive.streams import CHUNK, as_stream, decompress_stream
from oppflow.archive.unpacking import unpack_tar
from oppflow.errors import ArchiveError, InfrastructureError, ParameterError

_COPY_AGAIN = "Make or copy the archive again."

# Told by their first bytes: a name says what somebody meant, not what the file is.
_ZIP = (b"PK\x03\x04", b"PK\x05\x06")
_COMPRESSIONS: dict[bytes, Callable[[BinaryIO], io.BufferedIOBase]] = {
    b"\x1f\x8b": lambda file: gzip.GzipFile(fileobj=file),
    b"\xfd7zXZ\x00": lzma.LZMAFile,
    b"BZh": bz2.BZ2File,
}
_ZSTD = b"\x28\xb5\x2f\xfd"
_TAR, _TAR_AT = b"ustar", 257

# A link's target is at most PATH_MAX, and zip stores it as content.
_MAX_TARGET = 4096
# The library bounds what one step yields for these alone, so others could fill the memory.
_ZIP_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_ENCRYPTED = 0x1
_MADE_ON_DOS = 0


def unpack_file(path: Path, target: Path, *, limits: Limits = DEFAULT_LIMITS) -> tuple[Entry, ...]:
    """Unpack the archive file ``path`` into the new folder ``target``.

    Zip (execute bits and symbolic links as Info-ZIP stores them; stored or deflated), tar, and tar
    with gzip, bzip2, xz or zstd, told apart by content. Refuses what `oppflow.archive.unpack`
    refuses. Returns what was unpacked, sorted by path.

    Raises:
        ParameterError: ``path`` is none of these, or ``target`` is there already.
        ArchiveError: The archive is damaged or not safe to unpack.
        InfrastructureError: The disk refuses.
    """
    try:
        with path.open("rb") as file:
            start = file.read(_TAR_AT + len(_TAR))
            file.seek(0)
            if start.startswith(_ZIP):
                return _unpack_zip(file, target, limits)
            return unpack_tar(_plain(path, file, start), target, limits=limits)
    except (FileNotFoundError, IsADirectoryError) as error:
        raise ParameterError(
            f"There is no archive file {path}: {error.strerror}.", hint="Check the path."
        ) from error
    except OSError as error:
        raise InfrastructureError(
            f"{path} cannot be read: {error.strerror or error}.",
            hint="Check that it is there, and that Airflow's user may read it.",
        ) from error


def _plain(path: Path, file: BinaryIO, start: bytes) -> BinaryIO:
    for magic, decompress in _COMPRESSIONS.items():
        if start.startswith(magic):
            return as_stream(_decompressed(decompress(file)))
    if start.startswith(_ZSTD):
        return decompress_stream(file)
    if start[_TAR_AT:] == _TAR:
        return file
    raise ParameterError(
        f"{path} is no archive that can be unpacked.",
        hint="Give a folder, or a .zip, .tar, .tar.gz, .tar.bz2, .tar.xz or .tar.zst file.",
    )


def _decompressed(stream: io.BufferedIOBase) -> Iterator[bytes]:
    with stream:
        while True:
            try:
                chunk = stream.read(CHUNK)
            except (EOFError, zlib.error, lzma.LZMAError, gzip.BadGzipFile) as error:
                raise _damaged(error) from error
            except OSError as error:
                if error.errno is None:  # bz2's way of saying it
                    raise _damaged(error) from error
                raise
            if not chunk:
                return
            yield chunk


def _unpack_zip(file: BinaryIO, target: Path, limits: Limits) -> tuple[Entry, ...]:
    with _refusing_damage(), zipfile.ZipFile(file) as archive, NewTree(target, limits) as tree:
        for info in archive.infolist():
            _add(tree, archive, info)
        return tree.publish()


def _add(tree: NewTree, archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> None:
    name = info.filename
    if info.create_system == _MADE_ON_DOS:
        name = name.replace("\\", "/")
    mode = info.external_attr >> 16
    if info.flag_bits & _ENCRYPTED or info.compress_type not in _ZIP_METHODS:
        raise ArchiveError(
            f"The archive's entry {name!r} is encrypted or compressed in an unusual way.",
            hint="Make the .zip again without a password and with the method deflate.",
        )
    if name.endswith("/"):
        tree.add_folder(name)
    elif stat.S_ISLNK(mode):
        with archive.open(info) as content:
            target = content.read(_MAX_TARGET).decode("utf-8", "surrogateescape")
        tree.add_link(name, target)
    elif stat.S_IFMT(mode) in (0, stat.S_IFREG):
        with archive.open(info) as content:
            chunks = iter(lambda: content.read(CHUNK), b"")
            tree.add_file(name, chunks, executable=bool(mode & stat.S_IXUSR))
    else:
        raise ArchiveError(
            f"The archive's entry {name!r} is neither file, folder nor link.", hint=REFUSED
        )


@contextmanager
def _refusing_damage() -> Iterator[None]:
    try:
        yield
    # What the library raises besides its own error for fields that make no sense.
    except (
        zipfile.BadZipFile,
        zlib.error,
        EOFError,
        ValueError,
        LookupError,
        OverflowError,
        NotImplementedError,
        RuntimeError,
        struct.error,
    ) as error:
        raise _damaged(error) from error


def _damaged(error: Exception) -> ArchiveError:
    return ArchiveError(f"The archive is damaged: {error}.", hint=_COPY_AGAIN)
