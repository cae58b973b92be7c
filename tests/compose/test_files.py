"""The compose files as such: what they ask for, and what they say where it is missing."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml
from tests.compose.conftest import Compose, make_env

from oppflow.settings import PROJECT_ROOT

MAIN = PROJECT_ROOT / "docker-compose.yaml"
OPEN = PROJECT_ROOT / "docker-compose.open.yaml"
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


def test_the_files_are_valid_together(written: Compose) -> None:
    """As they are for one machine, opened for others, and on a further one."""
    make_env(written.folder, OPPFLOW_MAIN="host1.lab")
    more = "OPPFLOW_MAIN=host1.lab\nOPPFLOW_REMOTE_STORE_URL=redis://:x@host1.lab:6380/0\n"
    with (written.folder / ".env").open("a") as file:
        file.write(more)
    for files in ((MAIN,), (MAIN, OPEN), (HOST,)):
        Compose(written.folder, files)("config", "--quiet")


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
            assert port.startswith("${OPPFLOW_BIND:-127.0.0.1}:"), name


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
