"""Airflow's parts as processes of this machine: start them, see that they live, end them."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import NamedTuple

import httpx
import psutil

from oppflow.errors import InfrastructureError
from oppflow.local.containers import choose_runner
from oppflow.local.home import HOST, Home, cores, environment, reserve_port

# Without --skip-serve-logs a scheduler listens on every address.
PARTS: dict[str, tuple[str, ...]] = {
    "api-server": ("api-server",),
    "scheduler": ("scheduler", "--skip-serve-logs"),
    "dag-processor": ("dag-processor",),
}
_START_PATIENCE = 120.0  # seconds; a loaded machine takes a while to import Airflow
_STOP_PATIENCE = 15.0


class Part(NamedTuple):
    """A process: its number, and when it was started, in seconds since 1970."""

    pid: int
    created: float


@dataclass(frozen=True)
class Stack:
    """A local Airflow that is up: where it listens, its runner, and the processes it is made of."""

    home: Home
    port: int
    runner: str
    parts: Mapping[str, Part]

    @property
    def url(self) -> str:
        """Where to point a browser at."""
        return f"http://{HOST}:{self.port}"

    @classmethod
    def running(cls, home: Home) -> Stack | None:
        """The one that is up, or None."""
        stack = cls._remembered(home)
        return stack if stack and all(map(_is_alive, stack.parts.values())) else None

    @classmethod
    def _remembered(cls, home: Home) -> Stack | None:
        state = home.read_state()
        if not state:
            return None
        parts = {name: Part(*part) for name, part in state["parts"].items()}
        return cls(home, state["port"], state["runner"], parts)

    @classmethod
    def start(
        cls,
        home: Home,
        model_roots: tuple[Path, ...] = (),
        overrides: Mapping[str, str] | None = None,
    ) -> Stack:
        """Prepare the database, start the parts, wait until they answer.

        ``overrides`` are further environment variables of the parts.

        Raises:
            InfrastructureError: a part does not come up; the message ends with its last words.
        """
        left_over = cls._remembered(home)
        if left_over is not None:
            left_over.stop()
        runner = choose_runner()
        port, claim = reserve_port()
        with claim:
            env = {**environment(home, port, runner, model_roots), **(overrides or {})}
            _prepare(env, home)
            parts = {name: _spawn(name, words, env, home) for name, words in PARTS.items()}
            stack = cls(home, port, runner, parts)
            home.write_private(home.state, {"port": port, "runner": runner, "parts": parts})
            try:
                stack.wait_until_ready()
            except BaseException:
                stack.stop()
                raise
        return stack

    def wait_until_ready(self) -> None:
        """Return when the API answers, and scheduler and DAG processor beat.

        Raises:
            InfrastructureError: a part ended, or it takes too long; with its last words.
        """
        deadline = time.monotonic() + _START_PATIENCE
        while time.monotonic() < deadline:
            for name, part in self.parts.items():
                if not _is_alive(part):
                    raise InfrastructureError(
                        f"Airflow's {name} ended right after its start.{self._last_words(name)}"
                    )
            with contextlib.suppress(httpx.HTTPError, KeyError, ValueError):
                health = httpx.get(f"{self.url}/api/v2/monitor/health", timeout=5).json()
                parts = (health["scheduler"]["status"], health["dag_processor"]["status"])
                if parts == ("healthy", "healthy"):
                    return
            time.sleep(0.3)
        raise InfrastructureError(
            f"Airflow did not come up within {_START_PATIENCE:g} s.{self._last_words('scheduler')}"
        )

    def _last_words(self, name: str) -> str:
        path = self.home.output_of(name)
        lines = path.read_text(errors="replace").splitlines()[-15:] if path.exists() else []
        return "".join(f"\n  {line}" for line in lines) + f"\nAll of it: {path}"

    def stop(self) -> None:
        """End the parts, and forget them. Tasks that still run are ended with them."""
        for number in (signal.SIGTERM, signal.SIGKILL):
            left = [part for part in self.parts.values() if _is_alive(part)]
            for part in left:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(part.pid, number)
            deadline = time.monotonic() + _STOP_PATIENCE
            while any(map(_is_alive, left)) and time.monotonic() < deadline:
                _reap()
                time.sleep(0.1)
        for part in self.parts.values():
            # A scheduler may end before the idle workers of its executor, which share its group.
            with contextlib.suppress(ProcessLookupError):
                os.killpg(part.pid, signal.SIGKILL)
        self.home.state.unlink(missing_ok=True)


def _is_alive(part: Part) -> bool:
    """Whether it is the same process still: numbers are given away again."""
    try:
        process = psutil.Process(part.pid)
        same = abs(float(process.create_time()) - part.created) < 1
        return same and bool(process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def _reap() -> None:
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def _spawn(name: str, words: tuple[str, ...], env: Mapping[str, str], home: Home) -> Part:
    output = home.output_of(name)
    output.parent.mkdir(parents=True, exist_ok=True)
    command = [*airflow_command(), *words]
    # Not through subprocess: the parts outlive this process, and are nobody's to wait for.
    pid = os.posix_spawn(
        command[0],
        command,
        dict(env),
        file_actions=[
            (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
            (os.POSIX_SPAWN_OPEN, 1, str(output), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600),
            (os.POSIX_SPAWN_DUP2, 1, 2),
        ],
        # A session of its own each, so that Ctrl-C does not reach it before its tasks end.
        setsid=True,
    )
    return Part(pid, psutil.Process(pid).create_time())


def airflow_command() -> list[str]:
    """The ``airflow`` that belongs to this Python."""
    beside = Path(sys.executable).with_name("airflow")
    found = str(beside) if beside.exists() else shutil.which("airflow")
    if not found:
        raise InfrastructureError("Airflow is not installed here.", hint="Call it through make.")
    return [found]


def _prepare(env: Mapping[str, str], home: Home) -> None:
    """Make or upgrade the database and the pool, unless that was done for the same Airflow."""
    wanted = {"airflow": metadata.version("apache-airflow-core"), "cores": cores()}
    if home.database.exists() and home.read_prepared() == wanted:
        return
    _airflow(env, home, "db", "migrate")
    _airflow(env, home, "pools", "set", "oppflow", str(cores()), "One slot a processor core")
    home.write_private(home.prepared, wanted)


def _airflow(env: Mapping[str, str], home: Home, *words: str) -> None:
    home.path.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(
        [*airflow_command(), *words],
        env=dict(env), cwd=home.path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode != 0:
        last = "\n".join((done.stdout + done.stderr).splitlines()[-15:])
        raise InfrastructureError(f"airflow {' '.join(words)} failed:\n{last}")
