"""Iteration variables become columns with numbers where all values are numbers."""

from __future__ import annotations

import pytest

from oppflow.analysis.summary import CampaignRun
from oppflow.analysis.variables import find_variables, plain_text, quantities, variable_values
from oppflow.campaign import Outcome, Run, RunRecord


def runs_of(*variables: tuple[tuple[str, str], ...]) -> list[CampaignRun]:
    return [
        CampaignRun(Run(i, v, 0, "0", ""), RunRecord(i, "k", Outcome.DONE))
        for i, v in enumerate(variables)
    ]


def test_numbers_text_and_quantities():
    runs = runs_of(
        (("n", "10"), ("proto", '"tcp"'), ("gap", "10ms")),
        (("n", "1e-3"), ("proto", '"a\\"b"'), ("gap", "20ms")),
    )
    n, proto, gap = find_variables(runs)
    assert (n.values, n.is_number, n.is_swept) == ((10.0, 0.001), True, True)
    assert proto.values == ("tcp", 'a"b')
    assert gap.values == ("10ms", "20ms")
    assert variable_values((n, proto, gap), runs[1]) == {"n": 0.001, "proto": 'a"b', "gap": "20ms"}


def test_one_text_makes_all_values_text():
    (variable,) = find_variables(runs_of((("n", "10"),), (("n", "inf"),)))
    assert variable.values == ("10", "inf")


def test_a_variable_with_one_value_is_not_swept():
    (variable,) = find_variables(runs_of((("n", "1"),), (("n", "1.0"),)))
    assert not variable.is_swept


def test_a_variable_named_like_a_column_gets_a_dollar():
    names = [v.column for v in find_variables(runs_of((("name", "1"), ("0", "2"), ("x", "3"))))]
    assert names == ["$name", "$0", "x"]


def test_a_run_without_the_variable_has_no_value():
    runs = runs_of((("n", "1"),), ())
    assert variable_values(find_variables(runs), runs[1]) == {"n": None}


@pytest.mark.parametrize(
    ("values", "result"),
    [
        (["10ms", "20ms"], ([10.0, 20.0], "ms")),
        (["1 Mbps", "2.5Mbps"], ([1.0, 2.5], "Mbps")),
        (["1s", "10ms"], None),
        (["tcp", "1s"], None),
        ([1.0], None),
        ([], None),
    ],
)
def test_quantities_of_one_unit(values, result):
    assert quantities(values) == result


@pytest.mark.parametrize(("text", "plain"), [('"a b"', "a b"), ('"', '"'), ("x", "x"), ('""', "")])
def test_quotes_of_strings(text, plain):
    assert plain_text(text) == plain
