"""Results come out of containers: small ones many at a time, and their room is given back."""

from __future__ import annotations

import io
import tarfile
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from oppflow.deployment import Deployment
from oppflow.errors import InfrastructureError
from oppflow.runners.docker import outputs
from oppflow.runners.docker.connection import connect
from oppflow.runners.docker.engine import Engine
from oppflow.runners.docker.outputs import Outputs
from tests.support.containers import IMAGE
from tests.support.runners import Client

RUNS = 40


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often the engine was asked for files, by the method's name."""
    counts: Counter[str] = Counter()

    def counted(name: str) -> Callable[..., Any]:
        method = getattr(Engine, name)

        def call(*arguments: Any) -> Any:
            counts[name] += 1
            return method(*arguments)

        return call

    for name in ("open", "files", "put"):
        monkeypatch.setattr(Engine, name, counted(name))
    return counts


class TestShortRuns:
    def test_many_come_in_one_answer(self, deployment: Deployment, calls: Counter[str]) -> None:
        """And their room is given back in as few calls."""
        heard = Client(deployment, "mm1").simulate("Short", RUNS, slots=2, options={"repeat": RUNS})
        assert heard.outcomes == ["done"] * RUNS
        digests = {event["path"]: event["record"]["archive"] for event in heard.named("finished")}
        assert heard.digests == digests
        assert calls["open"] == 0
        assert calls["files"] <= RUNS / 2
        assert calls["put"] <= calls["files"] + 2  # the trees, and the worker's folders

    def test_a_large_file_comes_by_itself(
        self, deployment: Deployment, calls: Counter[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """As a stream: it is never held in memory."""
        monkeypatch.setattr(outputs, "_SMALL", 0)
        assert Client(deployment, "mm1").simulate("Short", 3).outcomes == ["done"] * 3
        assert (calls["open"], calls["files"]) == (3, 0)

    def test_what_has_no_room_in_memory_comes_by_itself(
        self, deployment: Deployment, calls: Counter[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The answer is read to there, and no further."""
        monkeypatch.setattr(outputs, "_ROOM", 1)
        assert Client(deployment, "mm1").simulate("Short", 3).outcomes == ["done"] * 3
        assert (calls["open"], calls["files"]) == (3, 3)


class TestFolder:
    @pytest.fixture
    def folder(self) -> Iterator[tuple[Engine, str]]:
        """A container that never runs, with files of 0, 5, 50 and 5 bytes."""
        with connect() as engine:
            volume = {outputs.paths.OUTPUT: {}}
            config = {"Image": IMAGE, "Volumes": volume}
            container = engine.create("oppflow-test-outputs", config)
            try:
                sizes = {"a": 0, "b": 5, "c": 50, "d": 5}
                engine.put(container, outputs.paths.OUTPUT, [tar_of(sizes)])
                yield engine, container
            finally:
                engine.remove(container)

    @pytest.mark.parametrize(
        ("small", "room", "found"),
        [(100, 10_000, "bcd"), (10, 10_000, "bd"), (100, 2_500, "b"), (100, 0, "")],
    )
    def test_small_files_are_found(
        self, folder: tuple[Engine, str], small: int, room: int, found: str
    ) -> None:
        """Empty ones are no files: somebody took them."""
        engine, container = folder
        files = engine.files(container, outputs.paths.OUTPUT, small, room)
        assert "".join(sorted(files)) == found
        assert all(files[name] == name.encode() * len(files[name]) for name in files)

    def test_what_is_discarded_is_emptied_with_the_next_call(
        self, folder: tuple[Engine, str], calls: Counter[str]
    ) -> None:
        """All at once."""
        box = Outputs(*folder)
        box.discard("b", 5)
        box.discard("d", 5)
        assert box.is_there("b")
        box.fetch("c", 50, to_come=0)
        assert not box.is_there("b")
        assert not box.is_there("d")
        with box.open("c") as file:
            assert file.read() == b"c" * 50
        assert calls == {"put": 1, "files": 1}

    def test_much_that_is_discarded_is_emptied_at_once(self, folder: tuple[Engine, str]) -> None:
        """A batch may leave more than the disk holds."""
        box = Outputs(*folder)
        box.discard("c", outputs._ROOM + 1)
        assert not box.is_there("c")

    def test_a_folder_that_is_not_there_is_told(self, folder: tuple[Engine, str]) -> None:
        """By its name."""
        engine, container = folder
        with pytest.raises(InfrastructureError, match="/nowhere"):
            engine.files(container, "/nowhere", 1, 1)


def tar_of(sizes: dict[str, int]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for name, size in sizes.items():
            header = tarfile.TarInfo(name)
            header.size = size
            tar.addfile(header, io.BytesIO(name.encode() * size))
    return buffer.getvalue()
