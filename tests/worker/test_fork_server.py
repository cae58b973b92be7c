"""Programs that are loaded once: what their runs are like, and which are started anew instead."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from oppflow.worker.children import Child, Command, Ending
from oppflow.worker.fork_server import ForkServer, compile_command, unfit_symbols
from oppflow.worker.strays import adopt_orphans
from tests.support.campaigns import PROJECT_ROOT
from tests.support.workers import gone_within, wait_until

pytestmark = pytest.mark.skipif(shutil.which("cc") is None, reason="no C compiler")

# A model's program: `loaded` tells how often it was loaded, in the folder that it was loaded in.
PROGRAM = r"""
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/resource.h>
#include <pthread.h>
static void *sleeps(void *_) { pause(); return _; }
__attribute__((constructor)) static void load(void) {
    FILE *file = fopen("loaded", "a");
    fputs("once\n", file);
    fclose(file);
#ifdef PRINTS
    puts("I am here");
#endif
#ifdef OPENS
    fopen("/dev/null", "r");
#endif
#ifdef THREAD
    pthread_t thread; pthread_create(&thread, NULL, sleeps, NULL);
#endif
}
int main(int count, char **words) {
    (void)sleeps;
    const char *what = count > 1 ? words[1] : "";
    if (!strcmp(what, "tell")) {
        char folder[4096];
        printf("%s|%s|%s|%s\n", words[2], getenv("NAME"), getenv("LD_PRELOAD") ? "preloaded" : "",
               getcwd(folder, sizeof folder));
        fprintf(stderr, "%d %d %d\n", getpid() == getpgrp(), getpid() == getsid(0), getppid());
    }
    if (!strcmp(what, "memory")) {
        struct rlimit limit; usleep(300000); getrlimit(RLIMIT_DATA, &limit);
        printf("%ld\n", (long)limit.rlim_cur);
    }
    if (!strcmp(what, "abort")) abort();
    if (!strcmp(what, "sleep")) { puts("asleep"); fflush(stdout); sleep(60); }
    if (!strcmp(what, "spin")) for (volatile long i = 0; i < 300000000; i++) ;
    return count > 2 ? atoi(words[2]) : 0;
}
"""


@pytest.fixture(autouse=True)
def adopting() -> None:
    """As a worker does."""
    adopt_orphans()


@pytest.fixture(scope="session")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("library") / "fork_server.so"
    subprocess.run(compile_command("cc", path), check=True)
    return path


def program(folder: Path, *flags: str) -> Path:
    (folder / "model.c").write_text(PROGRAM)
    words = ["cc", "-w", "-pthread", *flags, "-o", "model", "model.c"]
    subprocess.run(words, cwd=folder, check=True)
    return folder / "model"


def command(folder: Path, *words: str, **more: int) -> Command:
    environment = {"PATH": os.environ["PATH"], "NAME": words[-1] if words else ""}
    return Command([str(folder / "model"), *words], folder, environment, **more)


@pytest.fixture
def server(tmp_path: Path, library: Path) -> Iterator[ForkServer]:
    program(tmp_path)
    server = ForkServer.open(command(tmp_path), library)
    assert server is not None
    yield server
    server.close()


def end_of(child: Child) -> Ending:
    while (ending := child.tick()) is None:
        if not child.at_end:
            child.read()
        time.sleep(0.005)
    return ending


def run(server: ForkServer, command: Command) -> tuple[list[str], Ending]:
    lines: list[str] = []
    child = Child(command, on_line=lines.append, start=server.start)
    return lines, end_of(child)


def test_runs_are_processes_of_their_own_of_a_program_that_is_loaded_once(
    server: ForkServer, tmp_path: Path
) -> None:
    """Arguments, environment, folder, group and parent are as if it had been started."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    for name in ("first", "the second"):
        asked = command(tmp_path, "tell", name)
        told = Command(asked.arguments, elsewhere, asked.environment)
        lines, ending = run(server, told)
        assert lines == [f"1 1 {os.getpid()}", f"{name}|{name}||{elsewhere}"]
        assert ending.status == 0
    assert (tmp_path / "loaded").read_text() == "once\n"


@pytest.mark.parametrize(("words", "status"), [(("exit", "3"), 3), (("abort",), -signal.SIGABRT)])
def test_their_endings_are_told(
    server: ForkServer, tmp_path: Path, words: tuple[str, ...], status: int
) -> None:
    """Exit statuses and signals reach the worker; the next run is none the worse for it."""
    assert run(server, command(tmp_path, *words))[1].status == status
    assert run(server, command(tmp_path, "exit", "0"))[1].status == 0


