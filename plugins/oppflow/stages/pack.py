"""Stage ``pack_model``: source trees become archives in the store; references travel on."""

from __future__ import annotations

import contextlib
import logging
import re
import shutil
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from oppflow.archive import Entry, pack_tree
from oppflow.deployment import Deployment
from oppflow.errors import ParameterError
from oppflow.git import GitAddress
from oppflow.keys import (
    FileDigest,
    build_digest,
    build_key,
    content_digest,
    digest,
    unsteady_entries,
)
from oppflow.omnetpp.build_plan import beside_sources
from oppflow.omnetpp.inifile import read_with_includes
from oppflow.plan import PackedCampaign, Tree
from oppflow.projects import check_projects
from oppflow.request import CampaignRequest
from oppflow.sources import SourceFinder, SourceTree, places

log = logging.getLogger(__name__)

CAMPAIGN = "campaign"
"""The store's kind of record that holds a `PackedCampaign`."""

_OMNETPP_SOURCES = {".ned", ".cc", ".cpp", ".cxx", ".msg", ".sm"}


@dataclass(frozen=True)
class Identity:
    """Which DAG run this is: its DAG, its run ID, when it was triggered and when packed (UTC)."""

    dag_id: str
    run_id: str
    started: datetime
    packed: datetime

    @property
    def owner(self) -> str:
        """Who may write into the results folder: the DAG run, also when somebody clears it."""
        return digest([self.dag_id, self.run_id, self.started.isoformat()])[:16]

    @property
    def campaign(self) -> str:
        """What the store calls the campaign: another one each time that the DAG run starts over."""
        return digest([self.owner, self.packed.isoformat()])[:16]


def pack_model(
    deployment: Deployment,
    identity: Identity,
    parameters: Mapping[str, Any],
    given: Mapping[str, Any],
    *,
    check: Callable[[PackedCampaign], None] | None = None,
) -> PackedCampaign:
    """Check what was asked for, pack every tree into the store, claim the results folder.

    ``check`` is called with what was packed before anything is claimed; what it raises ends this.

    Raises:
        ParameterError, ArchiveError: the user's mistake; nothing was claimed.
        StoreError, InfrastructureError: the machine's.
    """
    request = CampaignRequest.from_parameters(parameters, given)
    results = deployment.results(request.results or _default_name(request, identity))
    results.check_free(identity.owner)
    scratch = Path(tempfile.mkdtemp(prefix="oppflow-pack-"))
    try:
        finder = SourceFinder(deployment.settings.model_roots, scratch, deployment.limits)
        model, projects = _find(finder, request)
        ini_texts = read_with_includes(model.path, model.ini_dir, request.ini_files)
        # What an entry of an ini file elsewhere names is relative to that one's folder, which the
        # run's configuration does not tell: such files count as a whole.
        by_entries = {path for path in ini_texts if _folder(path) == model.ini_dir}
        packed = _Packer(deployment, request).pack(model, projects, by_entries)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    unsteady = _unsteady(request, ini_texts, packed.trees[-1].place, model.ini_dir)
    campaign = PackedCampaign(
        campaign=identity.campaign,
        owner=identity.owner,
        dag_id=identity.dag_id,
        run_id=identity.run_id,
        results=results.name,
        started=identity.started.isoformat(timespec="seconds"),
        request=request,
        engine=packed.engine,
        ini_dir=model.ini_dir,
        trees=packed.trees,
        environment=packed.environment,
        unsteady=tuple(unsteady),
    )
    if check is not None:
        check(campaign)
    if not request.plan_only:
        results.claim(identity.owner)
    # For whoever knows the DAG run alone, as its page does.
    key = campaign_key(identity.dag_id, identity.run_id)
    deployment.store.put_record(CAMPAIGN, key, campaign.as_json())
    return campaign


def campaign_key(dag_id: str, run_id: str) -> str:
    """Under which key the store keeps the `PackedCampaign` of a DAG run."""
    return f"{dag_id}/{run_id}"


