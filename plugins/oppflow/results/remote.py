"""Results in an object store, with copies of what is at work in a folder of this host."""

from __future__ import annotations

import functools
import json
import secrets
import shutil
import time
from collections.abc import Callable, Hashable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, suppress
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

from oppflow.archive.streams import read_chunks
from oppflow.errors import InfrastructureError
from oppflow.file_systems import redacted
from oppflow.object_errors import Place
from oppflow.objects import Objects
from oppflow.results.copies import Copies, Stamp, stamp_of
from oppflow.results.interface import CampaignResults, ResultsFile, ResultsRoot
from oppflow.results.local import files_in
from oppflow.results_folder import PRIVATE, ResultsFolder, name_in_use

_AT_ONCE = 8  # transfers; each holds up to two blocks in memory
_MANY = 100  # files: from here on, listing all takes fewer round trips than asking for each
_SMALL = 2**20  # bytes: fetched in one request
_UNUSED_DAYS = 14
_PRUNE_SECONDS = 3600.0
_MANIFEST = "manifest.json"

Json = dict[str, Any]
_T = TypeVar("_T")


class RemoteRoot(ResultsRoot):
    """Campaigns below a URL. Copies that nobody used for two weeks are removed from this host."""

    def __init__(self, url: str, copies: Path, *, objects: Objects | None = None) -> None:
        """``copies`` is the folder on this host.

        Raises:
            ParameterError: the URL cannot be opened.
        """
        self._url = url
        place = Place("results root", redacted(self._url), "OPPFLOW_RESULTS")
        self.objects = objects or Objects(self._url, place)
        self._copies = copies
        self._pruned = float("-inf")

    def __repr__(self) -> str:
        return f"RemoteRoot({self.objects.place.url!r})"

    def campaign(self, name: str) -> RemoteResults:
        self._prune()
        return RemoteResults(self.objects, ResultsFolder.named(self._copies, name))

    @functools.cached_property
    def _readers(self) -> RemoteRoot:
        beside = self._copies.with_name(f"{self._copies.name}-readers")
        return RemoteRoot(self._url, beside, objects=self.objects)

    def for_readers(self) -> ResultsRoot:
        return self._readers

    def documents(self, name: str) -> Iterator[tuple[str, bytes]]:
        with self.objects.explained("Listing"):
            try:
                found = self.objects.fs.ls(self.objects.root, detail=True)
            except FileNotFoundError:
                self.objects.check_there()
                return
        names = [one["name"].rstrip("/").rpartition("/")[2] for one in found
                 if one["type"] == "directory"]  # fmt: skip
        paths = [self.objects.path(campaign, name) for campaign in names]
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            for campaign, content in zip(names, pool.map(self.objects.read, paths), strict=True):
                if content is not None:
                    yield campaign, content

    def _prune(self) -> None:
        """Remove unused copies, once an hour."""
        if time.monotonic() - self._pruned < _PRUNE_SECONDS:
            return
        self._pruned = time.monotonic()
        oldest = time.time() - _UNUSED_DAYS * 86400
        for used in self._copies.glob(f"*/{PRIVATE}/copies.json"):
            with suppress(OSError):
                if used.stat().st_mtime < oldest:
                    shutil.rmtree(used.parents[1])


