"""Where a local Airflow keeps everything, and the environment that its parts run in.

All of it lies inside the project's folder; nothing is read from or written to ``~/airflow``.
"""

from __future__ import annotations

import json
import os
import secrets
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from oppflow.errors import InfrastructureError
from oppflow.settings import PROJECT_ROOT, Settings

HOST = "127.0.0.1"
USER = "admin"
_FIRST_PORT = 8080
_PORTS_TRIED = 200


@dataclass(frozen=True)
class Home:
    """The paths of a local Airflow, below one folder."""

    path: Path

    @classmethod
    def of_project(cls) -> Home:
        """The one in the project's folder, or where ``OPPFLOW_HOME`` says."""
        given = os.environ.get("OPPFLOW_HOME")
        return cls(Path(given).resolve() if given else PROJECT_ROOT / ".airflow")

    @property
    def database(self) -> Path:
        """Airflow's SQLite file."""
        return self.path / "airflow.db"

    @property
    def passwords(self) -> Path:
        """The users' passwords, readable by the owner only."""
        return self.path / "passwords.json"

    @property
    def secrets(self) -> Path:
        """The keys that Airflow's parts share."""
        return self.path / "secrets.json"

    @property
    def state(self) -> Path:
        """Which processes run, at which port, with which runner: there while Airflow is up."""
        return self.path / "running.json"

    def output_of(self, part: str) -> Path:
        """What a part of Airflow prints."""
        return self.path / "output" / f"{part}.log"

    @property
    def prepared(self) -> Path:
        """For which Airflow and how many cores the database was prepared."""
        return self.path / "prepared.json"

    def read_state(self) -> dict[str, Any]:
        """What `state` holds; empty when Airflow is not up."""
        return _read_json(self.state)

    def read_prepared(self) -> dict[str, Any]:
        """What `prepared` holds; empty before the first start."""
        return _read_json(self.prepared)

    def write_private(self, path: Path, value: Any) -> None:
        """Write a JSON file that only its owner may read."""
        aside = path.with_name(path.name + ".part")
        descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(value, file)
            file.write("\n")
        aside.replace(path)

    def password(self) -> str:
        """The admin's password; a random one is made at the first call."""
        return str(self._made_once(self.passwords, lambda: {USER: secrets.token_urlsafe(12)})[USER])

    def keys(self) -> Mapping[str, str]:
        """The secrets that Airflow's parts share; random ones are made at the first call."""
        made: Mapping[str, str] = self._made_once(
            self.secrets,
            lambda: {"jwt": secrets.token_urlsafe(48), "session": secrets.token_urlsafe(48)},
        )
        return made

    def _made_once(self, path: Path, make: Any) -> Any:
        self.path.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            self.write_private(path, make())
        return json.loads(path.read_text(encoding="utf-8"))


def _read_json(path: Path) -> dict[str, Any]:
    try:
        data: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return {}
    return data


def reserve_port() -> tuple[int, socket.socket]:
    """A port of the loopback interface that nobody listens on; 8080 where possible.

    As long as the socket that comes with it is open, nobody else is given that port: whoever is to
    listen there takes a while to start.

    Raises:
        InfrastructureError: all those tried are taken.
    """
    for port in range(_FIRST_PORT, _FIRST_PORT + _PORTS_TRIED):
        claim = socket.socket(socket.AF_UNIX)
        try:
            claim.bind(f"\0oppflow-port-{port}")  # an abstract name: no file, gone with the process
            with socket.socket() as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind((HOST, port))
        except OSError:
            claim.close()
            continue
        return port, claim
    raise InfrastructureError(
        f"The ports {_FIRST_PORT} to {_FIRST_PORT + _PORTS_TRIED - 1} of {HOST} are all taken."
    )


def cores() -> int:
    """How many simulations run at once: what the pool has slots for."""
    return Settings.from_environment().cores


def environment(
    home: Home, port: int, runner: str, model_roots: tuple[Path, ...] = ()
) -> dict[str, str]:
    """The environment of Airflow's parts: loopback only, with what makes short tasks fast."""
    keys = home.keys()
    home.password()
    inherited = {k: v for k, v in os.environ.items() if not k.startswith("AIRFLOW_")}
    roots = os.environ.get("OPPFLOW_MODEL_ROOTS") or str(PROJECT_ROOT / "models")
    settings = {
        "CORE__DAGS_FOLDER": str(PROJECT_ROOT / "dags"),
        "CORE__PLUGINS_FOLDER": str(PROJECT_ROOT / "plugins"),
        "CORE__LOAD_EXAMPLES": "False",
        "CORE__EXECUTOR": "LocalExecutor",
        "CORE__PARALLELISM": str(cores() + 4),
        "CORE__MAX_ACTIVE_TASKS_PER_DAG": str(cores() + 4),
        "CORE__SIMPLE_AUTH_MANAGER_USERS": f"{USER}:admin",
        "CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(home.passwords),
        "CORE__EXECUTION_API_SERVER_URL": f"http://{HOST}:{port}/execution/",
        # Writers wait for each other: on a busy machine longer than 5 s, which is the default.
        "DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home.database}?timeout=60",
        "API__HOST": HOST,
        "API__PORT": str(port),
        "API__BASE_URL": f"http://{HOST}:{port}",
        "API__SECRET_KEY": keys["session"],
        "API__WORKERS": "1",
        "API_AUTH__JWT_SECRET": keys["jwt"],
        "LOGGING__BASE_LOG_FOLDER": str(home.path / "logs"),
        "DAG_PROCESSOR__REFRESH_INTERVAL": "30",
        # Five tasks come one after the other: half a second each is worth 2 % of a core.
        "SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": "0.5",
        "SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "60",
        "SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT_DETECTION_INTERVAL": "5",
        "WORKERS__MIN_HEARTBEAT_INTERVAL": "1",
        "USAGE_DATA_COLLECTION__ENABLED": "False",
    }
    return {
        **inherited,
        **{f"AIRFLOW__{name}": value for name, value in settings.items()},
        "AIRFLOW_HOME": str(home.path),
        "PYTHONPATH": str(PROJECT_ROOT / "plugins"),
        "OPPFLOW_RUNNER": runner,
        "OPPFLOW_MODEL_ROOTS": os.pathsep.join([roots, *map(str, model_roots)]),
        "NO_COLOR": "1",
    }
