"""The deployment's settings, read once from the environment into a frozen dataclass.

Every name starts with ``OPPFLOW_``; `Settings.from_environment` documents each of them.
"""

from __future__ import annotations

import hashlib
import os
import re
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from oppflow.errors import ParameterError

PROJECT_ROOT = Path(__file__).resolve().parents[2]
RUNNERS = ("docker", "process")
DEFAULT_QUEUE = "simulate"

_UNITS = {"": 1, "k": 1024, "m": 1024**2, "g": 1024**3, "t": 1024**4}


def parse_size(text: str) -> int:
    """Bytes of a size such as ``512m``, ``2 GiB`` or ``1000``; units are powers of 1024.

    Raises:
        ParameterError: the text is not a positive size.
    """
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([kmgt]?)(?:i?b)?\s*", text, re.IGNORECASE)
    size = int(float(match[1]) * _UNITS[match[2].lower()]) if match else 0
    if size <= 0:
        raise ParameterError(f"{text!r} is not a size.", hint="Write it as in 512m or 2g.")
    return size


@dataclass(frozen=True)
class Choices:
    """What a campaign may choose from: the deployment's worker images, and its queues."""

    images: tuple[str, ...] = ()
    queues: tuple[str, ...] = ()


@dataclass(frozen=True)
class Settings:
    """What a deployment is made of. Sizes are bytes, times seconds, paths absolute."""

    model_roots: tuple[Path, ...]
    results_root: Path
    results_url: str
    work_dir: Path
    store_url: str
    result_ttl: int | None
    runner: str
    images: tuple[str, ...]
    queues: tuple[str, ...]
    slots: int
    cores: int
    max_unpacked_bytes: int
    max_unpacked_files: int
    deployment: str
    host: str
    docker_conn_id: str
    nightly_files: Path

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> Settings:
        """Read the settings.

        - ``OPPFLOW_MODEL_ROOTS``: folders that models may lie in, separated by ``:``
          (default: the project's ``models``).
        - ``OPPFLOW_RESULTS``: the results root (``results``): a folder, or an fsspec URL such as
          ``s3://BUCKET/PATH``; then ``results_url`` is that, and ``results_root`` holds this host's
          copies, below ``OPPFLOW_WORK``.
        - ``OPPFLOW_WORK``: unpacked trees and scratch space of this host (``.cache/work``).
        - ``OPPFLOW_STORE_URL``: where archives and records live (``file://`` + ``.cache/store``).
        - ``OPPFLOW_RESULT_TTL``: seconds that a store keeps what nobody used; none: for ever.
          Object stores have rules of their own.
        - ``OPPFLOW_RUNNER``: what starts workers, ``docker`` or ``process`` (``docker``).
        - ``OPPFLOW_DOCKER_CONN_ID``: Airflow's connection with the image registry's credentials.
          The engine is where ``DOCKER_HOST`` says, as for Docker's own programs.
        - ``OPPFLOW_IMAGES``: the worker images one may choose, separated by commas.
        - ``OPPFLOW_QUEUES``: the queues one may choose, separated by commas; the first one is taken
          otherwise (``simulate``).
        - ``OPPFLOW_SLOTS``: simulations that one task runs at once (1).
        - ``OPPFLOW_CORES``: how many run at once in all, as the pool ``oppflow`` has slots (this
          machine's cores).
        - ``OPPFLOW_MAX_UNPACKED``, ``OPPFLOW_MAX_FILES``: limits of one archive (20g, 200000).
        - ``OPPFLOW_NIGHTLY``: the folder with the files of nightly campaigns (``dags/nightly``).
        - ``OPPFLOW_DEPLOYMENT``: a name, where several deployments share a host (``oppflow``).
        - ``OPPFLOW_HOST``: what manifests and errors call this machine (its host name).

        Raises:
            ParameterError: a value is malformed; the message names it.
        """
        given = os.environ if environment is None else environment

        def path(name: str, default: Path) -> Path:
            return Path(given.get(name) or default).expanduser().resolve()

        cache = PROJECT_ROOT / ".cache"
        work_dir = path("OPPFLOW_WORK", cache / "work")
        results_root, results_url = _results(given, work_dir)
        roots = given.get("OPPFLOW_MODEL_ROOTS") or str(PROJECT_ROOT / "models")
        images = given.get("OPPFLOW_IMAGES") or "oppflow/omnetpp:6.1,oppflow/worker:latest"
        return cls(
            model_roots=tuple(
                Path(root).expanduser().resolve() for root in roots.split(os.pathsep) if root
            ),
            results_root=results_root,
            results_url=results_url,
            work_dir=work_dir,
            store_url=given.get("OPPFLOW_STORE_URL") or (cache / "store").as_uri(),
            result_ttl=_whole(given, "OPPFLOW_RESULT_TTL", None),
            runner=_runner(given),
            images=_names(images),
            queues=_names(given.get("OPPFLOW_QUEUES") or DEFAULT_QUEUE) or (DEFAULT_QUEUE,),
            slots=_whole(given, "OPPFLOW_SLOTS", 1) or 1,
            cores=_whole(given, "OPPFLOW_CORES", None) or len(os.sched_getaffinity(0)),
            max_unpacked_bytes=parse_size(given.get("OPPFLOW_MAX_UNPACKED") or "20g"),
            max_unpacked_files=_whole(given, "OPPFLOW_MAX_FILES", 200_000) or 1,
            deployment=given.get("OPPFLOW_DEPLOYMENT") or "oppflow",
            host=given.get("OPPFLOW_HOST") or socket.gethostname(),
            docker_conn_id=given.get("OPPFLOW_DOCKER_CONN_ID", ""),
            nightly_files=path("OPPFLOW_NIGHTLY", PROJECT_ROOT / "dags" / "nightly"),
        )

    @property
    def choices(self) -> Choices:
        """What a campaign may choose from."""
        return Choices(self.images, self.queues)


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())


def _results(given: Mapping[str, str], work_dir: Path) -> tuple[Path, str]:
    """The folder of results on this host, and the URL that it holds copies of, if it does."""
    text = given.get("OPPFLOW_RESULTS") or str(PROJECT_ROOT / "results")
    scheme, separator, _ = text.partition("://")
    if not separator:
        return Path(text).expanduser().resolve(), ""
    if scheme.lower() != "file":
        name = hashlib.sha256(text.encode()).hexdigest()[:12]
        return work_dir / "results" / name, text
    parts = urlsplit(text)
    if parts.netloc not in ("", "localhost") or parts.path in ("", "/"):
        raise ParameterError(
            "OPPFLOW_RESULTS names no folder.", hint="Write file:///FOLDER, three slashes."
        )
    return Path(unquote(parts.path)).resolve(), ""


def _runner(given: Mapping[str, str]) -> str:
    name = given.get("OPPFLOW_RUNNER") or RUNNERS[0]
    if name not in RUNNERS:
        raise ParameterError(
            f"There is no runner {name!r}.", hint=f"Set OPPFLOW_RUNNER to {' or '.join(RUNNERS)}."
        )
    return name


def _whole(given: Mapping[str, str], name: str, default: int | None) -> int | None:
    text = given.get(name, "").strip()
    if not text:
        return default
    if not text.isdecimal() or int(text) == 0:
        raise ParameterError(f"{name}={text!r} is not a positive whole number.")
    return int(text)
