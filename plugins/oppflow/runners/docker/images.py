"""Worker images: which one a campaign takes, pulled if need be, and known by its ID ever after."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from oppflow.errors import HostError, InfrastructureError, ParameterError
from oppflow.runners.docker.engine import Engine, RefusedError

log = logging.getLogger(__name__)

ENGINE_LABEL = "oppflow.engine"  # embedded or omnetpp


@dataclass(frozen=True)
class Image:
    """An image on the engine: as it was asked for, its ID and processor."""

    name: str
    id: str
    architecture: str


def choose(engine: Engine, images: Sequence[str], wanted: str, model_engine: str) -> str:
    """The image's name: the one that was chosen, else the first that is for the model's engine.

    Which engine an image is for, its label tells; one without is somebody else's.

    Raises:
        ParameterError: it is not among those that the deployment allows.
    """
    if not images:
        raise ParameterError("OPPFLOW_IMAGES names no worker image.")
    if wanted and wanted not in images:
        raise ParameterError(
            f"The image {wanted!r} is none of this deployment's.",
            hint=f"Choose one of {', '.join(images)}; OPPFLOW_IMAGES lists them.",
        )
    return wanted or _first_for(engine, images, model_engine) or images[0]


def _first_for(engine: Engine, images: Sequence[str], model_engine: str) -> str:
    for name in images:
        found = engine.inspect_image(name) or {}
        labels = (found.get("Config") or {}).get("Labels") or {}
        if labels.get(ENGINE_LABEL) == model_engine:
            return name
    return ""


def resolve(engine: Engine, name: str) -> Image:
    """The image of that name, pulled if the engine does not have it.

    Raises:
        ParameterError: it is not there, and no registry gives it.
        InfrastructureError: the engine or the registry has a bad moment.
    """
    found = engine.inspect_image(name)
    if found is None:
        _pull(engine, name)
        found = engine.inspect_image(name)
    if found is None:
        raise InfrastructureError(f"The image {name} was pulled, and is gone again.")
    return _image(name, found)


def find(engine: Engine, image_id: str, images: Sequence[str]) -> Image:
    """The campaign's image on this engine, which may be another one than it was resolved on.

    Raises:
        HostError: none of ``images`` has that ID here.
    """
    found = engine.inspect_image(image_id)
    if found is not None:
        return _image(next(iter(found.get("RepoTags") or []), image_id), found)
    for name in images:
        try:
            image = resolve(engine, name)
        except ParameterError:
            continue
        if image.id == image_id:
            return image
    raise HostError(
        f"The image {image_id} of this campaign is not on the container engine at {engine.url}.",
        hint="It was removed or built anew since the campaign began: start the campaign again. "
        "Where tasks run on several machines, each needs the same image.",
    )


def _image(name: str, found: dict[str, Any]) -> Image:
    return Image(name, found["Id"], found.get("Architecture", ""))


def _pull(engine: Engine, name: str) -> None:
    log.info("Pulling the image %s", name)
    told: dict[str, str] = {}
    try:
        for step in engine.pull(name):
            status, layer = step.get("status", ""), step.get("id", "")
            if status and told.get(layer) != status:
                told[layer] = status
                log.info("%s %s", layer, status)
    except RefusedError as error:
        raise ParameterError(
            f"The image {name} is not on the container engine, and cannot be pulled: "
            f"{error.message}",
            hint="Build it (make images), choose another image, or check its name in "
            "OPPFLOW_IMAGES.",
        ) from error
