"""The statistics of a comparison: known values, errors under the null, power."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from scipy import stats

from oppflow.analysis.differences import differences
from oppflow.analysis.significance import adjusted, is_changed, with_p_values

Values = list[float] | np.ndarray


def table(path: Path, values: dict[str, Values], *, first_seed: int = 0, **columns: object) -> Path:
    """A ``scalars.parquet`` with a run per value; each name is a scalar of one point."""
    lengths = [len(all_values) for all_values in values.values()]
    numbers = np.concatenate([np.arange(length) for length in lengths])
    frame = pl.DataFrame(
        {
            "run": numbers,
            "repetition": numbers,
            "seed_set": [str(first_seed + number) for number in numbers],
            "name": np.repeat(list(values), lengths),
            "value": np.concatenate([np.asarray(v, dtype=float) for v in values.values()]),
        }
    )
    same = {"config": "C", "load": 0.5, "module": "net.queue", "unit": "s", **columns}
    frame.with_columns(**{k: pl.lit(v) for k, v in same.items()}).write_parquet(path)
    return path


@pytest.fixture
def tested(tmp_path: Path):
    """Two nights' values, tested: rows by the scalar's name."""

    def test(before, now, *, other_seeds: bool = False) -> dict[str, dict[str, object]]:
        first = table(tmp_path / "before.parquet", before)
        second = table(tmp_path / "now.parquet", now, first_seed=100 if other_seeds else 0)
        rows = pl.concat([with_p_values(part) for part in differences(first, second)])
        return {row["name"]: row for row in rows.iter_rows(named=True)}

    return test


OLD = [4.1, 5.3, 4.8, 6.0, 5.1]
NEW = [4.4, 5.9, 4.9, 6.3, 5.8]


def test_equal_seeds_are_paired(tested) -> None:
    """As scipy's own test of related samples says."""
    row = tested({"x": OLD}, {"x": NEW})["x"]
    assert row["how"] == "paired t"
    assert row["p"] == pytest.approx(stats.ttest_rel(NEW, OLD).pvalue, rel=1e-9)


def test_other_seeds_take_welchs_test(tested) -> None:
    """As scipy's own, with samples of unequal sizes."""
    row = tested({"x": OLD}, {"x": [*NEW, 9.0, 2.0]}, other_seeds=True)["x"]
    assert row["how"] == "Welch's t"
    assert row["p"] == pytest.approx(
        stats.ttest_ind([*NEW, 9.0, 2.0], OLD, equal_var=False).pvalue, rel=1e-9
    )


def test_welchs_test_where_one_night_has_no_variance(tested) -> None:
    """The other night's tells enough."""
    row = tested({"x": [5.0] * 5}, {"x": NEW}, other_seeds=True)["x"]
    assert row["p"] == pytest.approx(stats.ttest_1samp(NEW, 5.0).pvalue, rel=1e-9)


def test_more_repetitions_than_before_are_paired_as_far_as_they_go(tested) -> None:
    """The means are those of the pairs."""
    row = tested({"x": OLD}, {"x": [*NEW, 99.0]})["x"]
    assert (row["how"], row["pairs"]) == ("paired t", 5)
    assert row["mean_now"] == pytest.approx(np.mean(NEW))
    assert row["p"] == pytest.approx(stats.ttest_rel(NEW, OLD).pvalue, rel=1e-9)


@pytest.mark.parametrize(
    ("before", "now", "other_seeds", "how"),
    [
        ([3.0] * 3, [3.0] * 3, False, "equal"),
        (OLD, OLD, False, "equal"),
        ([0.1] * 10, [0.1] * 10, True, "equal"),  # the variance computed of these is not quite 0
        ([3.0] * 3, [4.0] * 3, False, "no variance"),
        ([3.0] * 3, [4.0] * 4, True, "no variance"),
        ([1.0, 2.0, 3.0], [2.0, 3.0, 4.0], False, "no variance"),
        ([3.0], [3.0], False, "equal"),
        ([3.0], [4.0], False, "untested"),
        ([3.0], [4.0, 5.0], True, "untested"),
        ([1.0, 2.0], [np.nan, np.nan], False, "not finite"),
        ([np.inf, np.inf], [1.0, 2.0], False, "not finite"),
        ([np.nan, np.nan], [np.nan, np.nan], False, "equal"),
        ([1.0, np.nan], [np.nan, np.nan], False, "untested"),
        ([1.0], [np.nan], False, "untested"),
        ([1e200, 2e200, 4e200], [3e200, 1e200, 2e200], True, "untested"),
    ],
)
def test_what_needs_no_test_and_what_has_too_little_for_one(
    tested, before: Values, now: Values, other_seeds: bool, how: str
) -> None:
    """Zero variance is equal or changed; one value does not tell how far it scatters."""
    row = tested({"x": before}, {"x": now}, other_seeds=other_seeds)["x"]
    assert row["how"] == how
    assert row["p"] == (1.0 if how == "equal" else None)


def test_new_and_gone_scalars(tested) -> None:
    """A scalar that only one night has, also where its values are not numbers."""
    rows = tested({"x": OLD, "old": OLD}, {"x": NEW, "fresh": [np.nan, 1.0]})
    assert {name: row["how"] for name, row in rows.items()} == {
        "x": "paired t", "old": "gone", "fresh": "new",
    }  # fmt: skip


