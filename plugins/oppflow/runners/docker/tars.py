"""What the engine hands out: a tar of what is at a path of a container, to be read once."""

from __future__ import annotations

import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import PurePosixPath
from typing import BinaryIO, cast

from oppflow.errors import InfrastructureError


def open_tar(stream: BinaryIO, path: str) -> tarfile.TarFile:
    """The tar of a path.

    Raises:
        InfrastructureError: it is none.
    """
    with _undamaged(path):
        return tarfile.open(fileobj=stream, mode="r|")


def the_file(tar: tarfile.TarFile, path: str) -> BinaryIO:
    """The file at a path, from the path's tar.

    Raises:
        InfrastructureError: there is something else, or nothing.
    """
    with _undamaged(path):
        member = tar.next()
        file = tar.extractfile(member) if member is not None else None
    if file is None:
        raise InfrastructureError(f"{path} is no file in its container.")
    return cast("BinaryIO", file)


def small_files(tar: tarfile.TarFile, folder: str, small: int, room: int) -> dict[str, bytes]:
    """The files in a folder that are not empty, from the folder's tar, by their names.

    Only those of up to ``small`` bytes, and as many as are among the first ``room`` bytes.

    Raises:
        InfrastructureError: the tar ends too early.
    """
    found = {}
    with _undamaged(folder):
        for member in tar:
            if member.offset_data + member.size > room:
                break
            if member.isfile() and 0 < member.size <= small:
                content = cast("BinaryIO", tar.extractfile(member))
                found[PurePosixPath(member.name).name] = content.read()
    return found


@contextmanager
def _undamaged(path: str) -> Iterator[None]:
    try:
        yield
    except tarfile.TarError as error:
        raise InfrastructureError(f"{path} came damaged out of its container.") from error
