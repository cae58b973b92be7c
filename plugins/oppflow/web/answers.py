"""How answers leave: as JSON that any text survives, with an ETag, from threads of their own."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import AsyncIterator, Callable, Iterator
from functools import partial
from typing import Any, TypeVar

import anyio
import anyio.to_thread
from fastapi import HTTPException, Request, Response
from starlette.responses import StreamingResponse

T = TypeVar("T")

_READERS, _DOWNLOADS = 6, 4  # threads; Airflow's own requests have others
_PATIENCE = 15.0  # seconds
_limiters: dict[str, anyio.CapacityLimiter] = {}


def _limiter(name: str, size: int) -> anyio.CapacityLimiter:
    """Made when there is an event loop, and one for all."""
    return _limiters.setdefault(name, anyio.CapacityLimiter(size))


async def in_thread(call: Callable[..., T], *args: Any, **options: Any) -> T:
    """Call what may wait for a disk or a store, beside the event loop.

    A store that hangs holds up a few threads of this page, and nothing of Airflow's.

    Raises:
        HTTPException: 503, where it took too long.
    """
    with anyio.move_on_after(_PATIENCE):
        return await anyio.to_thread.run_sync(
            partial(call, *args, **options),
            abandon_on_cancel=True,
            limiter=_limiter("readers", _READERS),
        )
    raise HTTPException(503, "The store or the results folder does not answer. Try again later.")


def json_answer(value: Any) -> Response:
    """JSON in ASCII: halves of surrogate pairs in a model's names would not survive UTF-8."""
    try:
        text = json.dumps(value, allow_nan=False, separators=(",", ":"), default=str)
    except ValueError:
        text = json.dumps(_finite(value), separators=(",", ":"), default=str)
    return Response(
        text, media_type="application/json", headers={"Cache-Control": "private, no-cache"}
    )


def _finite(value: Any) -> Any:
    """The value with null for numbers that JSON does not know."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(item) for item in value]
    return value


def etag_of(request: Request, *parts: Any) -> str:
    """The ETag of what a request gets while ``parts`` are what they are."""
    text = json.dumps([request.url.path, request.url.query, *map(str, parts)])
    return f'W/"{hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:24]}"'


async def unless_known(request: Request, etag: str, make: Callable[[], Any]) -> Response:
    """What ``make`` returns as JSON, or 304 where the client has it already."""
    if etag in request.headers.get("if-none-match", ""):
        return Response(
            status_code=304, headers={"ETag": etag, "Cache-Control": "private, no-cache"}
        )
    answer = json_answer(await in_thread(make))
    answer.headers["ETag"] = etag
    return answer


def download(
    chunks: Iterator[bytes], name: str, *, media_type: str, size: int | None = None
) -> StreamingResponse:
    """A file of that name, sent as it is read; ``size`` in bytes where it is known."""
    plain = "".join(c if c.isascii() and (c.isalnum() or c in "._-+=,#") else "_" for c in name)
    headers = {
        "Content-Disposition": f'attachment; filename="{plain}"',
        # Else Airflow compresses it, which costs more than it saves, and loses the length.
        "Content-Encoding": "identity",
        "Cache-Control": "private, no-store",
        "X-Content-Type-Options": "nosniff",
    }
    if size is not None:
        headers["Content-Length"] = str(size)
    return StreamingResponse(_sent(chunks), media_type=media_type, headers=headers)


async def _sent(chunks: Iterator[bytes]) -> AsyncIterator[bytes]:
    limiter = _limiter("downloads", _DOWNLOADS)
    try:
        while (
            chunk := await anyio.to_thread.run_sync(next, chunks, None, limiter=limiter)
        ) is not None:
            if chunk:
                yield chunk
    finally:
        close = getattr(chunks, "close", None)
        if close is not None:
            close()
