"""Judging a simulation that ended: which outcome, and why in a sentence or two.

OMNeT++'s exit status alone says little: it is 0 after a CPU limit, a fingerprint mismatch, a full
disk, and when the model calls exit(). So the words on its output and the files count as well.
"""

from __future__ import annotations

import re
import signal
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from oppflow.campaign import Outcome
from oppflow.errors import ResultFileError
from oppflow.omnetpp.cmdenv import CmdenvSummary

# A shell or a container tells death by signal N as exit status 128 + N.
_SHELL_OFFSET = 128
_TIME_LIMIT = re.compile(r"(CPU time|Real-?time) limit reached", re.IGNORECASE)
# What OMNeT++'s result writers say when the disk, a quota or a broken mount is in the way.
_CANNOT_WRITE = re.compile(r"Error: Cannot write output .*file|.*No space left on device")
_SIGNAL_WORDS = "SIGINT or SIGTERM received"
# Signals that somebody sent; all others a simulation brings upon itself.
_SENT = frozenset({"SIGKILL", "SIGTERM", "SIGINT", "SIGHUP", "SIGQUIT", "SIGPIPE"})
_CRASHES = {
    "SIGSEGV": "it used memory that is not its own",
    "SIGABRT": "it gave itself up, as after a failed assertion or an uncaught C++ exception",
    "SIGBUS": "it used memory that is not there",
    "SIGFPE": "it divided an integer by zero or the like",
    "SIGILL": "it was built for another processor",
    "SIGTRAP": "it ran into a breakpoint, as with debug-on-errors = true",
    "SIGXFSZ": "a file grew beyond the limit of the system",
}


class Verdict(NamedTuple):
    """The outcome of a run, and why: a message for a person, empty for `Outcome.DONE`."""

    outcome: Outcome
    message: str


@dataclass(frozen=True)
class Ending:
    """What is known of a simulation that ended.

    ``exit_status`` is as in `subprocess`: negative for a signal. ``wall_time_limit`` (s) is set if
    the worker ended the simulation for it. ``stop_requested`` says that the worker was asked to
    stop while it ran, ``oom_killed`` that the counter of out-of-memory kills rose meanwhile,
    ``disk_full`` that no room was left where results are written. ``file_errors`` is what
    `check_result_files` found; ``scalars_found`` whether a ``.sca`` is there.
    """

    exit_status: int
    output: CmdenvSummary
    wall_time_limit: float | None = None
    stop_requested: bool = False
    oom_killed: bool = False
    disk_full: bool = False
    file_errors: tuple[ResultFileError, ...] = ()
    scalars_expected: bool = True
    scalars_found: bool = True

    @property
    def signal_name(self) -> str:
        """The signal that ended the simulation, such as ``SIGSEGV``; empty if none did."""
        status = self.exit_status
        number = -status if status < 0 else status - _SHELL_OFFSET
        try:
            return signal.Signals(number).name if number > 0 else ""
        except ValueError:
            return f"signal {number}" if status < 0 else ""

    @property
    def was_cut_off(self) -> bool:
        """Whether it did not come to an end of its own: a signal, an error, or no last word."""
        words = self.output.terminator
        return self.exit_status != 0 or not words or words.startswith(_SIGNAL_WORDS)


def judge(ending: Ending) -> Verdict:
    """Return the outcome of a run and why.

    What came from outside (a stop, a limit, the machine) is told before what the simulation says,
    because errors follow from it.
    """
    for rule in _RULES:
        verdict = rule(ending)
        if verdict is not None:
            return verdict
    return Verdict(Outcome.DONE, "")


def _stopped(ending: Ending) -> Verdict | None:
    if ending.stop_requested and ending.was_cut_off:
        return Verdict(Outcome.STOPPED, f"The run was stopped on request{_when(ending)}.")
    return None


def _wall_time(ending: Ending) -> Verdict | None:
    if ending.wall_time_limit is None or not ending.was_cut_off:
        return None
    return Verdict(
        Outcome.TIME_LIMITED,
        f"The run was ended at its wall-clock limit of {ending.wall_time_limit:g} s"
        f"{_when(ending)}. Its results are cut short.",
    )


def _out_of_memory(ending: Ending) -> Verdict | None:
    if ending.oom_killed and ending.signal_name == "SIGKILL":
        return Verdict(
            Outcome.OUT_OF_MEMORY,
            f"The system killed the simulation because it used more memory than it may"
            f"{_when(ending)}.",
        )
    return None


