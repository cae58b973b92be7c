"""Run filters select the runs that OMNeT++ selects."""

from __future__ import annotations

from pathlib import Path

import pytest

from oppflow.engine.errors import EngineError
from oppflow.engine.filters import select_runs
from tests.engine.support import configure

INI = '[A]\n**.x = ${x=1..3}\n**.t = ${t=5s}\n**.w = ${w="one","two words"}\n**.b = ${b=word}\n'


@pytest.mark.parametrize(
    ("run_filter", "selected"),
    [
        ("", [0, 1, 2, 3, 4, 5]),
        (" ", [0, 1, 2, 3, 4, 5]),
        ("3", [3]),
        ("0..2,5", [0, 1, 2, 5]),
        ("1 - 2", [1, 2]),
        ("3,1,3", [3, 1, 3]),
        ("3..1", []),
        ("1,", [1]),
        ("$x == 2", [2, 3]),
        ('$x > 1 && $w == "one"', [2, 4]),
        ('$w =~ "two*"', [1, 3, 5]),
        ('"$b" == "word" && $x < 2', [0, 1]),
        ("$t == 5000ms && $x = 3", [4, 5]),
        ("$runnumber == 4", [4]),
        ("${x} == 1 || $repetition > 0", [0, 1]),
        ("$x > 9", []),
    ],
)
def test_selected_runs(tmp_path: Path, run_filter: str, selected: list[int]) -> None:
    assert select_runs(configure(tmp_path, INI), "A", run_filter) == selected


@pytest.mark.parametrize(
    ("run_filter", "message"),
    [
        ("6", "Run number 6 in run list '6' is out of range 0..5"),
        ("1,,2", "Syntax error in run list '1,,2'"),
        ("-1", "Syntax error in run list '-1'"),
        ("1-2-3", "Syntax error in run list '1-2-3'"),
        ("1.0", "Syntax error in run list '1.0'"),
        ("$nope == 1", "Cannot evaluate run filter: Unknown variable $nope"),
        ("$x", "Cannot evaluate run filter: bool expected, but integer (1) found in the"),
        ('$b == "word"', "Cannot evaluate run filter: Cannot evaluate expression 'word == \"w"),
        ("$x ==", "Cannot evaluate run filter: Parse error in expression '1 ==': syntax error"),
        ("x(1)", "Cannot evaluate run filter: bool expected, but integer (1x) found in the"),
    ],
)
def test_faults(tmp_path: Path, run_filter: str, message: str) -> None:
    with pytest.raises(EngineError) as caught:
        select_runs(configure(tmp_path, INI), "A", run_filter)
    assert caught.value.message.startswith(message)
