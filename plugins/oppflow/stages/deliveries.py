"""Deliveries: a run's archive out of the store, its files into the campaign's folder.

Whatever is delivered is whole: files are written aside, compared with the run's record, and named
last. ``python -m oppflow.stages.deliveries`` does a share of them in a process of its own, as
thousands of small archives are one core's work for a while.
"""

from __future__ import annotations

import dataclasses
import json
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from oppflow import errors
from oppflow.archive import Limits, explained, extract
from oppflow.errors import ArchiveError, ArchiveLimitError, ArchiveMissingError, OppflowError
from oppflow.store import Store, open_store
from oppflow.worker.children import die_with_parent

Json = dict[str, Any]


@dataclass(frozen=True)
class Delivery:
    """The archive of run ``number``; of each file its name there, its SHA-256, its name at home."""

    number: int
    archive: str
    files: tuple[tuple[str, str, str], ...]

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Delivery:
        """Inverse of `dataclasses.asdict`."""
        files = tuple((name, sha256, at_home) for name, sha256, at_home in data["files"])
        return cls(data["number"], data["archive"], files)


@dataclass(frozen=True)
class Destination:
    """The folders for finished and for unfinished files, on one disk, and what one run may take."""

    home: str
    aside: str
    limits: Limits

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Destination:
        """Inverse of `dataclasses.asdict`."""
        return cls(data["home"], data["aside"], Limits(**data["limits"]))


def deliver(store: Store, delivery: Delivery, destination: Destination) -> str:
    """Bring a run's files home; why that cannot be, empty if all went well.

    Raises:
        StoreError, InfrastructureError: store or disk refuse.
    """
    places = {
        name: f"{destination.aside}/{delivery.number}-{index}"
        for index, (name, _, _) in enumerate(delivery.files)
    }
    try:
        _fetch(store, delivery, places, destination.limits)
    except ArchiveMissingError as error:
        return f"Its results are not in the store any more. {error}"
    except ArchiveLimitError as error:
        return f"Its results stay in the store, and cannot be unpacked here. {error}"
    except ArchiveError as error:
        # Worthless, and in the way: the next campaign would reuse it.
        store.delete(delivery.archive)
        return f"Its results were damaged in the store. {error}"
    for name, _, at_home in delivery.files:
        target = f"{destination.home}/{at_home}"
        with explained(target):
            if "/" in at_home:
                Path(target).parent.mkdir(parents=True, exist_ok=True)
            os.replace(places[name], target)  # noqa: PTH105 -- twice as fast
    return ""


def _fetch(store: Store, delivery: Delivery, places: Mapping[str, str], limits: Limits) -> None:
    with store.open(delivery.archive) as stream:
        found = extract(stream, places, limits=limits)
    expected = {name: sha256 for name, sha256, _ in delivery.files}
    if found != expected:
        odd, _ = min(set(found.items()) ^ set(expected.items()))
        raise ArchiveError(
            f"The archive of run {delivery.number} does not hold what its record says: {odd}."
        )


@dataclass(frozen=True)
class Share:
    """Deliveries for one process; ``ttl`` is the store's retention in seconds."""

    store_url: str
    ttl: int | None
    destination: Destination
    deliveries: Sequence[Delivery]

    def encode(self) -> str:
        """As one line of text; it may hold the store's password."""
        return json.dumps(dataclasses.asdict(self))

    @classmethod
    def decode(cls, text: str) -> Share:
        """Inverse of `encode`."""
        data = json.loads(text)
        return cls(
            data["store_url"],
            data["ttl"],
            Destination.from_json(data["destination"]),
            tuple(map(Delivery.from_json, data["deliveries"])),
        )

    def bring_home(self) -> Json:
        """``troubles`` by run number, of runs that have any; or an ``error`` that ended it all."""
        try:
            with open_store(self.store_url, ttl_seconds=self.ttl) as store:
                found = {d.number: deliver(store, d, self.destination) for d in self.deliveries}
        except OppflowError as error:
            return {"error": [type(error).__name__, error.message, error.hint]}
        return {"troubles": [[number, why] for number, why in found.items() if why]}


def troubles_of(answer: Json) -> dict[int, str]:
    """What a process answered.

    Raises:
        OppflowError: the error that ended it.
    """
    if "error" in answer:
        name, message, hint = answer["error"]
        raise getattr(errors, name)(message, hint=hint)
    return {int(number): why for number, why in answer["troubles"]}


def main() -> None:
    """Read a share from standard input; write its answer."""
    die_with_parent(signal.SIGKILL, os.getppid())
    sys.stdout.write(json.dumps(Share.decode(sys.stdin.read()).bring_home()))


if __name__ == "__main__":
    main()
