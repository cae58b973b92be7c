"""The trees that an engine's containers share: a volume for each content, filled once."""

from __future__ import annotations

import hashlib
import logging
import tarfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from docker.types import Mount

from oppflow.archive import END_OF_TAR, ForwardedTree, Limits
from oppflow.archive.streams import as_stream, read_chunks
from oppflow.runners.docker import paths
from oppflow.runners.docker.engine import Engine
from oppflow.runners.docker.keeper import holding
from oppflow.runners.docker.labels import deployment_label
from oppflow.runners.docker.spec import keeper_config
from oppflow.runners.interface import OpenArchive, TreeParts

log = logging.getLogger(__name__)


def compiler_cache(deployment: str, image_id: str) -> Mount:
    """The volume in which builds with one image keep what they compiled."""
    name = f"oppflow-{deployment}-ccache-{image_id.rpartition(':')[2][:32]}"
    labels = deployment_label(deployment)
    return Mount(paths.CACHE_VOLUME, name, type="volume", no_copy=True, labels=labels)


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
        return f"oppflow-{self.deployment}-trees-{content[:32]}"

    def mount(self, *, read_only: bool = True) -> Mount:
        """The volume in a container; it is made with the first one that has it."""
        return Mount(
            paths.SHARED,
            self.name,
            type="volume",
            read_only=read_only,
            no_copy=True,
            labels=deployment_label(self.deployment),
        )

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
        labels = deployment_label(self.deployment)
        config = keeper_config(engine, image_id, labels, self.mount(read_only=False))
        with holding(engine, self.name, config, unless=is_whole) as keeper:
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
