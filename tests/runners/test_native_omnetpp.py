"""What is told of an installed OMNeT++, with one that is a shell script."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from oppflow.errors import InfrastructureError, ParameterError
from oppflow.runners.native_omnetpp import native_omnetpp

SAYS = """#!/bin/sh
echo x >> "$(dirname "$0")/../asked"
echo "Build: omnetpp-6.1 internal"
echo "Compiler: GCC 12.2.0"
echo "Options: 64-bit RELEASE"
"""


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An OMNeT++ that knows its version and nothing else."""
    folder = tmp_path / "omnetpp"
    for name in ("bin", "lib"):
        (folder / name).mkdir(parents=True)
    (folder / "bin" / "opp_run").write_text(SAYS)
    (folder / "bin" / "opp_run").chmod(0o755)
    (folder / "lib" / "liboppsim.so").write_bytes(b"kernel")
    (folder / "Makefile.inc").write_text("CC = gcc\nCXX = g++ -pipe\n")
    monkeypatch.setenv("OMNETPP_ROOT", str(folder))
    return folder


def test_what_is_told(root: Path, tmp_path: Path) -> None:
    """Version, compilers, architecture; digests of programs and libraries."""
    told = native_omnetpp(tmp_path / "cache.json")
    assert told["kind"] == "OMNeT++"
    assert told["version"] == "omnetpp-6.1 internal"
    assert told["built_with"] == "GCC 12.2.0"
    assert told["compiler"].startswith("g++")
    assert told["architecture"] == os.uname().machine
    assert len(told["opp_run"]) == len(told["libraries"]) == 64


def test_it_is_remembered_until_a_file_changes(root: Path, tmp_path: Path) -> None:
    """Nothing is executed or read again before."""
    cache = tmp_path / "work" / "cache.json"
    first = native_omnetpp(cache)
    assert native_omnetpp(cache) == first
    assert (root / "asked").read_text() == "x\n"
    (root / "lib" / "liboppsim.so").write_bytes(b"another kernel")
    changed = native_omnetpp(cache)
    assert {key for key in first if first[key] != changed[key]} == {"libraries"}


def test_a_damaged_cache_is_made_anew(root: Path, tmp_path: Path) -> None:
    """A machine may have died while it was written."""
    cache = tmp_path / "cache.json"
    first = native_omnetpp(cache)
    for text in ("", "[]", "{}"):
        cache.write_text(text)
        assert native_omnetpp(cache) == first


def test_none_and_one_that_does_not_work(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The one is the user's to know, the other the machine's fault."""
    (root / "bin" / "opp_run").write_text("#!/bin/sh\necho liboppsim is missing >&2\nexit 127\n")
    with pytest.raises(InfrastructureError, match="liboppsim is missing"):
        native_omnetpp(tmp_path / "cache.json")
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    monkeypatch.setenv("OMNETPP_ROOT", str(tmp_path / "nothing"))
    with pytest.raises(ParameterError, match="there is no OMNeT"):
        native_omnetpp(tmp_path / "cache.json")