class RemoteResults(CampaignResults):
    """A campaign's objects, and its folder with copies."""

    def __init__(self, objects: Objects, folder: ResultsFolder) -> None:
        super().__init__(folder)
        self._objects = objects

    def where(self, name: str = "") -> str:
        return "/".join(filter(None, (self._objects.place.url.rstrip("/"), self.name, name)))

    def check_free(self, owner: str) -> None:
        found = self._owner()
        if found == owner or (not found and not self.is_there()):
            return
        raise name_in_use(self.name, self.where())

    def claim(self, owner: str) -> None:
        self.check_free(owner)
        claim = {"owner": owner, "claim": secrets.token_hex(16)}
        if not self._objects.create(self._path(PRIVATE, "owner"), json.dumps(claim).encode()):
            self.check_free(owner)
        here = self.folder.path / PRIVATE / "owner"
        try:
            if not here.exists() or here.read_text(encoding="utf-8") != owner:
                # Copies of a campaign that somebody removed there must not become this one's.
                shutil.rmtree(self.folder.path, ignore_errors=True)
                here.parent.mkdir(parents=True, exist_ok=True)
                here.write_text(owner, encoding="utf-8")
            Copies(self.folder).save()
        except OSError as error:
            raise InfrastructureError(
                f"The folder {self.folder.path} for copies of results cannot be made: {error}.",
                hint="Check OPPFLOW_WORK and the rights of Airflow's user.",
            ) from error

    def _owner(self) -> str:
        text = self._objects.read(self._path(PRIVATE, "owner"))
        try:
            return str(json.loads(text)["owner"]) if text is not None else ""
        except (ValueError, LookupError, TypeError):
            return ""

    def fetch(self, *names: str) -> None:
        copies = Copies(self.folder)
        infos = self._infos(names)

        def bring(name: str) -> None:
            info = infos.get(name)
            version = None if info is None else _version(info)
            if copies.is_current(name, version):
                return
            stamp = None if info is None else self._download(name, info["size"])
            if stamp is None:
                (self.folder.path / name).unlink(missing_ok=True)
            copies.note(name, stamp, version)

        _at_once(bring, dict.fromkeys(names))
        if infos or self.folder.path.exists():
            copies.save()

    def _download(self, name: str, size: int) -> Stamp | None:
        target = self.folder.path / name
        aside = self.folder.path / PRIVATE / f"{secrets.token_hex(8)}.part"
        aside.parent.mkdir(parents=True, exist_ok=True)
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            if size <= _SMALL:
                content = self._objects.read(self._path(name))
                if content is None:
                    return None  # removed meanwhile
                aside.write_bytes(content)
            else:
                with self.chunks(name) as chunks, aside.open("wb") as file:
                    for chunk in chunks:
                        file.write(chunk)
            stamp = stamp_of(aside)
            aside.replace(target)
        except FileNotFoundError:
            return None  # removed meanwhile
        finally:
            aside.unlink(missing_ok=True)
        return stamp

    def publish(self) -> None:
        copies = Copies(self.folder)
        names = [name for name, _ in files_in(self.folder.path)]
        there = self._versions(names)
        new = [name for name in names if not copies.is_current(name, there.get(name))]
        stamps = {name: stamp_of(self.folder.path / name) for name in new}
        _at_once(self._upload, (name for name in new if name != _MANIFEST))
        if _MANIFEST in new:
            self._upload(_MANIFEST)
        versions = self._versions(new)
        for name in new:
            copies.note(name, stamps[name], versions.get(name))
        if names:
            copies.save()

    def _upload(self, name: str) -> None:
        path = self.folder.path / name
        with path.open("rb") as file:
            self._objects.write(self._path(name), read_chunks(file), size=path.stat().st_size)

    def remove(self, name: str) -> None:
        self._objects.remove(self._path(name))
        (self.folder.path / name).unlink(missing_ok=True)

    def is_there(self) -> bool:
        with self._objects.explained(f"Looking for {self.name}"):
            return bool(self._objects.fs.exists(self._path()))

    def has(self, name: str) -> bool:
        return name in self._versions([name])

    def files(self) -> Iterator[ResultsFile]:
        for name, info in sorted(self._listing().items()):
            yield _file(name, info)

    def find(self, name: str) -> ResultsFile | None:
        parts = name.split("/")
        if name.startswith(PRIVATE) or "\0" in name or not all(set(part) - {"."} for part in parts):
            return None
        info = self._info(name)
        return None if info is None else _file(name, info)

    def chunks(self, name: str) -> AbstractContextManager[Iterator[bytes]]:
        return self._objects.chunks(self._path(name))

    def stamp(self, *names: str) -> Hashable:
        versions = self._versions(names)
        return tuple(versions.get(name) for name in names)

    def _path(self, *names: str) -> str:
        return self._objects.path(self.name, *map(_as_text, names))

    def _versions(self, names: Iterable[str]) -> dict[str, str]:
        """What differs when an object was replaced, of those of these names that are there."""
        return {name: _version(info) for name, info in self._infos(names).items()}

    def _infos(self, names: Iterable[str]) -> dict[str, Json]:
        wanted = list(dict.fromkeys(names))
        if len(wanted) < _MANY:
            found = _at_once(self._info, wanted)
        else:
            there = self._listing()
            found = {name: there.get(_as_text(name)) for name in wanted}
        return {name: info for name, info in found.items() if info is not None}

    def _info(self, name: str) -> Json | None:
        with self._objects.explained(f"Looking for {name}"):
            try:
                info = self._objects.fs.info(self._path(name))
            except FileNotFoundError:
                return None
        return dict(info) if info["type"] == "file" else None

    def _listing(self) -> dict[str, Json]:
        top = self._path()
        with self._objects.explained(f"Listing {self.name}"):
            try:
                found = self._objects.fs.find(top, detail=True)
            except FileNotFoundError:
                return {}
        names = {path[len(top) + 1 :]: dict(info) for path, info in found.items()}
        return {
            name: info
            for name, info in names.items()
            if info["type"] == "file" and not name.startswith(PRIVATE) and not name.endswith("/")
        }


def _at_once(call: Callable[[str], _T], names: Iterable[str]) -> dict[str, _T]:
    """What a call returns for each name, several at a time; the first error ends it."""
    wanted = list(names)
    if len(wanted) < 2:
        return {name: call(name) for name in wanted}
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        return dict(zip(wanted, pool.map(call, wanted), strict=True))


def _as_text(name: str) -> str:
    """A file's name as an object can have it: bytes that are no text become ``%XX``."""
    return "".join(f"%{ord(c) - 0xDC00:02X}" if "\udc80" <= c <= "\udcff" else c for c in name)


def _version(info: Json) -> str:
    tag = info.get("ETag") or info.get("etag") or info.get("md5Hash")
    return str(tag).strip('"') if tag else f"{info['size']} {_modified(info)!r}"


def _modified(info: Json) -> float:
    for key in ("LastModified", "last_modified", "mtime", "updated", "created"):
        value = info.get(key)
        if isinstance(value, datetime):
            return value.timestamp()
        if isinstance(value, (int, float)):
            return float(value)
    return 0.0


def _file(name: str, info: Json) -> ResultsFile:
    return ResultsFile(name, int(info["size"]), _modified(info))
