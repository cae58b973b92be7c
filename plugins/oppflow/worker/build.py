"""The ``build`` job: make each tree's products, in the order in which the trees need each other."""

from __future__ import annotations

import shlex
import shutil
import sys
from collections import deque
from pathlib import Path

from oppflow.errors import ModelError
from oppflow.worker.jobs import BuildJob
from oppflow.worker.packing import pack
from oppflow.worker.session import Session

_TOLD_LINES = 30


def build(job: BuildJob, session: Session) -> None:
    """Emit ``built`` for every tree, with the tar of the files that its build made.

    Sources are copied first: the shared trees are read-only. For the embedded engine a build is
    ``make``, where the tree has a Makefile, and the byte code of its Python files, which shows
    syntax errors before any run starts and spares every run the compilation.

    Raises:
        ModelError: the build failed; the message ends with the compiler's last lines.
    """
    copies = session.scratch / "build"
    for name in job.tree_names:
        copy = copies / name
        shutil.copytree(Path(job.trees, name), copy, symlinks=True)
        _make_writable(copy)
        before = _state(copy)
        for command in _commands(copy, job.mode):
            _execute(command, copy, session, name)
        made = [
            (path, copy / path) for path, state in _state(copy).items() if before.get(path) != state
        ]
        target = Path(job.output, f"{len(list(Path(job.output).iterdir()))}.tar")
        packed = pack(sorted(made), target)
        session.emit("built", tree=name, path=target.name, archive=packed.sha256)
    shutil.rmtree(copies, ignore_errors=True)


def _commands(tree: Path, mode: str) -> list[tuple[str, ...]]:
    commands: list[tuple[str, ...]] = []
    if any((tree / name).is_file() for name in ("Makefile", "makefile", "GNUmakefile")):
        commands.append(("make", f"MODE={mode}"))
    # Checked by content, not by time: unpacking gives the sources other times.
    byte_code = ("compileall", "-q", "--invalidation-mode", "unchecked-hash", ".")
    commands.append((sys.executable, "-m", *byte_code))
    return commands


def _execute(command: tuple[str, ...], folder: Path, session: Session, tree: str) -> None:
    last_lines: deque[str] = deque(maxlen=_TOLD_LINES)

    def on_line(line: str) -> None:
        last_lines.append(line)
        session.emit("output", run=-1, line=line)

    ending = session.execute(command, folder, on_line=on_line)
    if ending.status != 0:
        shown = "\n".join(f"  {line}" for line in last_lines)
        raise ModelError(
            f"{tree} does not build: {Path(command[0]).name} ended with status {ending.status}.\n"
            f"Its last lines:\n{shown}",
            hint=f"Mend the sources. What failed, in the folder {tree}: {shlex.join(command)}",
        )


def _make_writable(tree: Path) -> None:
    for folder in (tree, *(path for path in tree.rglob("*") if path.is_dir())):
        if not folder.is_symlink():
            folder.chmod(0o755)
    for path in tree.rglob("*"):
        if path.is_file() and not path.is_symlink():
            path.chmod(path.stat().st_mode | 0o200)


def _state(tree: Path) -> dict[str, tuple[int, int]]:
    """Size and time of every regular file: what a build changed shows in one of them."""
    return {
        path.relative_to(tree).as_posix(): (path.stat().st_size, path.stat().st_mtime_ns)
        for path in tree.rglob("*")
        if path.is_file() and not path.is_symlink()
    }
