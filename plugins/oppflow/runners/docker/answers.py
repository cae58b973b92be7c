"""Answers of the engine that are read bit by bit, and closed also where not read to their end.

docker-py has generators for them, whose connections stay open when nobody wants the rest.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import requests
from docker import APIClient
from docker.errors import create_api_error_from_http_exception

_TIMEOUT = 120.0  # seconds without a byte


@contextmanager
def answer(
    client: APIClient,
    container: str,
    what: str,
    *,
    method: str = "GET",
    timeout: float | None = _TIMEOUT,
    **params: Any,
) -> Iterator[requests.Response]:
    """The engine's answer to a question about a container.

    Raises:
        docker.errors.APIError: it refuses.
    """
    url = f"{client.base_url}/v{client.api_version}/containers/{container}/{what}"
    with client.request(method, url, params=params, timeout=timeout, stream=True) as response:
        try:
            response.raise_for_status()
        except requests.HTTPError as error:
            create_api_error_from_http_exception(error)  # raises it
        yield response


def frames(response: requests.Response) -> Iterator[bytes]:
    """What is in an answer's frames: 8 bytes, the last four of which say how many follow.

    Format: Engine API, "Attach to a container", stream format.
    """
    while head := response.raw.read(8):
        (length,) = struct.unpack(">4xL", head)
        yield response.raw.read(length)
