"""Iteration variables unroll to the runs that OMNeT++ makes of them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oppflow.engine.errors import EngineError
from oppflow.engine.scenario import Scenario
from oppflow.engine.variables import Template, ValueList, Variable
from tests.engine.support import Ran, configure


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("1,2,3", ["1", "2", "3"]),
        (" a b , c", ["a b", "c"]),
        ('"a,b","c"', ['"a,b"', '"c"']),
        ("f(1,2), [3,4]", ["f(1,2)", "[3,4]"]),
        ("1,,2,", ["1", "2"]),
        ("1..3,7,9..10", ["1", "2", "3", "7", "9", "10"]),
        ("1..2 step 0.5", ["1", "1.5", "2"]),
        ("0.1..0.3 step 0.1", ["0.1", "0.2", "0.3"]),
        ("1..9 step 0.1", [f"{1 + index / 10:g}" for index in range(81)]),
        ("3..1 step -1", ["3", "2", "1"]),
        ("3..1", []),
        ("1s..3s", ["1", "2", "3"]),
        ("1234567..1234568", ["1.23457e+06", "1.23457e+06"]),
        ("1..2^2", ["1", "2", "3", "4"]),
        ("1+1", ["1+1"]),
    ],
)
def test_value_lists(text: str, values: list[str]) -> None:
    assert ValueList(text).values({}) == values


@pytest.mark.parametrize(
    ("text", "runs"),
    [
        ("**.x = ${1,2}-${3,4}", ["$0=1, $1=3", "$0=1, $1=4", "$0=2, $1=3", "$0=2, $1=4"]),
        ("**.x = ${a_b=1,2}", ["$0=a_b=1", "$0=2"]),
        ("**.x = ${x=1,2", ["$x=1", "$x=2"]),
        ("**.x = ${x=1,2 ! y}\n**.y = ${y=3,4}", ["$y=3, $x=1", "$y=4, $x=2"]),
        ("**.x = ${x=1..$n}\n**.n = ${n=0..2}", ["$n=1, $x=1", "$n=2, $x=1", "$n=2, $x=2"]),
        ("**.x = ${x=$n0}\n**.n = ${n0=1,2}", ["$n0=1, $x=1", "$n0=2, $x=2"]),
    ],
)
def test_runs(ask: Callable[..., Ran], text: str, runs: list[str]) -> None:
    lines = ask(text + "\n", "-q", "runs").output.splitlines()
    assert lines == [f"Run {n}: {run}, $repetition=0" for n, run in enumerate(runs)]


@pytest.mark.parametrize(
    ("order", "first"),
    [
        ("y,x", "$y=1, $x=1, $repetition=0"),
        ("repetition,*", "$repetition=0, $x=1, $y=1"),
        ("*,x", "$y=1, $repetition=0, $x=1"),
    ],
)
def test_nesting_order(ask: Callable[..., Ran], order: str, first: str) -> None:
    ini = f"**.x=${{x=1,2}}\n**.y=${{y=1,2}}\niteration-nesting-order = {order}\n"
    assert ask(ini, "-q", "runs").output.splitlines()[0] == f"Run 0: {first}"


COUNTING = "Could not compute number of runs in config General: "


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("**.x=${x=1}${x=2}", "Scenario generator: Redefinition of iteration variable ${x} in"),
        ("**.x=${seedset=1}", "Scenario generator: ${seedset} is a predefined variable and"),
        ("**.x=${x 1}", "Scenario generator: Missing '=' after '${varname' at **.x=${x 1}"),
        ("**.x=${(1}", "Scenario generator: Unmatched close parenthesis '}' at **.x=${(1}"),
        ("**.x=${nope}", "Scenario generator: No such variable: ${nope}"),
        ("**.x=${x=$z}", f"{COUNTING}Undefined variable $z, referenced from the definition of $x"),
        ("**.x=${x=1 ! z}", f"{COUNTING}Undefined variable $z, referenced from the definition"),
        ("**.x=${x=$y}\n**.y=${y=$x}", f"{COUNTING}Cycle detected in iteration variable"),
        (
            "**.x=${x=1,2 ! y}\n**.y=${y=1..3}",
            f"{COUNTING}Parallel iterator ${{...!y}} does not have enough values",
        ),
        ("**.x=${x=1..a}", f"{COUNTING}Cannot evaluate expression 'a': No such variable: 'a'"),
        ("**.x=${x=1..2 step 0}", f"{COUNTING}Step of zero"),
        ("repeat=x", "No such variable: 'x'"),
        ("seed-set=x", "Scenario generator: Error getting value of config option 'seed-set': "),
        ("iteration-nesting-order=q", "Scenario generator: Undefined variable $q specified as"),
        ("**.x=${x=1,2}\nconstraint=$x", f"{COUNTING}Cannot evaluate constraint expression: bool"),
    ],
)
def test_faults(ask: Callable[..., Ran], text: str, message: str) -> None:
    answer = ask(text + "\n", "-q", "runs")
    assert answer.status == 1
    assert answer.errors.startswith(f"\n<!> Error: {message}")


def test_predefined_variables(tmp_path: Path) -> None:
    ini = 'repeat = 2\nseed-set = ${repetition}\nresult-dir = "my results"\n**.x = ${x="a b",c_d}\n'
    runs = configure(tmp_path, "[A]\nnetwork = m.Net\n" + ini).runs("A")
    variables = runs.variables(1)
    assert variables["iterationvars"] == '$x="a b"'
    assert variables["iterationvarsf"] == "x=a_b-"
    assert variables["iterationvarsd"] == "x=a_b"
    assert runs.variables(2)["iterationvarsf"] == "x=c#_d-"
    assert (variables["runnumber"], variables["repetition"], variables["seedset"]) == (
        "1",
        "1",
        "1",
    )
    assert (variables["resultdir"], variables["network"]) == ("my results", "m.Net")
    assert (variables["experiment"], variables["replication"]) == ("A", "#1")
    assert variables["runid"].startswith("A-1-20")


def test_the_seed_set_is_the_run_number_unless_set(tmp_path: Path) -> None:
    runs = configure(tmp_path, "[A]\nrepeat = 3\n").runs("A")
    assert [variables["seedset"] for variables in map(runs.variables, range(len(runs)))] == [
        "0",
        "1",
        "2",
    ]


def test_a_template_names_what_it_lacks() -> None:
    with pytest.raises(EngineError, match="No such variable"):
        Template("${a}").fill({"b": "1"})


@given(st.lists(st.integers(1, 4), min_size=1, max_size=4))
def test_runs_without_constraint_are_all_combinations(sizes: list[int]) -> None:
    variables = [Variable(f"v{n}", f"1..{size}", "") for n, size in enumerate(sizes)]
    runs = Scenario(variables, "", "").runs()
    expected = 1
    for size in sizes:
        expected *= size
    assert len(runs) == len(set(runs)) == expected
    assert runs == sorted(runs)
