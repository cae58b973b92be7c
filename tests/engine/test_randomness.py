"""Random numbers are the same everywhere, and have the distributions they claim."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest

from oppflow.engine.randomness import Stream

DRAWS = 20_000

PINNED: dict[str, tuple[Callable[[Stream], float], list[float]]] = {
    "random": (
        lambda stream: stream.random(),
        [0.409671437379, 0.638823334176, 0.626941826104, 0.18920314738],
    ),
    "uniform": (
        lambda stream: stream.uniform(-1, 3),
        [0.638685749517, 1.555293336703, 1.507767304416, -0.24318741048],
    ),
    "intuniform": (lambda stream: stream.intuniform(1, 6), [3.0, 4.0, 4.0, 2.0]),
    "exponential": (
        lambda stream: stream.exponential(2),
        [1.054152022576, 2.036776122683, 1.972041818622, 0.419475492464],
    ),
    "normal": (
        lambda stream: stream.normal(10, 2),
        [8.67942761769, 11.046971716787, 10.263925322778, 9.913308398288],
    ),
    "truncnormal": (
        lambda stream: stream.truncnormal(0, 1),
        [0.523485858393, 0.131962661389, 0.752893334019, 0.621339990275],
    ),
    "bernoulli": (lambda stream: stream.bernoulli(0.3), [0.0, 0.0, 0.0, 1.0]),
    "geometric": (lambda stream: stream.geometric(0.2), [2.0, 4.0, 4.0, 0.0]),
    "choose": (lambda stream: stream.choose([2, 3, 5, 7]), [3.0, 5.0, 5.0, 2.0]),
}


@pytest.mark.parametrize("name", PINNED)
def test_values_are_pinned(name: str) -> None:
    """A change here changes the results of every model: it needs a new engine version."""
    draw, expected = PINNED[name]
    stream = Stream(seed_set=7, stream=1)
    assert [float(draw(stream)) for _ in range(4)] == pytest.approx(expected, abs=1e-9)


def test_streams_and_seed_sets_differ() -> None:
    firsts = {Stream(seed_set, stream).random() for seed_set in range(20) for stream in range(20)}
    assert len(firsts) == 400


@pytest.mark.parametrize(
    ("draw", "mean", "variance"),
    [
        (lambda stream: stream.uniform(2, 4), 3, 1 / 3),
        (lambda stream: stream.intuniform(1, 6), 3.5, 35 / 12),
        (lambda stream: stream.exponential(2), 2, 4),
        (lambda stream: stream.normal(-1, 3), -1, 9),
        (lambda stream: stream.bernoulli(0.3), 0.3, 0.21),
        (lambda stream: stream.geometric(0.25), 3, 12),
        (lambda stream: stream.truncnormal(0, 1), math.sqrt(2 / math.pi), 1 - 2 / math.pi),
    ],
)
def test_moments(draw: Callable[[Stream], float], mean: float, variance: float) -> None:
    """Within five standard errors, which a right generator misses once in a million."""
    stream = Stream(0)
    values = [float(draw(stream)) for _ in range(DRAWS)]
    average = sum(values) / DRAWS
    assert abs(average - mean) < 5 * math.sqrt(variance / DRAWS)
    spread = sum((value - average) ** 2 for value in values) / DRAWS
    assert spread == pytest.approx(variance, rel=0.1)


def test_whole_numbers_keep_their_limits() -> None:
    stream = Stream(3)
    assert {stream.intuniform(-1, 1) for _ in range(200)} == {-1, 0, 1}
    assert stream.geometric(1.0) == 0
    assert min(stream.truncnormal(-1, 1) for _ in range(200)) >= 0


@pytest.mark.parametrize("probability", [0.0, -0.1, 1.1])
def test_impossible_arguments_are_refused(probability: float) -> None:
    with pytest.raises(ValueError, match="probability"):
        Stream(0).geometric(probability)
    with pytest.raises(ValueError, match="never"):
        Stream(0).truncnormal(-1, 0)
