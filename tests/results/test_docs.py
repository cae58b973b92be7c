"""What docs/object-storage.md has to be copied works."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from oppflow.archive.streams import as_stream
from oppflow.errors import StoreError
from oppflow.results import open_results
from oppflow.settings import Settings
from oppflow.store import open_store
from tests.support.campaigns import PROJECT_ROOT
from tests.support.s3_server import S3Server

PAGE = PROJECT_ROOT / "docs" / "object-storage.md"
MIB = 2**20


def block(test: str) -> Any:
    """The JSON that the page says a test is about."""
    text = PAGE.read_text(encoding="utf-8")
    found = re.search(rf"::{test} -->\n```json\n(.*?)```", text, re.DOTALL)
    assert found is not None
    return json.loads(found[1])


@pytest.fixture
def simulations(s3_server: S3Server) -> str:
    """The page's bucket."""
    s3_server.client("s3").create_bucket(Bucket="simulations")
    return "s3://simulations"


def test_the_policy_is_enough(
    s3_server: S3Server, simulations: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For everything that store and results do; and not for other buckets."""
    other = s3_server.make_bucket()
    policy = block("test_the_policy_is_enough")
    for name, value in s3_server.make_user(policy=policy).items():
        monkeypatch.setenv(name, value)

    def breaking_off() -> Iterator[bytes]:
        yield b"x" * 12 * MIB
        raise RuntimeError

    work = {"OPPFLOW_RESULTS": f"{simulations}/results", "OPPFLOW_WORK": str(tmp_path)}
    with s3_server.enforcing():
        with open_store(f"{simulations}/store") as store:
            digest = store.put(io.BytesIO(b"x" * 12 * MIB)).digest
            assert store.missing([digest]) == set()
            with store.open(digest) as stream:
                assert len(stream.read()) == 12 * MIB
            with pytest.raises(RuntimeError):
                store.put(as_stream(breaking_off()))
            assert store.put_record("run", "k", {}, only_if_absent=True)
            store.delete(digest)
        results = open_results(Settings.from_environment(work)).campaign("mine")
        results.claim("owner")
        results.folder.manifest.write_text("{}")
        results.publish()
        assert [file.name for file in results.files()] == ["manifest.json"]
        results.remove("manifest.json")
        with pytest.raises(StoreError, match="AccessDenied"):
            open_store(other).put(io.BytesIO(b"x"))
    s3 = s3_server.client("s3")
    assert "Uploads" not in s3.list_multipart_uploads(Bucket="simulations")


def test_the_lifecycle_rules_are_accepted(s3_server: S3Server, bucket: str) -> None:
    """By a server that knows their form."""
    s3, name = s3_server.client("s3"), bucket.split("/")[2]
    rules = block("test_the_lifecycle_rules_are_accepted")
    s3.put_bucket_lifecycle_configuration(Bucket=name, LifecycleConfiguration=rules)
    kept = s3.get_bucket_lifecycle_configuration(Bucket=name)["Rules"]
    assert [rule["ID"] for rule in kept] == [rule["ID"] for rule in rules["Rules"]]
