"""A lock on a volume, for all who use the engine: a container with the lock's name.

It runs for as long as its standard input is open, and that ends with whoever started it, however
they ended. So a lock whose container does not run belongs to nobody.
"""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Callable, Iterator

from oppflow.errors import InfrastructureError
from oppflow.runners.docker.engine import Engine, Json, NameTaken

log = logging.getLogger(__name__)

_SUFFIX = "-keeper"
_INTERVAL = 0.2  # seconds between two looks
_PATIENCE = 3600.0  # seconds: nothing that fits the limits takes that long
_STILLBORN = 10.0  # seconds after which a container that was not started never will be


@contextlib.contextmanager
def holding(
    engine: Engine, volume: str, config: Json, *, unless: Callable[[], bool]
) -> Iterator[str | None]:
    """Hold a volume's lock; its container's ID, or None as soon as ``unless`` is true.

    Raises:
        InfrastructureError: somebody has held the lock for too long.
    """
    keeper = _acquire(engine, volume + _SUFFIX, config, unless)
    if keeper is None:
        yield None
        return
    try:
        with engine.started(keeper):
            yield None if unless() else keeper
    finally:
        engine.remove(keeper)


def is_abandoned(name: str, state: str) -> bool:
    """Whether a container is a lock that nobody holds any more."""
    return name.endswith(_SUFFIX) and state == "exited"


def _acquire(engine: Engine, name: str, config: Json, unless: Callable[[], bool]) -> str | None:
    begin = time.monotonic()
    seen: dict[str, float] = {}
    while not unless():
        try:
            return engine.create(name, config)
        except NameTaken:
            pass
        if not seen:
            log.info("Another task is at work on %s: waiting", name.removesuffix(_SUFFIX))
        _remove_abandoned(engine, name, seen)
        if time.monotonic() - begin > _PATIENCE:
            raise InfrastructureError(
                f"The container {name} has been there for an hour.",
                hint="Remove it if no task is at work on its volume.",
            )
        time.sleep(_INTERVAL)
    return None


def _remove_abandoned(engine: Engine, name: str, seen: dict[str, float]) -> None:
    """Remove a keeper whose owner is gone: it ended, or was created and never started."""
    found = engine.inspect(name)
    if found is None:
        return
    age = time.monotonic() - seen.setdefault(found["Id"], time.monotonic())
    state = found["State"]["Status"]
    if is_abandoned(name, state) or (state == "created" and age > _STILLBORN):
        engine.remove(found["Id"])
