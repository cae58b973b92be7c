"""The ``resolve`` job: ask which runs there are, and what their keys need to know."""

from __future__ import annotations

import re
from pathlib import Path

from oppflow.errors import ModelError, ParameterError
from oppflow.omnetpp.commands import PROBE_INI, CommandLine
from oppflow.omnetpp.queries import parse_probed_runs, parse_runs
from oppflow.worker.jobs import ResolveJob
from oppflow.worker.ned_check import check_ned_folders
from oppflow.worker.program import command_line
from oppflow.worker.session import Session

_SECTION = re.compile(r"^\s*\[(?:Config\s+)?([^\]]+?)\s*\]", re.MULTILINE)
_ABSTRACT = re.compile(r"^\s*abstract\s*=\s*true\b", re.MULTILINE)


def resolve(job: ResolveJob, session: Session) -> None:
    """Emit ``resolved``: every run with its own ini entries, and the first run's configuration.

    Raises:
        ParameterError: no such configuration, a malformed filter, or one that matches no run.
        ModelError: OMNeT++ refuses the ini files.
    """
    simulation = job.simulation
    folder = Path(job.trees, simulation.model, simulation.ini_dir)
    line = command_line(simulation, Path(job.trees))
    asker = _Asker(session, folder, line)
    asker.check_files()
    if simulation.engine == "omnetpp":
        check_ned_folders(simulation, Path(job.trees))
    probe = session.scratch / "probe.ini"
    probe.write_text(PROBE_INI, encoding="utf-8")
    answer = asker.ask(line.query("rundetails", job.run_filter, [str(probe)]))
    runs, details = [], []
    for run, pairs in parse_probed_runs(answer):
        runs.append(run.as_json())
        details.append(pairs)
    if not runs:
        raise _no_run(asker, line, job.run_filter)
    first = asker.ask(line.query("runconfig", str(runs[0]["number"]), [str(probe)]))
    session.emit(
        "resolved",
        answer={
            "runs": runs,
            "details": details,
            "first_config": next(parse_runs(first)).pairs,
            "abstract": asker.is_abstract(),
        },
    )


def _no_run(asker: _Asker, line: CommandLine, run_filter: str) -> ParameterError:
    runs = list(parse_runs(asker.ask(line.query("runs"))))
    if not runs:
        return ParameterError(
            f"Configuration {line.config} has no run at all.",
            hint="Its constraint excludes every combination of the iteration variables.",
        )
    example = ", ".join(f"${name}={value}" for name, value in runs[0].variables)
    return ParameterError(
        f"The run filter {run_filter!r} matches none of the {len(runs)} runs "
        f"of configuration {line.config}.",
        hint=f"The first run is {example}; numbers go from 0 to {len(runs) - 1}.",
    )


class _Asker:
    def __init__(self, session: Session, folder: Path, line: CommandLine) -> None:
        self._session = session
        self._folder = folder
        self._line = line

    def check_files(self) -> None:
        for name in self._line.ini_files:
            if not (self._folder / name).is_file():
                found = ", ".join(sorted(path.name for path in self._folder.glob("*.ini")))
                raise ParameterError(
                    f"There is no ini file {name} in the model's folder.",
                    hint=f"Ini files there: {found or 'none'}. "
                    "Set ini_files, or name the folder as in model#simulations.",
                )

    def is_abstract(self) -> bool:
        """Whether the configuration's own section says ``abstract = true``."""
        for name in self._line.ini_files:
            text = (self._folder / name).read_text(encoding="utf-8", errors="replace")
            parts = _SECTION.split(text)
            for section, body in zip(parts[1::2], parts[2::2], strict=True):
                if section == self._line.config and _ABSTRACT.search(body):
                    return True
        return False

    def ask(self, arguments: tuple[str, ...]) -> str:
        lines: list[str] = []
        errors = self._session.scratch / "query.errors"
        ending = self._session.execute(
            arguments, self._folder, on_line=lines.append, error_file=errors
        )
        said = errors.read_text(encoding="utf-8", errors="replace").strip()
        if ending.status != 0 or said.startswith("<!> Error"):
            raise self._refusal(said or "\n".join(lines[-5:]) or f"exit {ending.status}")
        if said:
            self._session.emit("output", run=-1, line=said)
        return "\n".join(lines)

    def _refusal(self, said: str) -> ModelError | ParameterError:
        reason = said.replace("<!> Error: ", "")
        if "No such config" in reason or "no such config" in reason.lower():
            return ParameterError(reason, hint=f"Configurations here: {self._configurations()}.")
        if "Cannot load library" in reason:
            return ParameterError(
                f"The ini file has load-libs, and a campaign cannot follow it: {reason}",
                hint="Remove load-libs: the libraries that the model and its projects make are "
                "loaded all the same. Name the source tree that makes this one in projects.",
            )
        if "run filter" in reason or "run list" in reason:
            return ParameterError(
                reason,
                hint="A filter is a list such as 0,2,5-10, or an expression such as "
                '$load > 0.5 && $proto == "tcp".',
            )
        return ModelError(f"OMNeT++ refuses the configuration {self._line.config}: {reason}")

    def _configurations(self) -> str:
        names: dict[str, None] = {}
        for name in self._line.ini_files:
            text = (self._folder / name).read_text(encoding="utf-8", errors="replace")
            names.update(dict.fromkeys(_SECTION.findall(text)))
        return ", ".join(names) or "none"
