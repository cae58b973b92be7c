"""Every implementation of a store, with a way to look behind it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from oppflow.store import Store, open_store
from tests.store.backstage import Backstage, FilesBackstage, ObjectsBackstage, RedisBackstage
from tests.support.redis_server import NO_REDIS, RedisServer, redis_is_there, running_redis
from tests.support.s3_fixtures import bucket, s3_server  # noqa: F401 - fixtures


@pytest.fixture(scope="session")
def redis_server() -> Iterator[RedisServer]:
    if not redis_is_there():
        pytest.skip(NO_REDIS)
    with running_redis() as server:
        yield server


@pytest.fixture(params=["files", "redis", "redis over a socket", "local", "memory", "s3"])
def backstage(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Backstage]:
    if request.param == "files":
        yield FilesBackstage(tmp_path / "a store")
        return
    if request.param in ("local", "memory"):
        yield ObjectsBackstage(f"{request.param}://{tmp_path}/store")
        return
    if request.param == "s3":
        yield ObjectsBackstage(request.getfixturevalue("bucket"))
        return
    server: RedisServer = request.getfixturevalue("redis_server")
    backstage = RedisBackstage(server.url if request.param == "redis" else server.socket_url)
    yield backstage
    backstage.client.close()


@pytest.fixture
def store(backstage: Backstage) -> Iterator[Store]:
    with open_store(backstage.url) as store:
        yield store
