"""A container engine for the tests: whether there is one, and a deployment of one's own on it."""

from __future__ import annotations

import functools
import hashlib
import io
import json
import os
import struct
import tarfile
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from oppflow.deployment import Deployment
from oppflow.errors import InfrastructureError
from tests.support.campaigns import make_deployment

IMAGE = os.environ.get("OPPFLOW_TEST_IMAGE", "oppflow/worker:latest")
OMNETPP_IMAGE = os.environ.get("OPPFLOW_TEST_OMNETPP_IMAGE", "oppflow/omnetpp:6.1")


@functools.cache
def why_no_containers(image: str = IMAGE) -> str:
    """Why this machine cannot run tests that need containers of an image; empty if it can."""
    from oppflow.runners.docker.connection import connect

    try:
        with connect() as engine:
            if engine.inspect_image(image) is None:
                return f"the image {image} is not there: make images builds it"
    except InfrastructureError as error:
        return f"no container engine: {error.message}"
    return ""


@contextmanager
def container_deployment(folder: Path, **changes: Any) -> Iterator[Deployment]:
    """A deployment with the docker runner; nothing of it is left on the engine afterwards."""
    name = f"test-{uuid.uuid4().hex[:8]}"
    made = {"runner": "docker", "images": (IMAGE,), "deployment": name, **changes}
    try:
        yield make_deployment(folder, **made)
    finally:
        remove_all(name)


def remove_all(deployment: str) -> None:
    """Remove every container and volume of a deployment."""
    from oppflow.runners.docker.connection import connect

    with connect() as engine:
        for container in containers(deployment):
            engine.remove(container["Id"])
        for volume in engine.volumes({"oppflow.deployment": deployment}):
            engine.remove_volume(volume["Name"])


def containers(deployment: str) -> list[dict[str, Any]]:
    """The deployment's containers, ended ones too."""
    from oppflow.runners.docker.connection import connect

    with connect() as engine:
        return engine.containers({"oppflow.deployment": deployment})


def simulating(deployment: str) -> list[dict[str, Any]]:
    """The deployment's containers that simulate right now."""
    found = containers(deployment)
    return [one for one in found if one["State"] == "running" and one["Labels"].get("oppflow.runs")]


def inspect(container: str) -> dict[str, Any]:
    """What the engine knows of a container."""
    from oppflow.runners.docker.connection import connect

    with connect() as engine:
        found = engine.inspect(container)
    assert found is not None
    return found


@contextmanager
def foreign_image(architecture: str) -> Iterator[str]:
    """An image for another processor, with a python3 that only that one could execute."""
    import docker

    program = b"\x7fELF\x02\x01\x01" + bytes(9) + struct.pack("<HHI", 2, 22, 1) + bytes(104)
    layer = _tar({"usr/bin/python3": program, "bin/sh": program})
    config = {
        "architecture": architecture,
        "os": "linux",
        "config": {"Env": ["PATH=/usr/bin"]},
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{hashlib.sha256(layer).hexdigest()}"]},
    }
    tag = f"oppflow-test/{uuid.uuid4().hex[:8]}:latest"
    manifest = [{"Config": "config.json", "RepoTags": [tag], "Layers": ["layer.tar"]}]
    parts = {"manifest.json": manifest, "config.json": config}
    files = {name: json.dumps(part).encode() for name, part in parts.items()}
    client = docker.from_env()
    try:
        client.images.load(_tar({**files, "layer.tar": layer}))
        yield tag
        client.images.remove(tag, force=True)
    finally:
        client.close()


def _tar(files: Mapping[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for name, content in files.items():
            header = tarfile.TarInfo(name)
            header.size, header.mode = len(content), 0o755
            tar.addfile(header, io.BytesIO(content))
    return buffer.getvalue()


@contextmanager
def built_image(dockerfile: str, **files: bytes) -> Iterator[str]:
    """An image for one test; ``files`` lie beside the Dockerfile."""
    import docker

    context = io.BytesIO(_tar({"Dockerfile": dockerfile.encode(), **files}))
    tag = f"oppflow-test/{uuid.uuid4().hex[:8]}:latest"
    client = docker.from_env()
    try:
        client.images.build(fileobj=context, custom_context=True, tag=tag, rm=True)
        yield tag
        client.images.remove(tag, force=True)
    finally:
        client.close()
