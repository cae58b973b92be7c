"""The most telling scalars come first, and theory belongs to what it is the theory of."""

from __future__ import annotations

import polars as pl

from oppflow.analysis.selection import ScalarName, mean_facts, rank_scalars


def points(*rows: tuple[str, str, tuple[float, ...]]) -> pl.DataFrame:
    values = [(module, name, mean) for module, name, means in rows for mean in means]
    return pl.DataFrame(values, schema=["module", "name", "mean"], orient="row")


def ranking(*rows: tuple[str, str, tuple[float, ...]]) -> list[ScalarName]:
    return rank_scalars(mean_facts(points(*rows)))


def names(*rows: tuple[str, str, tuple[float, ...]]) -> list[str]:
    return [f"{scalar.module}.{scalar.name}" for scalar in ranking(*rows)]


def test_means_before_extremes_and_what_varies_before_constants():
    assert names(
        ("m", "constant:mean", (1.0, 1.0)),
        ("m", "b:stddev", (1.0, 2.0)),
        ("m", "b:max", (1.0, 2.0)),
        ("m", "b:mean", (1.0, 2.0)),
        ("m", "by hand", (1.0, 2.0)),
        ("m", "b:histogram:mean", (1.0, 2.0)),
    ) == ["m.b:mean", "m.by hand", "m.b:max", "m.b:stddev", "m.b:histogram:mean", "m.constant:mean"]


def test_each_name_before_the_same_name_of_other_modules():
    assert names(
        ("h0", "delay:mean", (1.0, 2.0)),
        ("h1", "delay:mean", (1.0, 2.0)),
        ("h0", "sent:count", (1.0, 2.0)),
    ) == ["h0.delay:mean", "h0.sent:count", "h1.delay:mean"]


def test_theory_belongs_to_the_mean_and_puts_it_first():
    ranked = ranking(
        ("m", "a:mean", (1.0, 2.0)),
        ("m", "t:max", (1.0, 2.0)),
        ("m", "t:theory", (1.0, 2.0)),
        ("m", "t:mean", (1.0, 2.0)),
        ("k", "t:mean", (1.0, 2.0)),
    )
    assert ranked[0] == ScalarName("m", "t:mean", "t:theory")
    assert ScalarName("k", "t:mean", None) in ranked
    assert len(ranked) == 4


def test_theory_of_a_plain_name_of_another_recorder_and_of_nothing():
    rows = [("m", "x", (1.0,)), ("m", "x:theory", (1.0,)), ("m", "y:max", (1.0,))]
    rows += [("m", "y:last", (1.0,)), ("m", "y:theory", (1.0,)), ("m", "z:theory", (1.0,))]
    theories = {scalar.name: scalar.theory for scalar in ranking(*rows)}
    assert theories == {"x": "x:theory", "y:last": "y:theory", "y:max": None, "z:theory": None}
