"""One supervised child process: its own process group, its output line by line, its limits.

Nothing that a child starts outlives it: its process group is killed when it ends (and what left
the group by `oppflow.worker.strays`), and the kernel kills the child itself when the worker dies
(``PR_SET_PDEATHSIG``, prctl(2)).
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
import resource
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

from oppflow.worker.strays import PLACE_VARIABLE

_PR_SET_PDEATHSIG = 1
_PR_CAPBSET_DROP = 24
_CAP_DAC_OVERRIDE = 1
_LIBC = ctypes.CDLL(None, use_errno=True)
_LONGEST_LINE = 64 * 1024
_READ_SIZE = 64 * 1024
_SETPRIV = shutil.which("setpriv", path=os.defpath)
"""util-linux's program that does what `die_with_parent` does, for the program that it becomes."""


def die_with_parent(signal_number: int, parent: int) -> None:
    """Have the kernel send a signal to this process when its parent dies.

    ``parent`` is the process that should be the parent: if it is gone already, the signal is
    sent at once, since the kernel would wait for the adopter's death.
    """
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal_number, 0, 0, 0)
    if os.getppid() != parent:
        os.kill(os.getpid(), signal_number)


def prepare_for_children() -> None:
    """Have all programs that this process starts leave no core files and obey read-only modes.

    Trees are shared between runs, and links lead into them: modes must hold for root, too. Without
    the right to say so (not root, or a container that has none of this) nothing changes.
    """
    _LIBC.prctl(_PR_CAPBSET_DROP, _CAP_DAC_OVERRIDE, 0, 0, 0)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


@dataclass(frozen=True)
class Command:
    """What to execute: arguments (no shell), folder, complete environment, limits.

    ``memory`` is the data segment's limit in bytes (0: none), ``wall_time_limit`` is in seconds
    (0: none). ``keep_open`` are descriptors that the child inherits. Standard error goes with
    standard output, in the order printed, unless ``error_file`` takes it.
    """

    arguments: Sequence[str]
    folder: Path
    environment: Mapping[str, str]
    memory: int = 0
    wall_time_limit: float = 0.0
    keep_open: tuple[int, ...] = ()
    error_file: Path | None = None


def _mortal(command: Command) -> list[str]:
    """The words before a command that have the kernel kill it when this process dies.

    A process that forks is copied, which takes milliseconds; one that starts a small program first
    is not.

    Raises:
        OSError: the program cannot be executed, which setpriv would tell as an exit status.
    """
    if _SETPRIV is None:
        return []
    program = command.arguments[0]
    path = command.environment.get("PATH", os.defpath)
    at = command.folder / program if "/" in program else shutil.which(program, path=path)
    if at is None or not os.access(at, os.X_OK):
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), program)
    return [_SETPRIV, "--pdeathsig", "KILL", "--"]


def _die_with(parent: int) -> Callable[[], None]:
    return lambda: die_with_parent(signal.SIGKILL, parent)


@dataclass(frozen=True)
class Started:
    """A process that leads a group of its own: its ID, the end of a pipe that it prints into.

    ``reaped`` is told its exit status.
    """

    pid: int
    output: BinaryIO
    reaped: Callable[[int], None] = lambda _: None


