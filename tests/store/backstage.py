"""What tests do behind a store's back, for every implementation."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Protocol

import redis
from fsspec.core import url_to_fs

from oppflow.store.content import record_name


class Backstage(Protocol):
    """What tests do behind a store's back; names are of archives or of ``kind/key`` records."""

    url: str
    retains: bool  # whether what nobody uses goes
    is_shared: bool  # whether other processes see it
    claims_safely: bool  # whether one of many who claim a record at once gets it
    many: int  # how many records can be looked for in a few seconds

    def archives(self) -> list[str]:
        """Digests of all archives that can be seen."""

    def incoming(self) -> int:
        """How many unfinished archives lie about."""

    def damage(self, digest: str) -> None:
        """Change one byte of an archive."""

    def damage_record(self, kind: str, key: str) -> None:
        """Leave half a record."""

    def set_age(self, digest: str, remaining: float, ttl: int) -> None:
        """Make an archive expire in ``remaining`` seconds."""

    def remaining(self, digest: str, ttl: int) -> float:
        """Seconds until an archive expires."""


class FilesBackstage:
    def __init__(self, root: Path) -> None:
        self.root = root
        self.url = root.as_uri()
        self.retains = self.is_shared = self.claims_safely = True
        self.many = 10_000

    def archives(self) -> list[str]:
        return [path.name for path in self.root.glob("archives/*/*")]

    def incoming(self) -> int:
        return len(list(self.root.glob("incoming/*")))

    def _path(self, digest: str) -> Path:
        return self.root / "archives" / digest[:2] / digest

    def damage(self, digest: str) -> None:
        with self._path(digest).open("r+b") as file:
            file.write(b"?")

    def damage_record(self, kind: str, key: str) -> None:
        name = record_name(kind, key)[1]
        (self.root / "records" / kind / name[:2] / f"{name}.json").write_bytes(b'{"val')

    def set_age(self, digest: str, remaining: float, ttl: int) -> None:
        used = time.time() - ttl + remaining
        os.utime(self._path(digest), (used, used))

    def remaining(self, digest: str, ttl: int) -> float:
        return self._path(digest).stat().st_mtime + ttl - time.time()


class RedisBackstage:
    def __init__(self, url: str) -> None:
        self.url = url
        self.retains = self.is_shared = self.claims_safely = True
        self.many = 10_000
        self.client = redis.Redis.from_url(url)
        self.client.flushall()

    def archives(self) -> list[str]:
        return [name.decode().rpartition(":")[2] for name in self._keys("archive")]

    def incoming(self) -> int:
        return len(self._keys("incoming"))

    def _keys(self, kind: str) -> list[bytes]:
        return list(self.client.scan_iter(f"oppflow:{kind}:*"))

    def damage(self, digest: str) -> None:
        name = f"oppflow:archive:{digest}"
        self.client.hset(name, "0", b"?" + self.client.hget(name, "0")[1:])

    def damage_record(self, kind: str, key: str) -> None:
        self.client.set(f"oppflow:record:{kind}:{record_name(kind, key)[1]}", b'{"val')

    def set_age(self, digest: str, remaining: float, ttl: int) -> None:  # noqa: ARG002 - as below
        self.client.expire(f"oppflow:archive:{digest}", int(remaining))

    def remaining(self, digest: str, ttl: int) -> float:  # noqa: ARG002 - Redis counts down
        return self.client.pttl(f"oppflow:archive:{digest}") / 1000


class ObjectsBackstage:
    def __init__(self, url: str) -> None:
        self.url = url
        self.retains = False
        self.is_shared = not url.startswith("memory:")
        self.claims_safely = self.is_s3 = url.startswith("s3:")
        self.many = 200 if self.is_s3 else 10_000  # each is a request to a server in Python
        self._fs, self._root = url_to_fs(url, use_listings_cache=False, skip_instance_cache=True)

    def archives(self) -> list[str]:
        return [path.rpartition("/")[2] for path in self._fs.find(f"{self._root}/archives")]

    def incoming(self) -> int:
        return len(self._fs.find(f"{self._root}/incoming")) + len(self.uploads())

    def uploads(self) -> list[str]:
        """Keys of uploads in parts that were neither completed nor aborted."""
        if not self.is_s3:
            return []
        bucket = self._root.partition("/")[0]
        return [upload["Key"] for upload in self._fs.list_multipart_uploads(bucket)]

    def damage(self, digest: str) -> None:
        path = f"{self._root}/archives/{digest}"
        self._fs.pipe_file(path, b"?" + self._fs.cat_file(path)[1:])

    def damage_record(self, kind: str, key: str) -> None:
        self._fs.pipe_file("/".join((self._root, "records", *record_name(kind, key))), b'{"val')

    def set_age(self, digest: str, remaining: float, ttl: int) -> None:
        raise NotImplementedError

    def remaining(self, digest: str, ttl: int) -> float:
        raise NotImplementedError
