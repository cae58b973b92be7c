"""Open the file system that a URL names, with the patience of somebody who waits for it."""

from __future__ import annotations

import logging
import os
from typing import Any

import fsspec
from fsspec.config import conf
from fsspec.core import url_to_fs

from oppflow.errors import ParameterError
from oppflow.object_errors import Place

S3 = ("s3", "s3a")

# Where an object is there at once and whole, and folders are but names. To make one there would
# make the bucket, also one whose name was mistyped.
OBJECT_STORES = (*S3, "gs", "gcs", "az", "abfs", "abfss")

# The client's defaults make whoever mistyped an address wait for minutes. A server that copies
# gigabytes may be silent for a while; s3fs repeats what the client has repeated already.
_PATIENCE = {"connect_timeout": 5, "read_timeout": 60, "max_pool_connections": 64}
_RETRIES = {"mode": "standard", "total_max_attempts": 3}
_RETRIES_OF_RETRIES = 2
# Requests under way at once: more of them wait at a small server, until their time is over.
_AT_ONCE = 32
_RETRIES_GIVEN = ("AWS_MAX_ATTEMPTS", "AWS_RETRY_MODE")

# They tell in every task's log where they found credentials and endpoint.
_TALKATIVE = ("botocore", "aiobotocore")


def redacted(url: str) -> str:
    """The URL without user, password and options, for messages.

    A password may hold any character: all up to the last ``@`` goes, and where that may be in the
    options, everything.
    """
    scheme, separator, rest = url.partition("://")
    if not separator:
        return f"{scheme.partition(':')[0]}:..."
    place, _, options = rest.partition("?")
    return f"{scheme}://..." if "@" in options else f"{scheme}://{place.rpartition('@')[2]}"


def knows(scheme: str) -> bool:
    """Whether there is a file system for URLs of this scheme, installed or not."""
    return scheme in fsspec.available_protocols()


def open_file_system(url: str, place: Place) -> tuple[Any, str]:
    """The file system of a URL, and the URL's path in it; nothing is connected to.

    Raises:
        ParameterError: a package is missing, or the URL names no bucket.
    """
    scheme, _, rest = url.partition("://")
    is_s3 = scheme.lower() in S3
    if is_s3 and (not rest.strip("/") or "@" in rest or "?" in rest):
        raise ParameterError(
            f"{place.url!r} is no address of a bucket.",
            hint=f"Write {place.setting}=s3://BUCKET/PATH; credentials come from "
            "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.",
        )
    try:
        # A cached listing would not show what others store; a cached file system would not see
        # other credentials.
        fs, root = url_to_fs(
            url,
            use_listings_cache=False,
            skip_instance_cache=True,
            **(_s3_options() if is_s3 else {}),
        )
    except (ImportError, ValueError) as error:
        raise ParameterError(
            f"{str(place).capitalize()} cannot be opened: {error}.",
            hint=f"Install the package that it names, or correct {place.setting}.",
        ) from None  # it may quote a secret
    if is_s3:
        fs.retries, fs.batch_size = _RETRIES_OF_RETRIES, _AT_ONCE
    return fs, str(root).rstrip("/")


def _s3_options() -> dict[str, Any]:
    for name in _TALKATIVE:
        logger = logging.getLogger(name)
        if logger.level == logging.NOTSET:
            logger.setLevel(logging.WARNING)
    given = conf.get("s3", {}).get("config_kwargs")
    retries = {} if any(map(os.environ.get, _RETRIES_GIVEN)) else {"retries": _RETRIES}
    known = given if isinstance(given, dict) else {}
    return {"config_kwargs": {**_PATIENCE, **retries, **known}}
