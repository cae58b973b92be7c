"""What the kernel tells of a control group, in either of its two versions."""

from __future__ import annotations

from pathlib import Path

import pytest

from oppflow.worker.memory import MemoryGuard


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "cgroup"


def guard(root: Path, membership: str) -> MemoryGuard:
    process = root.parent / "process"
    process.mkdir()
    (process / "cgroup").write_text(membership)
    return MemoryGuard(root, process)


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def test_version_2_in_a_container(root: Path) -> None:
    """A container sees its own group as the top."""
    write(root / "memory.events", "low 0\nhigh 0\nmax 12\noom 3\noom_kill 2\noom_group_kill 0\n")
    write(root / "memory.max", "268435456\n")
    found = guard(root, "0::/\n")
    assert (found.kills(), found.limit()) == (2, 268435456)


def test_version_2_without_a_limit(root: Path) -> None:
    """In a group of the host's, by its path."""
    write(root / "user.slice" / "memory.events", "oom 0\noom_kill 0\n")
    write(root / "user.slice" / "memory.max", "max\n")
    found = guard(root, "0::/user.slice\n")
    assert (found.kills(), found.limit()) == (0, None)


@pytest.mark.parametrize("path", ["", "docker/abc"])
def test_version_1(root: Path, path: str) -> None:
    """The path is the host's, where the container may see its own group as the top."""
    write(
        root / "memory" / path / "memory.oom_control",
        "oom_kill_disable 0\nunder_oom 0\noom_kill 1\n",
    )
    write(root / "memory" / path / "memory.limit_in_bytes", "1000000\n")
    found = guard(root, "9:name=systemd:/docker/abc\n4:memory:/docker/abc\n0::/\n")
    assert (found.kills(), found.limit()) == (1, 1000000)


def test_version_1_without_a_limit(root: Path) -> None:
    """Its word for that is a very large number."""
    write(root / "memory" / "memory.limit_in_bytes", "9223372036854771712\n")
    assert guard(root, "4:memory:/\n").limit() is None


def test_nothing_is_known_without_control_groups(root: Path) -> None:
    """And nothing is said."""
    found = MemoryGuard(root, root / "no-process")
    assert (found.kills(), found.limit()) == (0, None)
