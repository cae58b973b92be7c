"""What a store on S3 does beyond the contract of all stores."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import warnings
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from oppflow.archive.streams import as_stream
from oppflow.errors import StoreError
from oppflow.objects import Objects
from oppflow.store import open_store
from oppflow.store.object_store import ObjectStore
from tests.support.s3_server import S3Server

MIB = 2**20


def name_of(url: str) -> str:
    return url.removeprefix("s3://").partition("/")[0]


def uploads(server: S3Server, url: str) -> list[dict[str, Any]]:
    """Uploads in parts that were begun and not ended."""
    found = server.client("s3").list_multipart_uploads(Bucket=name_of(url))
    return list(found.get("Uploads", []))


def parts(server: S3Server, url: str) -> list[int]:
    """Sizes of the parts of the one upload that is under way."""
    (upload,) = uploads(server, url)
    found = server.client("s3").list_parts(
        Bucket=name_of(url), Key=upload["Key"], UploadId=upload["UploadId"]
    )
    return [part["Size"] for part in found.get("Parts", [])]


def keys(server: S3Server, url: str) -> list[str]:
    found = server.client("s3").list_objects_v2(Bucket=name_of(url))
    return [one["Key"] for one in found.get("Contents", [])]


def test_large_archives_travel_in_parts(s3_server: S3Server, bucket: str) -> None:
    """While the source still makes them."""
    seen: list[list[int]] = []

    def chunks() -> Iterator[bytes]:
        yield from [b"x" * MIB] * 13
        seen.append(parts(s3_server, bucket))

    with open_store(bucket) as store:
        digest = store.put(as_stream(chunks())).digest
    assert seen == [[5 * MIB, 5 * MIB]]
    assert uploads(s3_server, bucket) == []
    assert keys(s3_server, bucket) == [f"a/path/archives/{digest}"]


def test_small_archives_have_their_name_at_once(s3_server: S3Server, bucket: str) -> None:
    """One request, as each is paid for."""
    with open_store(bucket) as store:
        digest = store.put(io.BytesIO(b"x" * 4 * MIB)).digest
        assert keys(s3_server, bucket) == [f"a/path/archives/{digest}"]


def test_what_breaks_off_leaves_no_parts(s3_server: S3Server, bucket: str) -> None:
    """They would be paid for, and no listing shows them."""

    def chunks() -> Iterator[bytes]:
        yield from [b"x" * MIB] * 11
        assert parts(s3_server, bucket) == [5 * MIB, 5 * MIB]
        raise RuntimeError("the source broke off")

    with open_store(bucket) as store, pytest.raises(RuntimeError, match="broke off"):
        store.put(as_stream(chunks()))
    assert (uploads(s3_server, bucket), keys(s3_server, bucket)) == ([], [])


def test_uploads_of_dead_writers_are_aborted(s3_server: S3Server, bucket: str) -> None:
    """Those that began long ago below the store's own path."""
    client, name = s3_server.client("s3"), name_of(bucket)
    for key in ("a/path/incoming/dead", "elsewhere/alive"):
        client.create_multipart_upload(Bucket=name, Key=key)
    store = ObjectStore(bucket, bucket)
    tomorrow = datetime.now(timezone.utc) + timedelta(days=1)
    store._objects.abort_uploads(f"{name}/a/path/incoming/", tomorrow)
    assert [upload["Key"] for upload in uploads(s3_server, bucket)] == ["elsewhere/alive"]


def test_beyond_five_gigabytes_copies_are_in_parts(
    bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """S3 copies no more in one piece; here the limit is smaller."""
    monkeypatch.setattr("s3fs.core.MANAGED_COPY_THRESHOLD", 6 * MIB)
    data = os.urandom(MIB) * 11
    with open_store(bucket) as store:
        digest = store.put(io.BytesIO(data)).digest
        with store.open(digest) as stream:
            assert stream.read() == data


def test_a_forked_process_has_connections_of_its_own(bucket: str) -> None:
    """As Airflow's tasks are."""
    store = open_store(bucket)
    store.put_record("run", "parent", {"by": "parent"})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of threads, from Python 3.12 on
        child = os.fork()
    if child == 0:
        try:
            found = store.get_records("run", ["parent"])
            store.put_record("run", "child", {"saw": found["parent"]["by"]})
            os._exit(0)
        finally:
            os._exit(1)
    assert os.waitpid(child, 0)[1] == 0
    assert store.get_records("run", ["child"]) == {"child": {"saw": "parent"}}


def test_fsspec_s_own_variables_name_the_server_too(s3_server: S3Server, bucket: str) -> None:
    """For what AWS's have no names for."""
    program = (
        "import io, sys\n"
        "from oppflow.store import open_store\n"
        "print(open_store(sys.argv[1]).put(io.BytesIO(b'x')).digest)\n"
    )
    environment = {
        "PYTHONPATH": "plugins",
        "FSSPEC_S3_ENDPOINT_URL": s3_server.url,
        "FSSPEC_S3_KEY": "test",
        "FSSPEC_S3_SECRET": "test",
        "FSSPEC_S3_CONFIG_KWARGS": '{"region_name": "us-east-1"}',
    }
    done = subprocess.run(
        [sys.executable, "-c", program, bucket],
        env=environment, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert keys(s3_server, bucket) == [f"a/path/archives/{done.stdout.strip()}"]


def objects_of(store: ObjectStore) -> Objects:
    return store._objects


def test_a_claim_whose_answer_was_lost_is_ones_own(
    bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The client tries again, and the server refuses what it has done already."""
    objects = objects_of(ObjectStore(bucket, bucket))
    write = objects.fs.pipe_file

    def write_twice(path: str, data: bytes, **options: Any) -> None:
        write(path, data, **options)
        write(path, data, **options)

    monkeypatch.setattr(objects.fs, "pipe_file", write_twice)
    assert objects.create(objects.path("claim"), b"mine")
    assert not objects.create(objects.path("claim"), b"of somebody else")


def test_a_claim_that_another_request_is_in_the_way_of(
    bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """S3 answers 409: try again."""
    objects = objects_of(ObjectStore(bucket, bucket))
    write = objects.fs.pipe_file
    answers = iter(["ConditionalRequestConflict", ""])

    class ConflictError(OSError):
        def __init__(self) -> None:
            self.response = {"Error": {"Code": "ConditionalRequestConflict"}}

    def conflict_first(path: str, data: bytes, **options: Any) -> None:
        if next(answers):
            raise ConflictError
        write(path, data, **options)

    monkeypatch.setattr(objects.fs, "pipe_file", conflict_first)
    assert objects.create(objects.path("claim"), b"mine")
    monkeypatch.setattr("oppflow.objects._CREATING_TRIES", 1)
    answers = iter(["again"])
    with pytest.raises(StoreError, match="ConditionalRequestConflict"):
        objects.create(objects.path("other"), b"mine")


def test_the_variable_for_s3_alone_names_the_server(
    s3_server: S3Server, bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It goes before that for all services."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", s3_server.url)
    digest = open_store(bucket).put(io.BytesIO(b"x")).digest
    assert keys(s3_server, bucket) == [f"a/path/archives/{digest}"]
