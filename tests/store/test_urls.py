"""Which URL names which store, and what of it is shown."""

from __future__ import annotations

import pytest

from oppflow.errors import ParameterError
from oppflow.store import open_store, redacted


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("file:///var/lib/store", "FileStore('/var/lib/store')"),
        ("file://localhost/a%20b", "FileStore('/a b')"),
        ("redis://user:secret@host:6379/1", "RedisStore('redis://host:6379/1')"),
        ("rediss://:secret@host/0?ssl_cert_reqs=none", "RedisStore('rediss://host/0')"),
        ("unix://:secret@/run/redis.sock?db=2", "RedisStore('unix:///run/redis.sock')"),
    ],
)
def test_opens_what_the_url_names(url: str, shown: str) -> None:
    with open_store(url) as store:
        assert repr(store) == shown


@pytest.mark.parametrize("url", ["redix://:secret@host", "redis:host", "/var/store", "", "file:"])
def test_an_unknown_url_is_told_what_works(url: str) -> None:
    with pytest.raises(ParameterError, match="redis://") as caught:
        open_store(url)
    assert "file:///" in caught.value.hint
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("url", ["file://var/store", "file:///", "file:///a?b=c"])
def test_a_file_url_must_name_a_folder(url: str) -> None:
    with pytest.raises(ParameterError, match="three slashes"):
        open_store(url)


@pytest.mark.parametrize(
    "url",
    [
        "redis://:secret@host/0",
        "redis://:sec?ret@host/0",
        "redis://:secret@x@host",
        "redis://host/0?password=secret",
        "redis://host/0?password=se@cret",
        "redis:secret",
    ],
)
def test_no_password_is_shown(url: str) -> None:
    assert not any(part in redacted(url) for part in ("sec", "ret", "se@", "cret"))
