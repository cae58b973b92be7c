"""A real PostgreSQL server of one's own, for as long as a test needs it."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.ports import free_port

NO_POSTGRES = "no PostgreSQL server: neither initdb on PATH nor below /usr/lib/postgresql"
_START_TIMEOUT = 30.0  # seconds


@contextmanager
def running_postgres() -> Iterator[str]:
    """A server on loopback with an empty database; its URL as SQLAlchemy writes it."""
    programs = _programs()
    assert programs, NO_POSTGRES
    folder = Path(tempfile.mkdtemp(prefix="postgres-"))  # a socket's path must be short
    as_user = _user()
    if as_user:
        shutil.chown(folder, as_user)
    data, port = folder / "data", free_port()
    demote = ["setpriv", f"--reuid={as_user}", f"--regid={as_user}", "--clear-groups"]
    prefix = demote if as_user else []
    init = [*prefix, str(programs / "initdb"), "-D", str(data), "-U", "airflow"]
    subprocess.run(
        [*init, "--auth=trust", "--no-sync"], check=True, capture_output=True, cwd=folder
    )
    words = [*prefix, str(programs / "postgres"), "-D", str(data), "-p", str(port), "-F"]
    words += ["-c", "listen_addresses=127.0.0.1", "-c", f"unix_socket_directories={folder}"]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(words, stdout=log, stderr=log, cwd=folder)
    try:
        _wait_for(programs, port, process, folder / "log")
        _run(programs / "createdb", port, "airflow")
        yield f"postgresql+psycopg2://airflow@127.0.0.1:{port}/airflow"
    finally:
        process.kill()
        process.wait()
        shutil.rmtree(folder, ignore_errors=True)


def postgres_is_there() -> bool:
    """Whether this machine has a PostgreSQL server."""
    return _programs() is not None


def _programs() -> Path | None:
    if found := shutil.which("initdb"):
        return Path(found).resolve().parent
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    return versions[-1].parent if versions else None


def _user() -> str:
    """Whom to run it as: it refuses root."""
    if os.getuid() != 0:
        return ""
    known = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in known else "nobody"


def _run(program: Path, port: int, *words: str) -> int:
    command = [str(program), "-h", "127.0.0.1", "-p", str(port), "-U", "airflow", *words]
    return subprocess.run(command, capture_output=True, check=False).returncode


def _wait_for(programs: Path, port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + _START_TIMEOUT
    while _run(programs / "pg_isready", port) != 0:
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"PostgreSQL did not start:\n{log.read_text(errors='replace')}")
        time.sleep(0.1)
