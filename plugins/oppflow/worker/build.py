"""The ``build`` job: make each tree's products, in the order in which the trees need each other."""

from __future__ import annotations

import shlex
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

from oppflow.errors import ModelError
from oppflow.omnetpp.build_errors import BuildOutput
from oppflow.omnetpp.build_plan import Step
from oppflow.omnetpp.layout import makefile
from oppflow.omnetpp.products import NOTE, find_products, worth_keeping
from oppflow.worker.jobs import BuildJob
from oppflow.worker.omnetpp_build import plan_steps
from oppflow.worker.packing import pack
from oppflow.worker.session import Session
from oppflow.worker.toolchain import build_environment


def build(job: BuildJob, session: Session) -> None:
    """Emit ``built`` for every tree, with the tar of the files that its build made.

    Sources are copied first: the shared trees are read-only. Trees that were built before lie
    beside them by links. For the embedded engine a build is ``make``, where the tree has a
    Makefile, and the byte code of its Python files, which shows syntax errors before any run
    starts and spares every run the compilation.

    Raises:
        ModelError: the build failed; the message has the compiler's first errors and last lines.
    """
    copies = session.scratch / "build"
    _lay_out(Path(job.trees), copies, job.tree_names)
    for number, name in enumerate(job.tree_names):
        copy = copies / name
        before = _state(copy)
        builder = _Builder(session, name, copy)
        if job.engine == "omnetpp":
            plan_steps(job, copies, name, builder.execute)
        else:
            _build_python(job, copy, builder)
        made = [path for path, state in _state(copy).items() if before.get(path) != state]
        if job.engine == "omnetpp":
            made = worth_keeping(made)
            find_products(copy, made).write(copy)
            made.append(NOTE)
        target = Path(job.output, f"{number}.tar")
        packed = pack(sorted((path, copy / path) for path in made), target, session.scratch)
        session.emit(
            "built", tree=name, path=target.name, archive=packed.sha256, commands=builder.commands
        )
    shutil.rmtree(copies, ignore_errors=True)


def _lay_out(trees: Path, copies: Path, names: tuple[str, ...]) -> None:
    """Copy the trees to build to their places; everything else there is linked."""
    for name in names:
        _link_along(trees, copies, Path(name).parts)
        shutil.copytree(trees / name, copies / name, symlinks=True)
        _make_writable(copies / name)


def _link_along(source: Path, target: Path, path: tuple[str, ...]) -> None:
    """Real folders along ``path``, whose last step is left out, and links for what is beside."""
    if target.is_symlink():
        target.unlink()
    target.mkdir(parents=True, exist_ok=True)
    for entry in source.iterdir():
        place = target / entry.name
        if entry.name != path[0] and not place.exists() and not place.is_symlink():
            place.symlink_to(entry)
    if (target / path[0]).is_symlink():
        (target / path[0]).unlink()
    if len(path) > 1:
        _link_along(source / path[0], target / path[0], path[1:])


class _Builder:
    """Executes the commands of one tree's build; what they say is passed on."""

    def __init__(self, session: Session, name: str, copy: Path) -> None:
        self._session = session
        self._name = name
        self._copy = copy
        self._environment = build_environment(session.scratch)
        self.commands: list[str] = []  # in a shell's words, for whoever wants to do it again

    def execute(self, step: Step, on_line: Callable[[str], None] | None = None) -> None:
        """Run one command to its good end; ``on_line`` gets its lines instead of the log.

        Raises:
            ModelError: it failed.
        """
        output = BuildOutput()
        folder = self._copy / step.folder
        lines: list[str] = []
        if on_line is None:
            self.commands.append(step.in_shell)
        tell = lines.append if step.output_file else on_line or self.tell

        def hear(line: str) -> None:
            output.hear(line)
            tell(line)

        apart = on_line is not None or step.output_file
        errors = self._session.scratch / "build.errors" if apart else None
        ending = self._session.execute(
            step.arguments, folder, on_line=hear, error_file=errors, more=self._environment
        )
        if errors:
            for line in errors.read_text(encoding="utf-8", errors="replace").splitlines():
                output.hear(line)
        if ending.status != 0:
            raise self._failure(step, ending.status, output)
        if step.output_file:
            target = folder / step.output_file
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")

    def tell(self, line: str) -> None:
        """Pass a line on to the log."""
        self._session.emit("output", run=-1, line=line)

    def _failure(self, step: Step, status: int, output: BuildOutput) -> ModelError:
        where = (Path(self._name) / step.folder).as_posix()
        program = Path(step.arguments[0]).name
        said = output.told().replace(f"{self._copy}/", "")
        return ModelError(
            f"{self._name} does not build: {program} ended with status {status}.\n"
            f"What it said:\n{said}",
            hint=output.hint()
            or f"Mend the sources. What failed, in the folder {where}: "
            f"{shlex.join((program, *step.arguments[1:]))}",
        )


def _build_python(job: BuildJob, tree: Path, builder: _Builder) -> None:
    if makefile(tree):
        builder.execute(Step(".", ("make", f"MODE={job.mode}")))
    # Checked by content, not by time: unpacking gives the sources other times.
    byte_code = ("compileall", "-q", "--invalidation-mode", "unchecked-hash", ".")
    builder.execute(Step(".", (sys.executable, "-m", *byte_code)), builder.tell)


def _make_writable(tree: Path) -> None:
    for folder in (tree, *(path for path in tree.rglob("*") if path.is_dir())):
        if not folder.is_symlink():
            folder.chmod(0o755)
    for path in tree.rglob("*"):
        if path.is_file() and not path.is_symlink():
            path.chmod(path.stat().st_mode | 0o200)


def _state(tree: Path) -> dict[str, tuple[int, int]]:
    """Size and time of every file: what a build changed shows in one of them.

    A link to a file counts as that file: makefiles link what they built to where it belongs.
    """
    return {
        path.relative_to(tree).as_posix(): (path.stat().st_size, path.stat().st_mtime_ns)
        for path in tree.rglob("*")
        if path.is_file()
    }
