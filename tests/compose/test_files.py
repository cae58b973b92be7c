"""The compose files as such: what they ask for, and what they say where it is missing."""

from __future__ import annotations

import contextlib
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from oppflow.settings import PROJECT_ROOT
from tests.compose.conftest import Compose, make_env

MAIN = PROJECT_ROOT / "docker-compose.yaml"
OPEN = PROJECT_ROOT / "docker-compose.open.yaml"
MAKE_ENV = PROJECT_ROOT / "bin" / "make-env"
HOST = PROJECT_ROOT / "docker-compose.host.yaml"


def test_without_an_env_it_says_what_to_do(client_is_there: None, tmp_path: Path) -> None:
    """Nothing is started with empty passwords."""
    (tmp_path / ".env").touch()
    done = Compose(tmp_path, (MAIN,))("config", check=False)
    assert done.returncode != 0
    assert "Call make env" in done.stderr


def test_secrets_are_random_and_the_owners_alone(tmp_path: Path) -> None:
    """A second call changes nothing: what is encrypted with them would be lost."""
    first, second = tmp_path / "one", tmp_path / "two"
    for folder in (first, second):
        folder.mkdir()
        make_env(folder)
    one, two = ((folder / ".env").read_text() for folder in (first, second))
    assert (first / ".env").stat().st_mode & 0o777 == 0o600
    secrets = re.compile(r"^\w*(?:PASSWORD|SECRET|KEY)=(.+)$", re.MULTILINE)
    assert len(secrets.findall(one)) == 7
    assert not set(secrets.findall(one)) & set(secrets.findall(two))
    assert all(len(secret) >= 16 for secret in secrets.findall(one))
    make_env(first)
    assert (first / ".env").read_text() == one


def test_a_machine_is_opened_and_another_one_joins(written: Compose) -> None:
    """One command each; the files that result are valid."""
    path = written.folder / ".env"
    before = written.environment
    make_env(written.folder, "--open", "127.0.0.1")
    assert written.environment["OPPFLOW_BIND"] == "127.0.0.1"
    assert written.environment["COMPOSE_FILE"] == f"{MAIN.name}:{OPEN.name}"
    assert (path.stat().st_mode & 0o777) == 0o600
    Compose(written.folder, (MAIN, OPEN))("config", "--quiet")
    with broker_of("127.0.0.1"):
        make_env(written.folder, "--join", "localhost")
    after = written.environment
    # A name that this machine knows, its containers may not.
    assert after["OPPFLOW_MAIN"] == "127.0.0.1"
    store = before["OPPFLOW_STORE_URL"].replace("store:6379", "127.0.0.1:6380")
    assert after["OPPFLOW_STORE_URL"] == store
    assert not {"POSTGRES_PASSWORD", "OPPFLOW_ADMIN_PASSWORD"} & set(after)
    with broker_of("127.0.0.2"):
        make_env(written.folder, "--join", "127.0.0.2")
    assert written.environment["OPPFLOW_STORE_URL"] == store.replace("127.0.0.1", "127.0.0.2")
    assert after["OPPFLOW_JWT_SECRET"] == before["OPPFLOW_JWT_SECRET"]
    Compose(written.folder, (HOST,))("config", "--quiet")


@contextlib.contextmanager
def broker_of(address: str) -> Iterator[None]:
    """Somebody listens at the broker's port, which may be the machine's own broker."""
    with contextlib.ExitStack() as stack:
        with contextlib.suppress(OSError):
            stack.enter_context(socket.create_server((address, 6379)))
        yield


def test_joining_a_machine_that_is_not_open_says_what_to_do(tmp_path: Path) -> None:
    """And so does joining without a copy of its file."""
    for words, told in ((["--join", "host.invalid"], "copy the first"), ([], "")):
        done = subprocess.run(
            [sys.executable, str(MAKE_ENV), *words, str(tmp_path / ".env")],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert told in done.stderr
    done = subprocess.run(
        [sys.executable, str(MAKE_ENV), "--join", "host.invalid",
         str(tmp_path / ".env")],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert "make env OPEN=ADDRESS" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("path", [MAIN, HOST], ids=lambda path: path.name)
def test_every_service_has_limits_and_no_needless_rights(path: Path) -> None:
    """So that one of them cannot take the machine."""
    for name, service in yaml.safe_load(path.read_text())["services"].items():
        assert {"mem_limit", "cpus", "pids_limit"} <= set(service), name
        assert service["cap_drop"] == ["ALL"], name
        assert "no-new-privileges:true" in service["security_opt"], name
        assert "privileged" not in service, name
        assert service["logging"]["options"]["max-size"], name
        assert "healthcheck" in service or service["restart"] == "no", name
        for port in service.get("ports", ()):
            assert port.startswith("${OPPFLOW_BIND"), name


def test_the_engines_socket_is_the_proxys_alone() -> None:
    """It is root on its host."""
    for path in (MAIN, HOST):
        services = yaml.safe_load(path.read_text())["services"]
        with_socket = [
            name
            for name, service in services.items()
            if any("docker.sock" in str(volume) for volume in service.get("volumes", ()))
        ]
        assert with_socket == ["engine-proxy"]
