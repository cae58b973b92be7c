"""A fork server: a program that is loaded once, and forks to start a run.

Loading and linking OMNeT++ takes longer than reading the model, and as long as some runs. Here it
is done once for all runs of a batch: ``fork_server.c``, preloaded into the model's program, stops
it before its main function and forks there for each run, which is a process of its own as before.
It is the worker's child, so that nothing else differs for whoever watches it.

All runs begin with what the program did before main, which is where C++ makes global objects. So
only programs are served of which nobody could tell the difference: see `unfit_symbols` and
`ForkServer.open`. Where in doubt, and where there is no C compiler, runs are started anew each.
"""

from __future__ import annotations

import array
import contextlib
import os
import re
import select
import socket
import struct
import subprocess
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from oppflow.errors import InfrastructureError
from oppflow.worker.children import Command, Started, spawn
from oppflow.worker.session import Session

Start = Callable[[Command], Started]

SOURCE = Path(__file__).with_suffix(".c")
COMPILERS = ("cc", "gcc", "clang")
_VARIABLE = "OPPFLOW_FORK_SERVER"
_PATIENCE = 10.0  # seconds until a program is loaded
_ANSWER = struct.Struct("i")

# What gives another value to each process that asks: time, randomness, the process itself. Threads,
# since a fork does not copy them. As the C library and libstdc++ name them.
_UNFIT = re.compile(
    r"time|gettimeofday|clock_gettime|timespec_get|clock|times|ftime|getrusage"
    r"|getrandom|getentropy|arc4random\w*|uuid_generate\w*|_ZNSt13random_device\w*"
    r"|_ZNSt6chrono\w*|getpid|gettid|pthread_create|_ZNSt6thread\w*"
)


@contextlib.contextmanager
def starting(command: Command, binaries: Sequence[Path], session: Session) -> Iterator[Start]:
    """How processes of a program are started: by a fork server if it can be served, else anew.

    ``binaries`` are the program and the libraries of the model. ``command`` is executed if the
    program cannot be stopped before its main function: it should do nothing.

    Raises:
        Stopped, Abandoned: see `Supervisor.run_one`.
    """
    server = _served(command, binaries, session)
    if server is None:
        yield spawn
        return
    session.supervisor.helper = server.pid
    try:
        yield server.start
    finally:
        session.supervisor.helper = None
        server.close()


def _served(command: Command, binaries: Sequence[Path], session: Session) -> ForkServer | None:
    try:
        library = _library(session) if _is_fit(binaries, session) else None
    except InfrastructureError:  # no such tools here: the model was built elsewhere
        return None
    return ForkServer.open(command, library) if library else None


def _is_fit(binaries: Sequence[Path], session: Session) -> bool:
    if not binaries:
        return True  # a model of NED files alone: all programs are OMNeT++'s own
    asked: list[str] = []
    words = ("nm", "-D", "--undefined-only", *map(str, binaries))
    read = session.execute(words, session.scratch, on_line=asked.append)
    return read.status == 0 and not unfit_symbols(asked)


def _library(session: Session) -> Path | None:
    """The library, made for this machine's C library; None where no compiler makes it."""
    library = session.scratch / "fork_server.so"
    for compiler in COMPILERS:
        with contextlib.suppress(InfrastructureError):
            words = compile_command(compiler, library)
            if session.execute(words, session.scratch, on_line=lambda _: None).status == 0:
                return library
    return None


def compile_command(compiler: str, library: Path) -> tuple[str, ...]:
    """The words that make the library out of its source."""
    return (compiler, "-shared", "-fPIC", "-O1", "-o", str(library), str(SOURCE), "-ldl")


def unfit_symbols(listing: Iterable[str]) -> set[str]:
    """What a program asks for that may not be asked for before it forks.

    ``listing`` are lines of ``nm -D --undefined-only``. Whether it is asked before main or after is
    not told by a symbol: both count.
    """
    words = (line.split() for line in listing)
    names = {fields[-1].partition("@")[0] for fields in words if fields}
    return {name for name in names if _UNFIT.fullmatch(name)}


class ForkServer:
    """Starts processes of one program; `start` is to be used like `spawn`."""

    def __init__(self, process: subprocess.Popen[bytes], control: socket.socket) -> None:
        self._process = process
        self._control = control

    @property
    def pid(self) -> int:
        """The server's own process."""
        return self._process.pid

    @classmethod
    def open(cls, command: Command, library: Path) -> ForkServer | None:
        """Load a program; None if it cannot be served.

        That is so if it does not come to its main function, or prints something, opens files or
        starts threads before: each run would have to do that itself. ``command`` is executed where
        the library has no effect.
        """
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            descriptor = theirs.fileno()
            environment = {
                **command.environment,
                "LD_PRELOAD": str(library),
                "LD_BIND_NOW": "1",  # once here instead of in each run
                _VARIABLE: f"{descriptor} {os.getpid()}",
            }
            try:
                process = subprocess.Popen(
                    list(command.arguments),
                    cwd=command.folder,
                    env=environment,
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                    pass_fds=(descriptor, *command.keep_open),
                )
            except OSError:
                ours.close()
                return None
        server = cls(process, ours)
        inherited = {0, 1, 2, descriptor, *command.keep_open}
        with contextlib.suppress(OSError):
            if server._is_ready() and server._is_bare(inherited):
                return server
        server.close()
        return None

    def _is_ready(self) -> bool:
        output = self._process.stdout
        assert output is not None
        poll = select.poll()
        poll.register(self._control, select.POLLIN)
        poll.register(output, select.POLLIN)
        told = dict(poll.poll(_PATIENCE * 1000))
        return list(told) == [self._control.fileno()]

    def _is_bare(self, inherited: set[int]) -> bool:
        """Whether it has one thread and no descriptors but those that it was given."""
        if self._answer() != 0:
            return False
        folder = Path("/proc", str(self.pid))
        threads = list((folder / "task").iterdir())
        descriptors = {int(path.name) for path in (folder / "fd").iterdir()}
        return len(threads) == 1 and descriptors == inherited

    def start(self, command: Command) -> Started:
        """A new process that calls the program's main function, or a new program if that fails.

        Raises:
            OSError: see `spawn`.
        """
        try:
            return self._fork(command)
        except OSError:
            return spawn(command)

    def _answer(self) -> int:
        data = self._control.recv(_ANSWER.size)
        if len(data) < _ANSWER.size:
            raise ConnectionResetError("The program has ended.")
        return int(_ANSWER.unpack(data)[0])

    def _fork(self, command: Command) -> Started:
        pairs = [f"{name}={value}" for name, value in command.environment.items()]
        words = [str(len(command.arguments)), str(command.folder), *command.arguments, *pairs]
        packet = b"".join(os.fsencode(word) + b"\0" for word in words)
        reader, writer = os.pipe()
        try:
            rights = array.array("i", [writer])
            ancillary = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, rights)]
            self._control.sendmsg([packet], ancillary, socket.MSG_NOSIGNAL)
            pid = self._answer()
            if pid < 0:
                raise OSError(-pid, os.strerror(-pid))
        except BaseException:
            os.close(reader)
            raise
        finally:
            os.close(writer)
        return Started(pid, os.fdopen(reader, "rb", buffering=0))

    def close(self) -> None:
        """End the server; runs that it started go on."""
        self._control.close()
        self._process.kill()
        self._process.wait()
        assert self._process.stdout is not None
        self._process.stdout.close()