def test_benjamini_and_hochberg_on_their_own_example() -> None:
    """The 15 p-values of their paper's section 3.2: at 5 %, the four smallest are rejected."""
    p = [0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240,
         0.4262, 0.5719, 0.6528, 0.7590, 1.0]  # fmt: skip
    significance = adjusted(pl.Series(p))
    assert (significance <= 0.05).sum() == 4
    assert significance[3] == pytest.approx(0.0095 * 15 / 4)


def test_what_was_not_tested_stays_out_of_the_correction() -> None:
    """Null in, null out, and no further test is counted."""
    assert adjusted(pl.Series([0.01, None, 0.02])).to_list() == [0.02, None, 0.02]
    assert adjusted(pl.Series([None, None], dtype=pl.Float64)).to_list() == [None, None]


def judged(part: pl.DataFrame, rate: float = 0.01, least: float = 0.0) -> pl.DataFrame:
    rows = with_p_values(part)
    rows = rows.with_columns(adjusted(rows["p"]))
    return rows.with_columns(changed=is_changed(rate, least))


@pytest.mark.parametrize("other_seeds", [True, False])
def test_without_a_change_hardly_ever_is_one_told(tmp_path: Path, other_seeds: bool) -> None:
    """Under the null, nights with any false alarm are as rare as the rate says.

    100 nights of 200 scalars at 1 %: the number of nights with an alarm is at most binomial with
    n = 100 and p = 0.01, and exceeds 5 with a probability below 1 in 1,000.
    """
    random = np.random.default_rng(1)
    alarms, p_values = 0, []
    for _ in range(100):
        nights = [{f"s{i}": random.normal(10, 1 + i % 3, 8) for i in range(200)} for _ in "ab"]
        first = table(tmp_path / "before.parquet", nights[0])
        second = table(tmp_path / "now.parquet", nights[1], first_seed=99 if other_seeds else 0)
        rows = pl.concat([judged(part) for part in differences(first, second)])
        alarms += bool(rows["changed"].any())
        p_values.append(rows["p"].to_numpy())
    assert alarms <= 5
    # p-values of a continuous test are uniform under the null (Welch's only nearly so).
    share = float((np.concatenate(p_values) < 0.05).mean())
    assert 0.04 < share < 0.06


def test_real_changes_are_found_and_most_that_is_told_is_real(tmp_path: Path) -> None:
    """20 of 200 scalars move by 2.5 standard deviations: most are found, few others are told."""
    random = np.random.default_rng(2)
    found = wrong = 0
    for _ in range(20):
        before = {f"s{i}": random.normal(10, 1, 10) for i in range(200)}
        now = {f"s{i}": random.normal(12.5 if i < 20 else 10, 1, 10) for i in range(200)}
        first = table(tmp_path / "before.parquet", before)
        second = table(tmp_path / "now.parquet", now, first_seed=99)
        rows = pl.concat([judged(part) for part in differences(first, second)])
        told = {int(name[1:]) for name in rows.filter("changed")["name"]}
        found += len({i for i in told if i < 20})
        wrong += len({i for i in told if i >= 20})
    assert found / 400 > 0.85
    assert wrong / (found + wrong) < 0.03


def test_common_random_numbers_make_small_changes_visible(tmp_path: Path) -> None:
    """With equal seeds a shift of a tenth of the scatter is told; with others it is not."""
    random = np.random.default_rng(3)
    before = random.normal(10, 1, 10)
    now = before + 0.1 + random.normal(0, 0.02, 10)
    first = table(tmp_path / "before.parquet", {"x": before})
    changed = {}
    for first_seed in (0, 50):
        second = table(tmp_path / "now.parquet", {"x": now}, first_seed=first_seed)
        (part,) = differences(first, second)
        changed[first_seed] = judged(part)["changed"].to_list()
    assert changed == {0: [True], 50: [False]}


@pytest.mark.parametrize(("least", "changed"), [(0.001, True), (0.05, False)])
def test_a_change_must_be_large_enough(tmp_path: Path, least: float, changed: bool) -> None:
    """By 2 % for sure: that counts, or it does not."""
    first = table(tmp_path / "before.parquet", {"x": [100.0] * 5, "y": [100.0, 101, 99, 100, 102]})
    second = table(tmp_path / "now.parquet", {"x": [102.0] * 5, "y": [102.0, 103.1, 101, 102, 104]})
    (part,) = differences(first, second)
    assert judged(part, least=least)["changed"].to_list() == [changed, changed]


def test_parts_make_no_difference(tmp_path: Path) -> None:
    """Each scalar of both nights falls into one part, whatever their number is."""
    random = np.random.default_rng(4)
    values = {f"s{i}": random.normal(10, 1, 5) for i in range(50)}
    first = table(tmp_path / "before.parquet", values)
    second = table(tmp_path / "now.parquet", {**values, "s3": [1.0] * 5})
    (whole,) = differences(first, second)
    parts = list(differences(first, second, rows=60))
    assert len(parts) == 9
    assert pl.concat(parts).sort("name").equals(whole.sort("name"))


def test_variables_that_became_text_or_came_anew(tmp_path: Path) -> None:
    """A value more that is no number changes nothing about the points of the others."""
    first = table(tmp_path / "before.parquet", {"x": OLD}, load=1.0, proto="1")
    second = table(tmp_path / "now.parquet", {"x": OLD}, load="1", proto="1")
    (part,) = differences(first, second)
    assert with_p_values(part)["how"].to_list() == ["equal"]
    third = table(tmp_path / "third.parquet", {"x": OLD}, load=1.0, extra="a", proto="1")
    (part,) = differences(first, third)
    assert sorted(with_p_values(part)["how"]) == ["gone", "new"]
