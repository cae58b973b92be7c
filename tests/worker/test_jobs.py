"""Jobs travel as one line of JSON, and what is none is refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from oppflow.worker.jobs import Job, WrongJobError, decode_job, encode_job
from tests.support.workers import Bench, Worker, run_worker


def jobs(tmp_path: Path) -> list[Job]:
    bench = Bench(tmp_path, "own_words")
    options = {"x": '"a b"\n\u2028é'}
    return [
        bench.simulate("OwnWords", 2, options=options, memory=5, keep=("sca",), keep_going=False),
        bench.resolve("OwnWords", "$x == 1"),
        bench.build(),
    ]


@pytest.mark.parametrize("index", [0, 1, 2])
def test_a_job_arrives_as_it_was_sent(tmp_path: Path, index: int) -> None:
    """On one line, whatever is in it."""
    job = jobs(tmp_path)[index]
    line = encode_job(job)
    assert "\n" not in line
    assert decode_job(line) == job


@pytest.mark.parametrize(
    "line",
    ["", "hello", "[]", "5", "{}", '{"kind": "dance"}', '{"kind": "build"}', '{"kind": []}'],
)
def test_what_is_no_job_is_refused(line: str) -> None:
    """With one kind of error."""
    with pytest.raises(WrongJobError, match="not a job"):
        decode_job(line)


def test_a_field_too_many_is_refused(tmp_path: Path) -> None:
    """A worker of another version must not guess."""
    data = json.loads(encode_job(jobs(tmp_path)[2]))
    with pytest.raises(WrongJobError):
        decode_job(json.dumps({**data, "surprise": 1}))
    del data["mode"]
    with pytest.raises(WrongJobError):
        decode_job(json.dumps(data))


@pytest.mark.parametrize("line", ["nonsense", '{"kind": "dance"}'])
def test_a_wrong_job_is_exit_status_2(line: str) -> None:
    """The worker says why, as an event."""
    worker = run_worker(line)
    assert worker.process.returncode == 2
    (error,) = worker.named("error")
    assert "not a job" in error["message"]


def test_a_worker_without_a_task_ends() -> None:
    """Its input ends before a job came."""
    worker = Worker.start("")
    assert worker.process.stdin
    worker.process.stdin.close()
    assert worker.wait() == 2