def spawn(command: Command) -> Started:
    """Start a program.

    Raises:
        OSError: it cannot be executed.
    """
    with contextlib.ExitStack() as stack:
        errors: int | BinaryIO = subprocess.STDOUT
        if command.error_file:
            errors = stack.enter_context(command.error_file.open("wb"))
        process = subprocess.Popen(
            [*_mortal(command), *command.arguments],
            cwd=command.folder,
            env=dict(command.environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
            start_new_session=True,
            pass_fds=command.keep_open,
            preexec_fn=None if _SETPRIV else _die_with(os.getpid()),  # noqa: PLW1509 -- one thread
        )
    assert process.stdout is not None

    def reaped(status: int) -> None:
        process.returncode = status  # it would ask the kernel, which has forgotten

    return Started(process.pid, cast("BinaryIO", process.stdout), reaped)


@dataclass(frozen=True)
class Ending:
    """How a child ended: exit status (negative: a signal), times in seconds, and who ended it."""

    status: int
    wall_time: float
    cpu_time: float
    timed_out: bool
    stopped: bool


class Child:
    """A running command. The owner reads it when `fileno` is readable, and calls `tick` often."""

    GRACE = 2.0  # seconds between SIGTERM and SIGKILL
    LINGER = 0.2  # seconds that somebody else may hold the output open after the child's end

    def __init__(
        self,
        command: Command,
        *,
        on_line: Callable[[str], None],
        sink: BinaryIO | None = None,
        start: Callable[[Command], Started] = spawn,
    ) -> None:
        """Start the command; ``sink`` gets its output as it is, ``on_line`` decoded lines.

        Raises:
            OSError: the program cannot be executed.
        """
        self._process = start(command)
        self._pipe = self._process.output
        os.set_blocking(self._pipe.fileno(), False)
        self.pid = self._process.pid
        if command.memory:
            with contextlib.suppress(ProcessLookupError):
                limits = (command.memory, command.memory)
                resource.prlimit(self.pid, resource.RLIMIT_DATA, limits)
        self.place = command.environment.get(PLACE_VARIABLE, "")
        self._on_line = on_line
        self._sink = sink
        self._rest = b""
        self._started = time.monotonic()
        limit_s = command.wall_time_limit
        self._deadline = self._started + limit_s if limit_s else None
        self._kill_at: float | None = None
        self._exited_at: float | None = None
        self._status = 0
        self._cpu_time = 0.0
        self._timed_out = False
        self._stopped = False

    def fileno(self) -> int:
        """The descriptor to wait for."""
        return self._pipe.fileno()

    @property
    def at_end(self) -> bool:
        """Whether the output has been closed by the child and all that it started."""
        return self._pipe.closed

    def read(self) -> None:
        """Take what the child has printed; closes the pipe at its end."""
        try:
            chunk = os.read(self._pipe.fileno(), _READ_SIZE)
        except BlockingIOError:
            return
        if not chunk:
            self._pipe.close()
            if self._rest:
                self._emit(self._rest)
                self._rest = b""
            return
        if self._sink is not None:
            self._sink.write(chunk)
        *lines, rest = (self._rest + chunk).split(b"\n")
        for line in lines:
            self._emit(line)
        while len(rest) > _LONGEST_LINE:
            self._emit(rest[:_LONGEST_LINE])
            rest = rest[_LONGEST_LINE:]
        self._rest = rest

    def _emit(self, line: bytes) -> None:
        self._on_line(line.rstrip(b"\r").decode("utf-8", "replace"))

    def terminate(self) -> None:
        """Ask the child and all it started to end; `tick` kills them after the grace period."""
        self._stopped = True
        self._ask()

    def _ask(self) -> None:
        if self._kill_at is None:
            self._signal(signal.SIGTERM)
            self._kill_at = time.monotonic() + self.GRACE

    def kill(self) -> None:
        """End the child and all it started, now."""
        self._signal(signal.SIGKILL)

    def _signal(self, number: int) -> None:
        if self._exited_at is None:  # later, the group's number may be somebody else's
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.pid, number)

    def tick(self) -> Ending | None:
        """Enforce the limits; how the child ended, once it has and its output is read."""
        now = time.monotonic()
        if self._exited_at is None:
            self._watch(now)
            if self._exited_at is None:
                return None
        if not self.at_end:
            if now - self._exited_at < self.LINGER:
                return None
            self._pipe.close()
        return Ending(
            self._status,
            self._exited_at - self._started,
            self._cpu_time,
            self._timed_out,
            self._stopped,
        )

    def _watch(self, now: float) -> None:
        if os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None:
            # What the child left behind goes before its process group's number can be given away.
            self._signal(signal.SIGKILL)
            _, status, usage = os.wait4(self.pid, 0)
            self._status = os.waitstatus_to_exitcode(status)
            self._process.reaped(self._status)
            self._cpu_time = usage.ru_utime + usage.ru_stime
            self._exited_at = now
        elif self._kill_at is not None and now >= self._kill_at:
            self.kill()
        elif self._deadline is not None and now >= self._deadline:
            self._timed_out = True
            self._ask()
