"""The OMNeT++ that is installed on this machine, as far as results depend on it."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import platform
import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from oppflow.errors import InfrastructureError, ParameterError
from oppflow.worker.toolchain import search_path

_CXX = re.compile(r"^CXX\s*=\s*(.+?)\s*$", re.MULTILINE)


def native_omnetpp(cache: Path) -> Mapping[str, str]:
    """Version, compiler, architecture, and digests of ``opp_run`` and the libraries it uses.

    ``cache`` is a file that remembers the answer for as long as none of these files changes.

    Raises:
        ParameterError: there is no OMNeT++ here.
        InfrastructureError: it does not work.
    """
    program = shutil.which("opp_run", path=search_path())
    if program is None:
        raise ParameterError(
            "This is an OMNeT++ model (it has NED or C++ sources), and there is no OMNeT++ here: "
            "opp_run is not on PATH.",
            hint="Install OMNeT++ and put its bin folder on the PATH of Airflow's workers or set "
            "OMNETPP_ROOT, or set OPPFLOW_RUNNER=docker to simulate in containers.",
        )
    root = Path(program).resolve().parents[1]
    files = list(_files(root))
    compiler = _compiler(root)
    state = _state([*files, *_located(compiler)])
    known = _read(cache)
    if known.get("state") == state:
        return dict(known["environment"])
    environment = _describe(root, program, files, compiler)
    _write(cache, {"state": state, "environment": environment})
    return environment


def _files(root: Path) -> Iterator[Path]:
    """Everything of OMNeT++ that a model is compiled with, linked with, or run by."""
    yield from sorted((root / "bin").glob("opp_run*"))
    yield from sorted((root / "bin").glob("opp_msg*"))
    yield from sorted((root / "lib").glob("libopp*"))
    yield from filter(Path.is_file, [root / "Makefile.inc"])


def _compiler(root: Path) -> tuple[str, ...]:
    """The C++ compiler that OMNeT++ was configured for."""
    with contextlib.suppress(OSError):
        found = _CXX.search((root / "Makefile.inc").read_text(encoding="utf-8", errors="replace"))
        if found:
            return tuple(shlex.split(found[1]))
    return ("c++",)


def _located(compiler: tuple[str, ...]) -> list[Path]:
    paths = (shutil.which(word, path=search_path()) for word in compiler)
    return [Path(path).resolve() for path in paths if path]


def _state(files: list[Path]) -> str:
    """Changes when a file does, without reading it."""
    marks = [(str(file), file.stat().st_size, file.stat().st_mtime_ns) for file in files]
    return hashlib.sha256(repr(marks).encode()).hexdigest()


def _describe(
    root: Path, program: str, files: list[Path], compiler: tuple[str, ...]
) -> dict[str, str]:
    about = dict(
        line.split(": ", 1) for line in _say((program, "-s", "-v")).splitlines() if ": " in line
    )
    in_libraries = [file for file in files if file.parent == root / "lib"]
    return {
        "kind": "OMNeT++",
        "version": about.get("Build", "unknown"),
        "built_with": about.get("Compiler", "unknown"),
        "build_options": about.get("Options", "unknown"),
        "opp_run": _digest([file for file in files if file not in in_libraries]),
        "libraries": _digest(in_libraries),
        "compiler": _say((*compiler, "--version")).partition("\n")[0],
        "architecture": platform.machine(),
    }


def _say(command: tuple[str, ...]) -> str:
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=60, check=True,
            env={"PATH": search_path(), "LC_ALL": "C.UTF-8"},
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError) as error:
        said = (getattr(error, "stderr", "") or "").strip()
        raise InfrastructureError(
            f"OMNeT++ does not work here: {shlex.join(command)}: {said or error}",
            hint="Try the command in a terminal; models are compiled where they are simulated.",
        ) from error
    return done.stdout


def _digest(files: list[Path]) -> str:
    total = hashlib.sha256()
    for file in files:
        with file.open("rb") as stream:
            content = hashlib.sha256()
            while chunk := stream.read(1024 * 1024):
                content.update(chunk)
        total.update(f"{file.name} {content.hexdigest()}\n".encode())
    return total.hexdigest()


def _read(cache: Path) -> dict[str, Any]:
    try:
        data = json.loads(cache.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return data if isinstance(data, dict) else {}


def _write(cache: Path, data: Mapping[str, object]) -> None:
    cache.parent.mkdir(parents=True, exist_ok=True)
    aside = cache.with_name(f".{cache.name}.{os.getpid()}")
    aside.write_text(json.dumps(data), encoding="utf-8")
    aside.replace(cache)
