"""The worker as files: what a container gets when its image has none, or another one."""

from __future__ import annotations

import functools
import io
import tarfile
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

import oppflow
from oppflow.archive import END_OF_TAR
from oppflow.runners.docker import paths
from oppflow.runners.docker.bootstrap import digest_of, sources

_PARTS = ("__init__.py", "campaign.py", "errors.py", "omnetpp", "engine", "worker")
_PACKAGE = Path(oppflow.__file__).parent


@functools.cache
def worker_files() -> dict[str, bytes]:
    """The files that make a worker, by their paths in the package."""
    found = {}
    for part in _PARTS:
        place = _PACKAGE / part
        for path in sources(place) if place.is_dir() else (place,):
            found[path.relative_to(_PACKAGE).as_posix()] = path.read_bytes()
    return found


@functools.cache
def worker_digest() -> str:
    """Equal for equal workers; an image's own one is measured in the same way."""
    return digest_of(worker_files())


def furnishing() -> bytes:
    """A tar of the folders of a container's own volume, with the worker in one of them."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for folder in (paths.SCRATCH, paths.OUTPUT):
            tar.addfile(_folder(_own(folder)))
        for name, content in sorted(worker_files().items()):
            header = tarfile.TarInfo(f"{_own(paths.PACKAGE)}/oppflow/{name}")
            header.size, header.mode = len(content), 0o644
            tar.addfile(header, io.BytesIO(content))
    return buffer.getvalue()


def own_folder(path: str) -> bytes:
    """A tar of one folder, which the worker may write to."""
    return _folder(PurePosixPath(path).name).tobuf(tarfile.PAX_FORMAT) + END_OF_TAR


def _folder(name: str) -> tarfile.TarInfo:
    header = tarfile.TarInfo(name)
    header.type, header.mode = tarfile.DIRTYPE, 0o755
    header.uid = header.gid = paths.USER
    return header


def empty_files(names: Iterable[str]) -> bytes:
    """A tar of empty files, to be unpacked over those that are not wanted any more."""
    headers = []
    for name in names:
        header = tarfile.TarInfo(name)
        header.uid = header.gid = paths.USER
        headers.append(header.tobuf(tarfile.PAX_FORMAT))
    return b"".join([*headers, END_OF_TAR])


def _own(path: str) -> str:
    return PurePosixPath(path).relative_to(paths.OWN).as_posix()
