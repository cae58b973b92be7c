"""The command lines of OMNeT++: how runs are asked for and how a simulation is started.

Arguments are lists, never a shell's words. Both engines take the same ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

PROBE_MARK = "oppflow-run"
PROBE_INI = (
    "[General]\n"
    f'description = "{PROBE_MARK} ${{seedset}} '
    '${configname}-${iterationvarsf}#${repetition}"\n'
)
"""An ini file given beside the user's: `-q rundetails` prints every entry that holds ``${``, so one
query tells the effective seed set and the result name of every run."""

RESERVED_OPTIONS = {
    "result-dir": "oppflow collects the results itself; `results` names the campaign's folder",
    "cmdenv-redirect-output": "oppflow keeps each run's output as its .out file",
    "cmdenv-output-file": "oppflow keeps each run's output as its .out file",
    "cmdenv-express-mode": "oppflow reads progress from express mode's status lines",
    "cmdenv-performance-display": "oppflow reads progress from Cmdenv's one-line status",
    "cmdenv-status-frequency": "oppflow reads progress once a second",
    "debug-on-errors": "there is no debugger where a campaign runs",
    "debugger-attach-on-startup": "there is no debugger where a campaign runs",
    "debugger-attach-on-error": "there is no debugger where a campaign runs",
    "user-interface": "a campaign runs under Cmdenv",
    "parallel-simulation": "a run of a campaign is one process",
}
"""Options that a user cannot give, with the reason."""

_ALWAYS = (
    "--cmdenv-redirect-output=false",
    "--cmdenv-express-mode=true",
    "--cmdenv-performance-display=false",
    "--cmdenv-status-frequency=1s",
    "--debug-on-errors=false",
    "--debugger-attach-on-startup=false",
    "--debugger-attach-on-error=false",
)


@dataclass(frozen=True)
class CommandLine:
    """What all calls for one configuration share.

    ``program`` is what executes the model (``opp_run`` with its libraries, an executable, or the
    embedded engine); ``ned_path`` and ``exclude_ned`` go to ``-n`` and ``-x``.
    """

    program: tuple[str, ...]
    ini_files: tuple[str, ...]
    config: str
    options: tuple[tuple[str, str], ...] = ()
    ned_path: tuple[str, ...] = ()
    exclude_ned: tuple[str, ...] = field(default=())

    def query(
        self, what: str, run_filter: str = "", extra_ini: Sequence[str] = ()
    ) -> tuple[str, ...]:
        """Ask about runs: ``what`` is ``rundetails``, ``runconfig``, ``runnumbers`` ..."""
        # Cmdenv, as the ini file may ask for a user interface that is not here, only to be told so.
        arguments = [*self.program, "-s", "-u", "Cmdenv", "-q", what, *self._files(extra_ini)]
        arguments += ["-c", self.config]
        if run_filter:
            arguments += ["-r", run_filter]
        return (*arguments, *self._options())

    def simulate(self, run_number: int, result_dir: str) -> tuple[str, ...]:
        """Execute one run, as a campaign does."""
        return (*self._run(run_number), f"--result-dir={result_dir}", *_ALWAYS, *self._options())

    def reproduce(self, run_number: int) -> tuple[str, ...]:
        """Execute one run as a person would, in the ini file's directory."""
        return (*self._run(run_number), *self._options())

    def _run(self, run_number: int) -> tuple[str, ...]:
        arguments = [*self.program, "-s", "-u", "Cmdenv", *self._files(())]
        if self.ned_path:
            arguments += ["-n", ";".join(self.ned_path)]
        if self.exclude_ned:
            arguments += ["-x", ";".join(self.exclude_ned)]
        return (*arguments, "-c", self.config, "-r", str(run_number))

    def _files(self, extra: Sequence[str]) -> list[str]:
        return [word for name in (*self.ini_files, *extra) for word in ("-f", name)]

    def _options(self) -> list[str]:
        return [f"--{key}={value}" for key, value in self.options]
