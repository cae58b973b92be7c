"""One child, with util-linux's setpriv to start it and without."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from oppflow.worker import children
from oppflow.worker.children import Child, Command, Ending


def run(arguments: list[str], folder: Path) -> tuple[list[str], Ending]:
    lines: list[str] = []
    command = Command(arguments, folder, {"PATH": os.environ["PATH"]})
    child = Child(command, on_line=lines.append)
    while (ending := child.tick()) is None:
        if not child.at_end:
            child.read()
        time.sleep(0.01)
    return lines, ending


@pytest.mark.parametrize("setpriv", [children._SETPRIV, None])
def test_a_program_dies_with_the_worker(
    setpriv: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The kernel is told so by either way of starting it: PR_GET_PDEATHSIG is 2, SIGKILL 9."""
    monkeypatch.setattr(children, "_SETPRIV", setpriv)
    ask = "import ctypes as c; n = c.c_int(); c.CDLL(None).prctl(2, c.byref(n)); print(n.value)"
    lines, ending = run(["python3", "-c", ask], tmp_path)
    assert lines == ["9"]
    assert ending.status == 0


@pytest.mark.parametrize("setpriv", [children._SETPRIV, None])
@pytest.mark.parametrize("program", ["no-such-program", "./no-such-program"])
def test_a_program_that_is_not_there(
    program: str, setpriv: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An error of ours, not an exit status of some other program."""
    monkeypatch.setattr(children, "_SETPRIV", setpriv)
    with pytest.raises(FileNotFoundError, match=program):
        run([program], tmp_path)
