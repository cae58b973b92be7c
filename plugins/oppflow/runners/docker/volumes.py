"""The trees that an engine's containers share: a volume for each content, filled once."""

from __future__ import annotations

import hashlib
import logging
import tarfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from oppflow.archive import END_OF_TAR, ForwardedTree, Limits
from oppflow.archive.streams import as_stream, read_chunks
from oppflow.runners.docker import paths
from oppflow.runners.docker.engine import Engine
from oppflow.runners.docker.keeper import holding
from oppflow.runners.docker.labels import deployment_label
from oppflow.runners.docker.spec import keeper_config
from oppflow.runners.interface import OpenArchive, TreeParts

log = logging.getLogger(__name__)


def volume_prefix(deployment: str) -> str:
    """How the names of a deployment's tree volumes begin."""
    return f"oppflow-{deployment}-trees-"


@dataclass(frozen=True)
class TreeVolume:
    """The volume of some trees, whole or not yet."""

    deployment: str
    trees: Sequence[TreeParts]
    open_archive: OpenArchive
    limits: Limits

    @property
    def name(self) -> str:
        """Another one for every content."""
        content = hashlib.sha256(repr(sorted(map(repr, self.trees))).encode()).hexdigest()
        return volume_prefix(self.deployment) + content[:32]

    @property
    def labels(self) -> dict[str, str]:
        """Of the volume, and of the container that fills it."""
        return deployment_label(self.deployment)

    def fill(self, engine: Engine, container: str, image_id: str) -> None:
        """See that the volume is whole.

        ``container`` is one that mounts it, and so keeps it from being removed.

        Raises:
            ArchiveMissingError, ArchiveError, StoreError: see `oppflow.store` and `ForwardedTree`.
            InfrastructureError: the engine refuses; its disk is full, say.
        """

        def is_whole() -> bool:
            return engine.size(container, paths.COMPLETE) is not None

        if is_whole():
            return
        config = keeper_config(engine, image_id, volume=self.name, labels=self.labels)
        with holding(engine, f"{self.name}-keeper", config, unless=is_whole) as keeper:
            if keeper is not None:
                log.info("Putting the trees into the volume %s", self.name)
                engine.put(keeper, paths.SHARED, read_chunks(as_stream(self._tar())))
                engine.put(keeper, paths.SHARED, [_marker()])

    def _tar(self) -> Iterator[bytes]:
        for tree in self.trees:
            place = PurePosixPath(paths.TREES).relative_to(paths.SHARED) / tree.place
            forwarded = ForwardedTree(place.as_posix(), self.limits)
            for digest in (tree.sources, tree.products):
                if digest is not None:
                    with self.open_archive(digest) as packed:
                        yield from forwarded.entries(packed)
            forwarded.check()
        yield END_OF_TAR


def _marker() -> bytes:
    header = tarfile.TarInfo(PurePosixPath(paths.COMPLETE).name)
    header.mode = 0o444
    return header.tobuf() + END_OF_TAR
