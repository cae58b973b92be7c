"""The ``process`` runner: a worker is a subprocess of the task, on the task's own host.

The worker's standard input and output are pipes: when the task dies, their ends tell the worker,
which then ends its simulations. A lock that every simulation inherits keeps the next attempt
waiting until the last process of the one before is gone.
"""

from __future__ import annotations

import contextlib
import dataclasses
import logging
import os
import re
import signal
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import BinaryIO

import oppflow
from oppflow.archive import Limits
from oppflow.engine.version import versions
from oppflow.errors import InfrastructureError
from oppflow.runners.interface import OnEvent, OpenArchive, Work
from oppflow.runners.leftovers import attempt_lock, end_leftovers, prune_scratch
from oppflow.runners.native_omnetpp import native_omnetpp
from oppflow.runners.trees import TreeCache, remove_tree
from oppflow.worker.events import (
    EXIT_GOOD,
    EXIT_INFRASTRUCTURE,
    EXIT_RUN_FAILED,
    EXIT_STOPPED,
    EXIT_WRONG_JOB,
    decode_event,
)
from oppflow.worker.jobs import ResolveJob, encode_job
from oppflow.worker.session import LOCK_VARIABLE
from oppflow.worker.strays import PLACE_VARIABLE
from oppflow.worker.supervisor import DRAIN

log = logging.getLogger(__name__)

_STATUSES = (EXIT_GOOD, EXIT_RUN_FAILED, EXIT_WRONG_JOB, EXIT_INFRASTRUCTURE, EXIT_STOPPED)
_PACKAGE_ROOT = Path(oppflow.__file__).resolve().parents[1]


class ProcessRunner:
    """Starts workers as subprocesses; see `oppflow.runners.interface.Runner`."""

    def __init__(self, work_dir: Path, open_archive: OpenArchive, limits: Limits) -> None:
        """``work_dir`` holds the trees that tasks share, and each task's scratch folder."""
        self._work_dir = work_dir
        self._scratch_root = work_dir / "scratch"
        self._trees = TreeCache(work_dir / "trees", open_archive, limits)
        self._worker: subprocess.Popen[bytes] | None = None
        self._stopped = False

    def environment(self, engine: str, image: str = "") -> Mapping[str, str]:  # noqa: ARG002
        """See `Runner.environment`: this machine's OMNeT++, or the embedded engine's versions."""
        if engine == "omnetpp":
            return native_omnetpp(self._work_dir / "omnetpp.json")
        return {"kind": "embedded engine", **versions()}

    def run(self, work: Work, on_event: OnEvent) -> int:
        """See `Runner.run`."""
        name = re.sub(r"[^\w.-]", "_", work.name)
        scratch = self._scratch_root / name
        with attempt_lock(self._scratch_root / f"{name}.lock", scratch) as lock:
            prune_scratch(self._scratch_root)
            remove_tree(scratch)
            for folder in ("scratch", "output"):
                (scratch / folder).mkdir(parents=True)
            try:
                with self._trees.provide(work.trees) as trees:
                    return self._run_in(scratch, trees, work, lock, on_event)
            except OSError as error:
                raise InfrastructureError(f"The worker of {work.name} failed: {error}.") from error
            finally:
                remove_tree(scratch)

    def _run_in(self, scratch: Path, trees: Path, work: Work, lock: int, on_event: OnEvent) -> int:
        folders = {"trees": str(trees), "scratch": str(scratch / "scratch")}
        output = scratch / "output"
        if not isinstance(work.job, ResolveJob):
            folders["output"] = str(output)
        job = dataclasses.replace(work.job, **folders)  # type: ignore[arg-type]
        worker = self._start(lock, scratch)
        errors: deque[str] = deque(maxlen=20)
        listener = threading.Thread(target=_listen, args=(worker.stderr, errors), daemon=True)
        listener.start()
        assert worker.stdin
        assert worker.stdout
        try:
            with contextlib.suppress(BrokenPipeError):
                worker.stdin.write(encode_job(job).encode() + b"\n")
                worker.stdin.flush()
            for line in worker.stdout:
                event = decode_event(line)
                if event is not None:
                    on_event(event, lambda path: _taken(output / path))
            status = worker.wait()
        finally:
            self._end(worker)
            listener.join(timeout=1)
            if worker.returncode not in _STATUSES:
                end_leftovers(scratch)  # nobody else could, after a worker that was killed
        said = "".join(f"\n  {line}" for line in errors)
        if status not in _STATUSES:
            raise InfrastructureError(
                f"The worker of {work.name} ended with status {status} and without a word.{said}"
            )
        if said:
            log.warning("The worker of %s said:%s", work.name, said)
        return status

    def _start(self, lock: int, scratch: Path) -> subprocess.Popen[bytes]:
        kept = {name: os.environ[name] for name in ("PATH", "OMNETPP_ROOT") if name in os.environ}
        self._worker = subprocess.Popen(
            [sys.executable, "-m", "oppflow.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={
                **kept,
                "PYTHONPATH": str(_PACKAGE_ROOT),
                "PYTHONDONTWRITEBYTECODE": "1",
                "LANG": "C.UTF-8",
                "OPPFLOW_END_WITH_INPUT": "1",
                "CCACHE_DIR": str(self._work_dir / "ccache"),
                LOCK_VARIABLE: str(lock),
                PLACE_VARIABLE: str(scratch),
            },
            pass_fds=(lock,),
            # Airflow kills the task's process group: the worker must outlive it to pack results.
            start_new_session=True,
        )
        if self._stopped:
            self.stop()
        return self._worker

    def _end(self, worker: subprocess.Popen[bytes]) -> None:
        """End the worker if it is not at its end: nobody listens to it any more."""
        assert worker.stdin
        assert worker.stdout
        worker.stdout.close()  # first: a worker that waits to be read does not look at its input
        with contextlib.suppress(BrokenPipeError):
            worker.stdin.close()
        try:
            worker.wait(timeout=5)
        except subprocess.TimeoutExpired:
            worker.kill()
            worker.wait()

    def stop(self) -> None:
        """See `Runner.stop`."""
        self._stopped = True
        if self._worker is not None and self._worker.poll() is None:
            self._worker.send_signal(signal.SIGTERM)

    def drain(self) -> None:
        """See `Runner.drain`."""
        if self._worker is not None and self._worker.stdin is not None:
            with contextlib.suppress(BrokenPipeError, ValueError):
                self._worker.stdin.write(DRAIN + b"\n")
                self._worker.stdin.flush()


@contextlib.contextmanager
def _taken(path: Path) -> Iterator[BinaryIO]:
    """A file of the output folder; it is removed once it was read."""
    with path.open("rb") as file:
        yield file
    path.unlink()


def _listen(stream: BinaryIO, lines: deque[str]) -> None:
    for line in stream:
        lines.append(line.decode("utf-8", "replace").rstrip())
    stream.close()
