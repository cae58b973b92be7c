"""What all stores do alike with the bytes and names that pass through them."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from oppflow.errors import ArchiveError, ArchiveMissingError, ParameterError
from oppflow.store.interface import StoredArchive

_DIGEST = re.compile(r"[0-9a-f]{64}")
_KIND = re.compile(r"[a-z][a-z0-9_-]{0,31}")

# What nobody has written to for this long, in seconds, belongs to a writer that is dead.
STALE_AFTER = 24 * 3600


def checked_digest(digest: str) -> str:
    """The digest, if it is one: it becomes part of names, and must not lead elsewhere."""
    if not _DIGEST.fullmatch(digest):
        raise ParameterError(
            f"{digest!r} is no archive's name: those are 64 hexadecimal digits, lower case."
        )
    return digest


def record_name(kind: str, key: str) -> tuple[str, str]:
    """The record's kind, checked, and a name of 64 characters for its key, whatever that is."""
    if not _KIND.fullmatch(kind):
        raise ParameterError(f"{kind!r} is no kind of record: those are short words, lower case.")
    return kind, hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()


def encode_record(key: str, value: Mapping[str, Any], **extra: str) -> bytes:
    """The record as text; its key, which its name hides, is in it for whoever looks."""
    return json.dumps({**extra, "key": key, "value": dict(value)}).encode()


def decode_record(text: bytes) -> dict[str, Any] | None:
    """The value of an encoded record, None if it is damaged."""
    try:
        value = json.loads(text)["value"]
    except (ValueError, LookupError, TypeError):
        return None
    return value if isinstance(value, dict) else None


class Tally:
    """Counts and digests chunks that pass through."""

    def __init__(self) -> None:
        self._digest = hashlib.sha256()
        self._size = 0

    def count(self, chunks: Iterable[bytes]) -> Iterator[bytes]:
        """The same chunks."""
        for chunk in chunks:
            self._digest.update(chunk)
            self._size += len(chunk)
            yield chunk

    @property
    def archive(self) -> StoredArchive:
        """What the chunks that passed are as an archive."""
        return StoredArchive(self._digest.hexdigest(), self._size)


def verified(chunks: Iterable[bytes], digest: str, where: str) -> Iterator[bytes]:
    """The chunks of an archive, the last one after the digest of all was found right."""
    tally = Tally()
    held = b""
    for chunk in tally.count(chunks):
        if held:
            yield held
        held = chunk
    if tally.archive.digest != digest:
        raise ArchiveError(
            f"The archive {digest} in the store {where} is damaged: its {tally.archive.size} bytes "
            f"have the SHA-256 {tally.archive.digest}.",
            hint="Delete it from the store and run the campaign again; check the store's disk.",
        )
    if held:
        yield held


def missing_error(digest: str, where: str) -> ArchiveMissingError:
    """The error for an archive that is not there."""
    return ArchiveMissingError(
        f"The store {where} does not hold the archive {digest}.",
        hint="It was kept for less time than the campaign took, or somebody emptied the store: "
        "clear the campaign's first task to make it again, and raise the store's retention.",
    )