def _unsteady(
    request: CampaignRequest, ini_texts: Mapping[str, str], place: str, ini_dir: str
) -> list[str]:
    options = "\n".join(f"{key} = {value}" for key, value in request.options)
    texts = [(ini_dir, options), *((_folder(path), text) for path, text in ini_texts.items())]
    return [line for at, text in texts for line in unsteady_entries(text, f"{place}/{at}")]


def _folder(path: str) -> str:
    return path.rpartition("/")[0]


def _default_name(request: CampaignRequest, identity: Identity) -> str:
    model = request.model.partition("#")[0].rstrip("/")
    if model.startswith("git+"):
        model = GitAddress.parse(model).name
    model = model.rsplit("/", 1)[-1]
    stem = re.sub(r"[^\w.+=,-]+", "_", f"{model}-{request.config}").strip("._") or "campaign"
    return f"{stem[:80]}-{identity.started:%Y%m%d-%H%M%S}-{identity.owner[:4]}"


def _find(finder: SourceFinder, request: CampaignRequest) -> tuple[SourceTree, list[SourceTree]]:
    """The model's tree and its projects'; a model within a project is that project's tree."""
    model = finder.find(request.model)
    projects = [finder.find(name) for name in request.projects]
    for project in projects:
        if model.home and project.home and model.home.is_relative_to(project.home):
            inner = (model.home / model.ini_dir).relative_to(project.home).as_posix()
            model = replace(project, ini_dir="" if inner == "." else inner)
            projects.remove(project)
            break
    return model, projects


@dataclass(frozen=True)
class _Packed:
    engine: str
    trees: tuple[Tree, ...]
    environment: dict[str, str]


class _Packer:
    def __init__(self, deployment: Deployment, request: CampaignRequest) -> None:
        self._deployment = deployment
        self._request = request

    def pack(
        self, model: SourceTree, projects: Sequence[SourceTree], ini_files: set[str]
    ) -> _Packed:
        sources = [*projects, model]
        stored = [self._store(source) for source in sources]
        engine = _engine([entry.path for _, _, entries in stored for entry in entries])
        if engine == "omnetpp":
            check_projects(sources)
        environment = dict(self._deployment.runner().environment(engine, self._request.image))
        trees: list[Tree] = []
        for source, place, (archive, size, entries) in zip(
            sources, places(sources), stored, strict=True
        ):
            files = [
                FileDigest(e.path, e.executable, f"{e.kind.value}:{e.sha256}") for e in entries
            ]
            read = ini_files if source is model else set()
            key = build_key(
                tree=build_digest(files),
                used=[tree.build_key for tree in trees],
                mode=self._request.mode,
                environment=environment,
                beside_sources=beside_sources(
                    source.path, Path(place).name, as_library=source is not model
                ),
            )
            trees.append(
                Tree(
                    place=place,
                    archive=archive,
                    content_digest=content_digest(files, read),
                    build_key=key,
                    origin=source.origin,
                    home=str(source.home or ""),
                    commit=source.commit,
                    fetch=source.fetch,
                    size=size,
                    files=len(entries),
                )
            )
            log.info("Packed %s: %d files, %d bytes, as %s", place, len(files), size, archive[:12])
        return _Packed(engine, tuple(trees), environment)

    def _store(self, source: SourceTree) -> tuple[str, int, Sequence[Entry]]:
        packed = pack_tree(source.path, limits=self._deployment.limits)
        with contextlib.closing(packed.stream):
            stored = self._deployment.store.put(packed.stream)
        return stored.digest, stored.size, packed.listing


def _engine(paths: Sequence[str]) -> str:
    """Which engine the sources are for: never the embedded one in OMNeT++'s place."""
    suffixes = {Path(path).suffix for path in paths}
    if suffixes & _OMNETPP_SOURCES:
        return "omnetpp"
    if ".py" in suffixes:
        return "embedded"
    raise ParameterError(
        "The model has neither NED or C++ files, for OMNeT++, nor Python files, for the embedded "
        "SimPy engine.",
        hint="Name the folder that the model's sources are in; #SUBDIR says where its ini file is.",
    )