def _disk_full(ending: Ending) -> Verdict | None:
    if ending.disk_full:
        return Verdict(
            Outcome.LOST,
            "The disk for results is full. OMNeT++ does not notice that: no file of this run can "
            "be trusted.",
        )
    if ending.exit_status != 0 and _CANNOT_WRITE.match(ending.output.error):
        return Verdict(Outcome.LOST, f"The results could not be written: {_words(ending)}")
    return None


def _killed(ending: Ending) -> Verdict | None:
    name = ending.signal_name
    if name in _SENT:
        return Verdict(
            Outcome.LOST,
            f"The simulation was ended by {name}{_when(ending)}, which neither oppflow nor the "
            "memory limit sent.",
        )
    if ending.output.terminator.startswith(_SIGNAL_WORDS):
        return Verdict(
            Outcome.LOST,
            f"The simulation was ended by SIGINT or SIGTERM{_when(ending)}, which oppflow did not "
            "send.",
        )
    if name == "SIGXCPU":
        return Verdict(
            Outcome.TIME_LIMITED,
            f"The system's CPU time limit ended the simulation{_when(ending)}.",
        )
    return None


def _crashed(ending: Ending) -> Verdict | None:
    name = ending.signal_name
    if not name:
        return None
    why = _CRASHES.get(name)
    reason = f" ({why})" if why else ""
    words = f" Its last message: {_words(ending)}" if _words(ending) else ""
    return Verdict(
        Outcome.FAILED, f"The simulation crashed with {name}{reason}{_when(ending)}.{words}"
    )


def _error(ending: Ending) -> Verdict | None:
    if ending.exit_status == 0:
        return None
    if words := _words(ending):
        return Verdict(
            Outcome.FAILED,
            f"The simulation ended with exit status {ending.exit_status}: {words}",
        )
    return Verdict(
        Outcome.FAILED,
        f"The simulation ended with exit status {ending.exit_status} and no error message.",
    )


def _time_limited(ending: Ending) -> Verdict | None:
    match = _TIME_LIMIT.match(ending.output.terminator)
    if match is None or ending.output.error_is_last:
        return None
    limit = "cpu-time-limit" if match[1].lower().startswith("cpu") else "real-time-limit"
    return Verdict(
        Outcome.TIME_LIMITED,
        f"The simulation reached its {limit}{_when(ending)}. Its results are cut short.",
    )


def _no_last_word(ending: Ending) -> Verdict | None:
    if ending.output.error_is_last:
        return Verdict(
            Outcome.FAILED,
            f"The simulation ended with exit status 0, but its last word is {ending.output.error}",
        )
    if ending.output.terminator:
        return None
    return Verdict(
        Outcome.FAILED,
        f"The simulation ended with exit status 0{_when(ending)} without saying why: a model that "
        "calls exit() does so, and leaves no results.",
    )


def _fingerprint(ending: Ending) -> Verdict | None:
    if ending.output.fingerprint_mismatch:
        return Verdict(Outcome.FAILED, ending.output.fingerprint_mismatch)
    return None


def _damaged_files(ending: Ending) -> Verdict | None:
    if not ending.file_errors:
        return None
    others = len(ending.file_errors) - 1
    more = f" So {'is' if others == 1 else 'are'} {others} more." if others else ""
    return Verdict(
        Outcome.LOST,
        "The simulation ended well, but left a damaged file. "
        f"{ending.file_errors[0].message}{more}",
    )


def _no_scalars(ending: Ending) -> Verdict | None:
    if ending.scalars_expected and not ending.scalars_found:
        return Verdict(
            Outcome.FAILED,
            "The simulation ended well, but left no scalar file (.sca): either nothing in the "
            "model records scalars, or the ini file sends them elsewhere.",
        )
    return None


_RULES: tuple[Callable[[Ending], Verdict | None], ...] = (
    _stopped,
    _wall_time,
    _out_of_memory,
    _disk_full,
    _killed,
    _crashed,
    _error,
    _time_limited,
    _no_last_word,
    _fingerprint,
    _damaged_files,
    _no_scalars,
)


def _when(ending: Ending) -> str:
    if not ending.output.simulated_time:
        return ""
    return f" at t={ending.output.simulated_time}s (event #{ending.output.events})"


def _words(ending: Ending) -> str:
    """What the simulation said about its failure, without the prefix that says nothing."""
    return (ending.output.error or ending.output.last_mark).removeprefix("Error: ")
