"""Find the store that a URL names."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from urllib.parse import unquote, urlsplit

from oppflow.errors import ParameterError
from oppflow.file_systems import knows, redacted
from oppflow.store.file_store import FileStore
from oppflow.store.interface import Store
from oppflow.store.object_store import ObjectStore

__all__ = ["open_store", "redacted"]

Opener = Callable[[str, "int | None"], Store]

_KNOWN = (
    "file:///FOLDER, redis://HOST:PORT/DB, rediss://HOST:PORT/DB, unix:///SOCKET?db=DB, or "
    "s3://BUCKET/PATH and what else fsspec knows"
)


def open_store(url: str, *, ttl_seconds: int | None = None) -> Store:
    """The store at ``url``; nothing is connected to before it is used.

    ``ttl_seconds`` is how long what nobody uses is kept, None: until it is deleted. An object store
    has rules of its own for that instead.

    Raises:
        ParameterError: The URL names no store, or the retention is not positive.
    """
    if ttl_seconds is not None and ttl_seconds <= 0:
        raise ParameterError(f"A store's retention of {ttl_seconds} s keeps nothing.")
    scheme, separator, _ = url.partition("://")
    if separator and scheme.lower() in _OPENERS:
        return _OPENERS[scheme.lower()](url, ttl_seconds)
    if separator and knows(scheme):
        return ObjectStore(url, redacted(url))
    raise ParameterError(
        f"{redacted(url)!r} names no store.", hint=f"Set OPPFLOW_STORE_URL to one of: {_KNOWN}."
    )


def _open_files(url: str, ttl_seconds: int | None) -> Store:
    parts = urlsplit(url)
    path = unquote(parts.path)
    if parts.netloc not in ("", "localhost") or parts.query or path in ("", "/"):
        raise ParameterError(
            f"{redacted(url)!r} names no folder.", hint="Write file:///FOLDER, three slashes."
        )
    return FileStore(Path(path), ttl_seconds=ttl_seconds)


def _open_redis(url: str, ttl_seconds: int | None) -> Store:
    # Its client takes longer to import than a short run to simulate: only for those who use it.
    from oppflow.store.redis_store import RedisStore  # noqa: PLC0415

    return RedisStore(url, redacted(url), ttl_seconds=ttl_seconds)


_OPENERS: dict[str, Opener] = {
    "file": _open_files,
    "redis": _open_redis,
    "rediss": _open_redis,
    "unix": _open_redis,
}
