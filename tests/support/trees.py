"""Make source trees and hostile archives."""

from __future__ import annotations

import io
import os
import subprocess
import tarfile
from pathlib import Path

from oppflow.archive import compress_stream


def make_tree(root: Path, *paths: str, **contents: str) -> Path:
    """Make files below ``root`` that hold their own names, or what ``contents`` says.

    ``a -> b`` is a symbolic link, ``a*`` is executable.
    """
    for path in paths:
        name, arrow, target = path.partition(" -> ")
        place = root / name.rstrip("*")
        place.parent.mkdir(parents=True, exist_ok=True)
        if arrow:
            place.symlink_to(target)
        else:
            place.write_bytes(os.fsencode(contents.get(name, name)))
            place.chmod(0o755 if name.endswith("*") else 0o644)
    return root


def git(folder: Path, *arguments: str) -> None:
    """Run git as nobody in particular."""
    settings = {"GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_SYSTEM": "/dev/null"}
    who = ["-c", "user.name=n", "-c", "user.email=e@example.org", "-c", "init.defaultBranch=main"]
    subprocess.run(
        ["git", *who, *arguments],
        cwd=folder,
        check=True,
        capture_output=True,
        env={**os.environ, **settings},
    )


class Tar:
    """A tar archive that is made entry by entry, whatever that may be."""

    def __init__(self, tar_format: int = tarfile.PAX_FORMAT) -> None:
        self._bytes = io.BytesIO()
        self._tar = tarfile.TarFile(fileobj=self._bytes, mode="w", format=tar_format)

    def add(
        self,
        name: str,
        data: bytes = b"",
        *,
        kind: bytes = tarfile.REGTYPE,
        link: str = "",
        **more: object,
    ) -> Tar:
        """Add an entry; ``more`` are attributes of `tarfile.TarInfo`."""
        info = tarfile.TarInfo(name)
        info.type, info.linkname, info.size = kind, link, len(data)
        for attribute, value in more.items():
            setattr(info, attribute, value)
        self._tar.addfile(info, io.BytesIO(data))
        return self

    def link(self, name: str, target: str) -> Tar:
        """Add a symbolic link."""
        return self.add(name, kind=tarfile.SYMTYPE, link=target)

    def hard_link(self, name: str, target: str) -> Tar:
        """Add a hard link."""
        return self.add(name, kind=tarfile.LNKTYPE, link=target)

    def plain(self) -> bytes:
        """The archive's bytes."""
        self._tar.close()
        return self._bytes.getvalue()

    def packed(self) -> bytes:
        """The archive's bytes, compressed."""
        return compress_stream(io.BytesIO(self.plain())).read()
