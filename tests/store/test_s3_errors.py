"""What an object store refuses: an error of ours, soon, with what to do and without secrets."""

from __future__ import annotations

import io
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from oppflow.errors import ParameterError, StoreError
from oppflow.store import Record, Store, open_store
from tests.support.ports import free_port
from tests.support.refusing_server import refusing_server
from tests.support.s3_server import S3Server, client_environment

SECRET = "do-not-tell-anybody"
USES: dict[str, Callable[[Store], object]] = {
    "put": lambda store: store.put(io.BytesIO(b"x")),
    "put much": lambda store: store.put(io.BytesIO(b"x" * 6 * 2**20)),
    "open": lambda store: store.open("0" * 64).__enter__(),
    "missing": lambda store: store.missing(["0" * 64]),
    "put a record": lambda store: store.put_record("run", "k", {}),
    "claim": lambda store: store.put_record("run", "k", {}, only_if_absent=True),
    "put records": lambda store: store.put_records([Record("run", "k", {})]),
    "get records": lambda store: store.get_records("run", ["k"]),
    "delete": lambda store: store.delete("0" * 64),
}
WRITES = [name for name in USES if "put" in name or name == "claim"]


@pytest.fixture
def use_environment(monkeypatch: pytest.MonkeyPatch) -> Callable[[dict[str, str]], None]:
    def use(environment: dict[str, str]) -> None:
        for name, value in environment.items():
            monkeypatch.setenv(name, value)

    return use


Use = Callable[[dict[str, str]], None]


@contextmanager
def told(*words: str, within: float = 10, transient: bool = False) -> Iterator[None]:
    """A StoreError with all these words, in seconds, and no secrets."""
    start = time.monotonic()
    with pytest.raises(StoreError) as caught:
        yield
    assert time.monotonic() - start < within
    assert caught.value.hint
    text = str(caught.value)
    assert [word for word in words if word not in text] == [], text
    assert SECRET not in text
    assert caught.value.transient is transient


@pytest.mark.parametrize("use", USES)
@pytest.mark.parametrize(
    ("code", "message", "hint"),
    [
        ("RequestTimeTooSkewed", "The difference is too large.", "The clocks of this host"),
        ("SignatureDoesNotMatch", "The signature does not match.", "AWS_SECRET_ACCESS_KEY"),
        ("InvalidAccessKeyId", "The key does not exist.", "AWS_ACCESS_KEY_ID"),
        ("AccessDenied", "Access Denied", "s3:PutObject"),
    ],
)
def test_a_refusal_is_explained(
    use_environment: Use, use: str, code: str, message: str, hint: str
) -> None:
    """Also where the answer to HEAD does not say why."""
    with refusing_server(403, code, message) as url:
        use_environment({**client_environment(url), "AWS_SECRET_ACCESS_KEY": SECRET})
        with told(code, "s3://bucket/path", hint):
            USES[use](open_store("s3://bucket/path"))


@pytest.mark.parametrize("use", sorted(set(USES) - {"delete"}))
def test_a_missing_bucket_is_not_made(s3_server: S3Server, use_environment: Use, use: str) -> None:
    """Nor is it taken for one in which nothing is."""
    use_environment(s3_server.environment)
    with told("NoSuchBucket", "OPPFLOW_STORE_URL"):
        USES[use](open_store("s3://no-such-bucket/path"))
    names = [bucket["Name"] for bucket in s3_server.client("s3").list_buckets()["Buckets"]]
    assert "no-such-bucket" not in names


@pytest.mark.parametrize("use", WRITES)
def test_a_bucket_that_may_only_be_read(
    s3_server: S3Server, use_environment: Use, use: str
) -> None:
    """The hint says what has to be granted."""
    bucket = s3_server.make_bucket()
    use_environment(s3_server.make_user("s3:GetObject", "s3:ListBucket"))
    store = open_store(f"{bucket}/path")
    with s3_server.enforcing():
        assert store.missing(["0" * 64]) == {"0" * 64}
        with told("AccessDenied", "s3:PutObject", bucket):
            USES[use](store)


def test_credentials_that_nobody_has(s3_server: S3Server, use_environment: Use) -> None:
    """A key that the server does not know."""
    bucket = s3_server.make_bucket()
    use_environment({**s3_server.environment, "AWS_SECRET_ACCESS_KEY": SECRET})
    with s3_server.enforcing(), told("InvalidAccessKeyId", "AWS_ACCESS_KEY_ID"):
        open_store(bucket).put(io.BytesIO(b"x"))


@pytest.mark.parametrize("use", ["put", "open", "get records"])
def test_no_credentials(
    s3_server: S3Server, use_environment: Use, monkeypatch: pytest.MonkeyPatch, use: str
) -> None:
    """The hint names the variables."""
    use_environment(s3_server.environment)
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    with told("NoCredentialsError", "AWS_ACCESS_KEY_ID"):
        USES[use](open_store("s3://bucket"))


@pytest.mark.parametrize("use", ["put", "open", "get records"])
def test_a_server_that_is_down(use_environment: Use, use: str) -> None:
    """Trying again may help, in Airflow's time."""
    use_environment(client_environment(f"http://127.0.0.1:{free_port()}"))
    with told("EndpointConnectionError", "AWS_ENDPOINT_URL", transient=True):
        USES[use](open_store("s3://bucket"))


@pytest.mark.parametrize("url", ["s3://key:secret@bucket/path", "s3://", "s3://bucket?secret=x"])
def test_no_credentials_in_urls(url: str) -> None:
    """They would be shown in logs."""
    with pytest.raises(ParameterError, match="no address of a bucket") as caught:
        open_store(url)
    assert "AWS_ACCESS_KEY_ID" in caught.value.hint
    assert "secret" not in str(caught.value)
