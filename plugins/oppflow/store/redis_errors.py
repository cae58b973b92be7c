"""Say what a Redis error means for who runs campaigns."""

from __future__ import annotations

from redis.exceptions import NoPermissionError, OutOfMemoryError, ReadOnlyError

from oppflow.errors import StoreError
from oppflow.store.patience import RefusedError

_LONGEST = 200  # characters: the library quotes commands, and an archive's bytes with them

_NO_MEMORY = (
    "Redis' memory is full: raise its maxmemory, lower the store's retention, or use a store on "
    "disk (OPPFLOW_STORE_URL=file:///FOLDER)."
)
_NO_ENTRY = (
    "Set user and password in OPPFLOW_STORE_URL: redis://USER:PASSWORD@HOST:PORT/DB, with %XX for "
    "special characters; the user needs all commands on the keys oppflow:*."
)
_NO_DISK = (
    "Redis cannot save to its disk and so refuses to write: make room there, or see Redis' own log."
)
_NO_WRITING = "This Redis is a replica: name the primary in OPPFLOW_STORE_URL."
_NO_SERVER = "Check that Redis runs, and that host, port and TLS in OPPFLOW_STORE_URL are right."


def explain(error: Exception, what: str, where: str) -> StoreError:
    """The error for what the Redis server at ``where`` said to ``what``.

    Trying again does not mend a wrong password or a missing permission, so those are not transient.
    """
    why = str(error)[:_LONGEST].rstrip(".")
    explained = StoreError(f"{what} in the store {where} failed: {why}.", hint=_hint(error))
    explained.transient = not isinstance(error, (RefusedError, NoPermissionError))
    return explained


def _hint(error: Exception) -> str:
    text = str(error)
    if isinstance(error, OutOfMemoryError):
        return _NO_MEMORY
    if isinstance(error, (RefusedError, NoPermissionError)):
        return _NO_ENTRY
    if "MISCONF" in text:
        return _NO_DISK
    if isinstance(error, ReadOnlyError):
        return _NO_WRITING
    return _NO_SERVER
