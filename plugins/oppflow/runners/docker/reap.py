"""Removing what campaigns left on the engine and nobody will come back for."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from datetime import datetime, timedelta, timezone

from oppflow.errors import InfrastructureError
from oppflow.runners.docker.engine import Engine, Json
from oppflow.runners.docker.keeper import is_abandoned
from oppflow.runners.docker.labels import TaskInstance, deployment_label

log = logging.getLogger(__name__)

_KEPT = timedelta(days=14)


def reap(engine: Engine, deployment: str, is_over: Callable[[TaskInstance], bool]) -> list[str]:
    """Remove a deployment's containers that belong to nobody, and volumes of trees that are old.

    ``is_over`` tells whether a task instance has ended for good: one that will be tried again goes
    on with its container. A volume that a container uses stays, and so does a young one, as the
    next campaign may want it. Returns the names of what is gone.
    """
    gone = []
    for container in engine.containers(deployment_label(deployment)):
        name = container["Names"][0].lstrip("/")
        task = TaskInstance.from_labels(container["Labels"])
        if is_abandoned(name, container["State"]) or (task.dag_id and is_over(task)):
            engine.remove(container["Id"])
            gone.append(name)
    oldest = datetime.now(timezone.utc) - _KEPT
    old = (v["Name"] for v in engine.volumes(deployment_label(deployment)) if _created(v) < oldest)
    gone += [name for name in old if _removed(engine, name)]
    for name in gone:
        log.info("Removed %s, which belonged to nobody any more", name)
    return gone


def _removed(engine: Engine, name: str) -> bool:
    try:
        return engine.remove_volume(name)
    except InfrastructureError as error:
        log.warning("%s", error)
        return False


def _created(volume: Json) -> datetime:
    """When a volume was made: RFC 3339, which Python 3.10 reads in its plainest form only."""
    text = re.sub(r"\.\d+", "", volume["CreatedAt"]).replace("Z", "+00:00")
    return datetime.fromisoformat(text)
