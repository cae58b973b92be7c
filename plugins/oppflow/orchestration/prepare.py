"""What docker-compose's first service does: check the deployment, make what Airflow needs.

Others start only if it ends well, so that a wrong password is told once, here, in words.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path

from rich.console import Console

from oppflow.deployment import Deployment
from oppflow.errors import InfrastructureError, OppflowError
from oppflow.results_folder import PRIVATE
from oppflow.settings import Settings

_PASSWORDS = "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE"
_ADMIN = "admin"


def prepare(console: Console) -> int:
    """Check store, results root, models and engine, then prepare Airflow; the exit status.

    Everything that is wrong is told, not only the first of it.
    """
    try:
        settings = Settings.from_environment()
    except OppflowError as error:
        console.print(f"settings: {error}", style="red", markup=False, soft_wrap=True)
        return 1
    steps: dict[str, Callable[[Settings], str]] = {
        "store": _check_store,
        "results": _check_results,
        "models": _check_models,
        "engine": _check_engine,
        "database": _migrate,
        "pool": _make_pool,
        "passwords": lambda _: _write_passwords(os.environ),
    }
    good = True
    for name, step in steps.items():
        if name == "database" and not good:
            break
        try:
            console.print(f"{name}: {step(settings)}", markup=False, soft_wrap=True)
        except OppflowError as error:
            good = False
            console.print(f"{name}: {error}", style="red", markup=False, soft_wrap=True)
    return 0 if good else 1


def _check_store(_: Settings) -> str:
    store = Deployment.from_environment().store
    key = uuid.uuid4().hex
    store.put_record("check", key, {"written": True})
    there = store.get_records("check", [key])
    store.delete_record("check", key)
    if not there:
        raise InfrastructureError(f"The store {store!r} does not give back what was put into it.")
    return "it keeps what it is given"


def _check_results(settings: Settings) -> str:
    if settings.results_url:
        return _check_remote_results()
    root = settings.results_root
    try:
        root.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=root):
            pass
    except OSError as error:
        raise InfrastructureError(
            f"Nothing can be written into the results root {root}: {error.strerror}.",
            hint="Give the folder that is mounted there to the user AIRFLOW_UID (see .env).",
        ) from error
    return f"{shutil.disk_usage(root).free // 2**30} GiB are free"


def _check_remote_results() -> str:
    """Claim a name that nobody has, and let go of it."""
    results = Deployment.from_environment().results(f"check-{uuid.uuid4().hex}")
    results.claim("check")
    results.remove(f"{PRIVATE}/owner")
    shutil.rmtree(results.folder.path, ignore_errors=True)
    return f"{results.where().rpartition('/')[0]} can be written"


def _check_models(settings: Settings) -> str:
    missing = [str(root) for root in settings.model_roots if not root.is_dir()]
    if missing:
        raise InfrastructureError(
            f"There is no folder {', '.join(missing)} for models.", hint="See OPPFLOW_MODELS."
        )
    return ", ".join(map(str, settings.model_roots))


def _check_engine(settings: Settings) -> str:
    if settings.runner != "docker":
        return "none is used"
    from oppflow.runners.docker.connection import connect

    with connect(settings.docker_conn_id) as engine:
        engine.containers({"oppflow.check": "none"})  # a proxy may let less pass than is needed
        there = [name for name in settings.images if engine.inspect_image(name) is not None]
        cores = engine.cores()
    images = ", ".join(there) or "none of OPPFLOW_IMAGES; campaigns will try to pull them"
    return f"{cores} cores; images: {images}"


def _migrate(_: Settings) -> str:
    _airflow("db", "migrate")
    return "ready"


def _make_pool(settings: Settings) -> str:
    slots = str(settings.cores)
    _airflow("pools", "set", "oppflow", slots, "One slot a processor core of all machines")
    return f"{slots} simulations at once"


def _airflow(*words: str) -> None:
    done = subprocess.run(["airflow", *words], capture_output=True, text=True, check=False)
    said = done.stdout + done.stderr
    if "password authentication failed" in said:
        raise InfrastructureError(
            "The database refuses POSTGRES_PASSWORD of .env.",
            hint="Its volume was made with another .env: take that one, or begin anew with "
            "docker compose down --volumes, which forgets Airflow's history and the store.",
        )
    if done.returncode:
        last = "\n".join(said.splitlines()[-15:])
        raise InfrastructureError(f"airflow {' '.join(words)} failed:\n{last}")


def _write_passwords(environment: Mapping[str, str]) -> str:
    """The admin's from the environment; those of others stay as they are."""
    path = Path(environment.get(_PASSWORDS, ""))
    wanted = environment.get("OPPFLOW_ADMIN_PASSWORD", "")
    if not path.name or not wanted:
        return "left to Airflow"
    path.parent.mkdir(parents=True, exist_ok=True)
    known = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    aside = path.with_name(path.name + ".part")
    aside.touch(mode=0o600)
    aside.write_text(json.dumps({**known, _ADMIN: wanted}), encoding="utf-8")
    aside.replace(path)
    return f"{_ADMIN}'s is OPPFLOW_ADMIN_PASSWORD in .env"


if __name__ == "__main__":
    sys.exit(prepare(Console(highlight=False)))
