"""Where the container engine is, and how to reach it: as Docker's own programs are told."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from airflow.providers.docker.hooks.docker import DockerHook
from airflow.sdk.exceptions import AirflowException

from oppflow.errors import HostError
from oppflow.runners.docker.engine import BROKEN, Engine

_DEFAULT_URL = "unix:///var/run/docker.sock"
_TIMEOUT = 120  # seconds without an answer: removing large volumes takes long


def connect(docker_conn_id: str = "") -> Engine:
    """Connect to the engine that ``DOCKER_HOST`` names, by default this machine's.

    ``DOCKER_TLS_VERIFY`` and ``DOCKER_CERT_PATH`` are heeded, too. ``docker_conn_id`` is Airflow's
    connection with the image registry's credentials.

    Raises:
        HostError: nobody answers there, or it refuses to talk to us.
    """
    url = os.environ.get("DOCKER_HOST") or _DEFAULT_URL
    try:
        hook = DockerHook(
            docker_conn_id=docker_conn_id or None,
            base_url=url,
            version="auto",
            tls=_tls(),
            timeout=_TIMEOUT,
        )
        return Engine(hook.api_client, url)
    except (AirflowException, *BROKEN) as error:
        raise HostError(
            f"No container engine answers at {url}: {error}", hint=_hint(url)
        ) from error


def _tls() -> Any:
    if not os.environ.get("DOCKER_TLS_VERIFY"):
        return False
    folder = Path(os.environ.get("DOCKER_CERT_PATH") or Path.home() / ".docker")
    return DockerHook.construct_tls_config(
        ca_cert=str(folder / "ca.pem"),
        client_cert=str(folder / "cert.pem"),
        client_key=str(folder / "key.pem"),
    )


def _hint(url: str) -> str:
    path = Path(url.removeprefix("unix://"))
    if url.startswith("unix://") and path.exists() and not os.access(path, os.R_OK | os.W_OK):
        return f"This user may not open {path}: add it to the group that owns the socket."
    return (
        "Start the engine, or set DOCKER_HOST to where it is. OPPFLOW_RUNNER=process works "
        "without one."
    )