def test_each_has_its_own_clock_and_limits(server: ForkServer, tmp_path: Path) -> None:
    assert run(server, command(tmp_path, "spin"))[1].cpu_time > 0.05
    assert run(server, command(tmp_path, "exit", "0"))[1].cpu_time < 0.05
    lines, _ = run(server, command(tmp_path, "memory", memory=10**9))
    assert lines == [str(10**9)]
    _, ending = run(server, command(tmp_path, "sleep", wall_time_limit=1))
    assert ending.timed_out


def test_several_run_at_once(server: ForkServer, tmp_path: Path) -> None:
    children = [
        Child(command(tmp_path, "exit", str(n)), on_line=print, start=server.start)
        for n in range(8)
    ]
    assert [end_of(child).status for child in children] == list(range(8))


@pytest.mark.parametrize("flag", ["-DPRINTS", "-DOPENS", "-DTHREAD", "-static"])
def test_who_does_something_before_main_is_not_served(
    tmp_path: Path, library: Path, flag: str
) -> None:
    """And neither is a program that the library has no effect on."""
    program(tmp_path, flag)
    assert ForkServer.open(command(tmp_path), library) is None
    assert gone_within(2, str(tmp_path))


def test_a_program_that_is_not_there_is_not_served(tmp_path: Path, library: Path) -> None:
    assert ForkServer.open(command(tmp_path), library) is None


def test_where_the_server_died_programs_are_started_anew(
    server: ForkServer, tmp_path: Path
) -> None:
    os.kill(server.pid, signal.SIGKILL)
    lines, ending = run(server, command(tmp_path, "tell", "anew"))
    assert lines[1] == f"anew|anew||{tmp_path}"
    assert ending.status == 0
    assert (tmp_path / "loaded").read_text() == "once\nonce\n"


def test_what_is_too_long_for_a_request_is_started_anew(server: ForkServer, tmp_path: Path) -> None:
    lines, _ = run(server, command(tmp_path, "tell", *["x" * 100_000] * 3))
    assert lines[1].startswith("xxx")


def test_a_folder_that_is_gone_is_an_error_as_always(server: ForkServer, tmp_path: Path) -> None:
    asked = command(tmp_path, "exit", "0")
    gone = Command(asked.arguments, tmp_path / "gone", asked.environment)
    with pytest.raises(FileNotFoundError):
        run(server, gone)


def is_alive(process: psutil.Process) -> bool:
    return process.is_running() and process.status() != psutil.STATUS_ZOMBIE


WORKER = """
import sys, time
from pathlib import Path
from oppflow.worker.children import Child, Command
from oppflow.worker.fork_server import ForkServer
from oppflow.worker.strays import adopt_orphans
adopt_orphans()
folder = Path(sys.argv[1])
command = Command([str(folder / "model"), "sleep"], folder, {})
server = ForkServer.open(command, Path(sys.argv[2]))
child = Child(command, on_line=print, start=server.start)
print(server.pid, child.pid, flush=True)
time.sleep(60)
"""


def test_nothing_is_left_of_a_worker_that_is_killed(tmp_path: Path, library: Path) -> None:
    """The server and its runs go with the worker, as the kernel was told."""
    program(tmp_path)
    worker = subprocess.Popen(
        [sys.executable, "-c", WORKER, str(tmp_path), str(library)],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(PROJECT_ROOT / "plugins")},
    )
    with worker:
        assert worker.stdout is not None
        pids = [int(word) for word in worker.stdout.readline().split()]
        processes = [psutil.Process(pid) for pid in pids]
        worker.kill()
    wait_until(lambda: not any(map(is_alive, processes)), timeout=5)


def test_what_may_not_be_asked_before_main() -> None:
    """Each run would get the same answer: time, randomness, the process."""
    listing = [
        "model:",
        "   U time@GLIBC_2.2.5",
        "   U _ZNSt13random_device7_M_initERKSs",
        "   U puts",
    ]
    assert unfit_symbols(listing) == {"time", "_ZNSt13random_device7_M_initERKSs"}
    assert unfit_symbols(["", "   U strftime@GLIBC_2.2.5", "   w __cxa_finalize"]) == set()
