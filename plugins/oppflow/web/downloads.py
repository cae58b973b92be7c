"""Results as streams: one archive, one file, or a tar that is made while it is read."""

from __future__ import annotations

import tarfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

import polars as pl

from oppflow.archive.streams import CHUNK, decompress_stream, read_chunks
from oppflow.campaign import RunRecord
from oppflow.deployment import Deployment
from oppflow.errors import OppflowError
from oppflow.results import CampaignResults
from oppflow.stages.simulate import run_record_key
from oppflow.store import Store
from oppflow.web.results import NotThereError, file_in
from oppflow.web.state import CampaignState
from oppflow.web.states import WAITING
from oppflow.worker.packing import safe_name

_RECORDS_AT_ONCE = 200


@dataclass(frozen=True)
class Member:
    """A file on its way into a tar: its name there, its size in bytes, its time, its content."""

    name: str
    size: int
    modified: float
    chunks: Iterable[bytes]


def tar_of(members: Iterable[Member]) -> Iterator[bytes]:
    """The tar of the members, in pieces of at most about 1 MiB."""
    for member in members:
        header = tarfile.TarInfo(member.name)
        header.size, header.mtime, header.mode = member.size, int(member.modified), 0o644
        yield header.tobuf(tarfile.PAX_FORMAT, "utf-8", "surrogateescape")
        yield from _exactly(member.chunks, member.size)
        yield b"\0" * (-member.size % tarfile.BLOCKSIZE)
    yield b"\0" * (2 * tarfile.BLOCKSIZE)


def _exactly(chunks: Iterable[bytes], size: int) -> Iterator[bytes]:
    """So many bytes, as the header promised: a file may change while it is read."""
    left = size
    for chunk in chunks:
        yield chunk[:left]
        left -= min(left, len(chunk))
        if left == 0:
            return
    while left:
        yield b"\0" * min(left, CHUNK)
        left -= min(left, CHUNK)


def file_chunks(results: CampaignResults, name: str) -> Iterator[bytes]:
    """The content of a file among a campaign's results."""
    with results.chunks(name) as chunks:
        yield from chunks


def archive_chunks(store: Store, digest: str) -> Iterator[bytes]:
    """An archive as the store holds it: tar, compressed by zstd."""
    with store.open(digest) as stream:
        yield from read_chunks(stream)


def folder_members(results: CampaignResults) -> Iterator[Member]:
    """Every file of a campaign's folder, below a folder of its name."""
    for file in results.files():
        chunks = file_chunks(results, file.name)
        yield Member(f"{results.name}/{file.name}", file.size, file.modified, chunks)


def run_members(
    deployment: Deployment, state: CampaignState, rows: pl.DataFrame
) -> Iterator[Member]:
    """The files of the runs in ``rows``, each run's out of its archive, else out of the folder.

    What cannot be had is named in a last file, ``MISSING.txt``.
    """
    results = state.results(deployment)
    top = state.packed.results if state.packed else "results"
    taken: set[str] = set()
    lost: list[str] = []
    for record, result_name in _records(deployment.store, state, rows, lost):
        try:
            for member in _members(deployment.store, results, record):
                name = member.name
                if name in taken:
                    name = f"runs/{safe_name(result_name)}/{name}"
                taken.add(name)
                yield Member(f"{top}/{name}", member.size, member.modified, member.chunks)
        except (OppflowError, NotThereError) as error:  # noqa: PERF203 - each run on its own
            lost.append(f"run {record.number}: {error}")
    if lost:
        text = "".join(f"{line}\n" for line in lost).encode("utf-8", "replace")
        yield Member(f"{top}/MISSING.txt", len(text), 0, [text])


def _records(
    store: Store, state: CampaignState, rows: pl.DataFrame, lost: list[str]
) -> Iterator[tuple[RunRecord, str]]:
    for part in rows.iter_slices(_RECORDS_AT_ONCE):
        runs = part.select("run", "state", "key", "result_name").rows()
        own = {
            run_record_key(state.packed, run): run
            for run, now, _, _ in runs
            if state.packed is not None and now not in ("reused", WAITING)
        }
        reused = [key for _, now, key, _ in runs if now == "reused" and key]
        found = store.get_records("run", list(own)) | store.get_records("result", reused)
        for run, now, key, result_name in runs:
            name = key if now == "reused" else run_record_key(state.packed, run)  # type: ignore[arg-type]
            if name in found:
                yield RunRecord.from_json({**found[name], "number": run}), result_name
            elif now != WAITING:
                lost.append(f"run {run}: the store has no record of it")


def _members(store: Store, results: CampaignResults | None, record: RunRecord) -> Iterator[Member]:
    if record.archive is None:
        return
    if store.missing([record.archive]):
        yield from _from_folder(results, record)
        return
    with (
        store.open(record.archive) as stream,
        decompress_stream(stream) as plain,
        tarfile.open(fileobj=plain, mode="r|") as tar,
    ):
        for info in tar:
            if info.isreg() and _is_inside(info.name):
                content: Any = tar.extractfile(info)
                yield Member(info.name, info.size, info.mtime, read_chunks(content))


def _is_inside(name: str) -> bool:
    path = PurePosixPath(name)
    return not path.is_absolute() and ".." not in path.parts


def _from_folder(results: CampaignResults | None, record: RunRecord) -> Iterator[Member]:
    if results is None:
        raise NotThereError("its archive is not in the store any more")
    for file in record.files:
        found = file_in(results, file.name)
        yield Member(file.name, found.size, found.modified, file_chunks(results, found.name))


def checked_start(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """The same chunks, the first one read already: what is not there is told before any answer."""
    first = next(chunks, b"")

    def rest() -> Iterator[bytes]:
        yield first
        yield from chunks

    return rest()


def table_for_export(frame: pl.DataFrame) -> pl.DataFrame:
    """The table of runs as a file has it: iteration variables under their own names if they can."""
    frame = frame.drop("key", "reuse")
    names = {
        name: name.removeprefix("$")
        for name in frame.columns
        if name.startswith("$") and name.removeprefix("$") not in frame.columns
    }
    return frame.rename(names)
