"""`runs.csv` and the table of means in the terminal."""

from __future__ import annotations

import csv
import io

import polars as pl
import pytest
from rich.console import Console

from oppflow.analysis.means import Means
from oppflow.analysis.tables import write_runs_csv
from oppflow.analysis.terminal import print_means
from oppflow.analysis.variables import find_variables
from tests.analysis.samples import failed_record, make_campaign, means_of

SWEEP = {"load": ["0.5", "0.9"], "proto": ['"tcp"', '"udp, lite"'], "fixed": ["1"]}


@pytest.fixture
def campaign(tmp_path):
    runs = make_campaign(tmp_path, SWEEP, failures={3: failed_record(3, message='a "b",\nc')})
    variables = find_variables(runs)
    return runs, means_of(tmp_path, runs), variables


def printed(means, variables, *, width=200, **options) -> str:
    console = Console(width=width, file=io.StringIO(), force_terminal=False)
    print_means(console, means, variables, **options)
    return console.file.getvalue()


def test_every_run_has_a_row(tmp_path, campaign):
    runs, _, _ = campaign
    write_runs_csv(tmp_path / "runs.csv", runs)
    with (tmp_path / "runs.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["run"] for row in rows] == [str(i) for i in range(12)]
    assert rows[0]["outcome"] == "done"
    assert (rows[0]["load"], rows[0]["proto"]) == ("0.5", "tcp")
    assert rows[0]["wall_time_s"] == "1.500"
    assert rows[0]["exit_status"] == ""
    assert (rows[3]["outcome"], rows[3]["exit_status"]) == ("failed", "1")
    assert rows[3]["message"] == 'a "b",\nc'
    assert not list(tmp_path.glob(".*"))


def test_the_csv_reads_in_polars(tmp_path, campaign):
    runs, _, _ = campaign
    write_runs_csv(tmp_path / "runs.csv", runs)
    assert pl.read_csv(tmp_path / "runs.csv")["load"].sum() == pytest.approx(8.4)


def test_means_stand_beside_their_theory(campaign):
    _, means, variables = campaign
    text = printed(means, variables)
    assert "timeInSystem:mean [s]" in text
    assert "fixed" not in text
    row = next(line for line in text.splitlines() if "udp, lite" in line and " 0.9 " in line)
    assert "±" in row
    assert "10" in row.split("│")[4]
    assert "95 % confidence interval" in text
    assert "Not shown: 2 scalars" in text


def test_a_narrow_console_gets_fewer_scalars(campaign):
    _, means, variables = campaign
    text = printed(means, variables, width=70)
    assert max(map(len, text.splitlines())) <= 70
    assert "…" not in text
    assert "Not shown: 5 scalars" in text


def test_points_are_left_out_and_counted(campaign):
    _, means, variables = campaign
    assert "1 point; all are in" in printed(means, variables, rows=3)


def test_one_repetition_is_said(tmp_path):
    runs = make_campaign(tmp_path, {"load": ["0.5"]}, repetitions=1)
    means = means_of(tmp_path, runs)
    text = printed(means, find_variables(runs))
    assert "no confidence interval" in text
    assert "±" not in text


def test_values_that_are_no_numbers_are_counted(tmp_path):
    def model(variables, random):
        return {("m", "x:mean"): (float("nan") if variables["k"] == "1" else 1.0, "")}

    runs = make_campaign(tmp_path, {"k": ["1", "2"]}, repetitions=2, model=model)
    means = means_of(tmp_path, runs)
    assert "2 values were not a number" in printed(means, find_variables(runs))


def test_the_same_name_in_two_modules_is_told_apart(tmp_path):
    def model(variables, random):
        return {(f"net.h{i}", "x[red]:mean"): (random.random(), "") for i in range(2)}

    runs = make_campaign(tmp_path, {"k": ["1", "2"]}, model=model)
    means = means_of(tmp_path, runs)
    text = printed(means, find_variables(runs))
    assert "net.h0.x[red]:mean" in text
    assert "net.h1.x[red]:mean" in text


def test_nothing_recorded_is_said(campaign):
    _, means, variables = campaign
    assert "No scalars" in printed(Means(means.points.clear()), variables)
