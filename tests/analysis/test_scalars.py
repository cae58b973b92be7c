"""Scalar files of a campaign become one long table."""

from __future__ import annotations

import math
from pathlib import Path

import polars as pl
import pytest

from oppflow.analysis.scalars import read_scalars, scalar_frames, write_scalars
from oppflow.analysis.summary import CampaignRun
from oppflow.campaign import Outcome, ResultFile, Run, RunRecord
from oppflow.errors import ResultFileError
from tests.analysis.samples import failed_record, make_campaign, write_scalar_file

SWEEP = {"load": ["0.5", "0.9"], "proto": ['"tcp"', '"udp lite"']}
REAL = (
    Path(__file__).resolve().parents[1]
    / "cases/results/PureAlohaExperiment-numHosts=10,iaMean=2-#1.sca"
)


def run_with(folder: Path, results: str, **facts) -> CampaignRun:
    write_scalar_file(folder / "a.sca", results)
    files = (ResultFile("a.sca", 1, "0"),)
    record = {"number": 7, "key": "k", "outcome": Outcome.DONE, "files": files, **facts}
    return CampaignRun(Run(7, (("x", "1"),), 2, "42", "a"), RunRecord(**record))


def test_a_row_per_run_and_scalar(tmp_path):
    runs = make_campaign(tmp_path, SWEEP, repetitions=2)
    table = read_scalars(tmp_path, runs, "MM1")
    assert table.height == 8 * 8
    assert table.columns == [
        "run", "config", "load", "proto", "repetition", "seed_set",
        "module", "name", "value", "unit",
    ]  # fmt: skip
    first = table.row(0, named=True)
    assert first["load"] == 0.5
    assert first["proto"] == "tcp"
    assert first["name"] == "timeInSystem:mean"
    assert first["unit"] == "s"
    assert table["proto"].unique(maintain_order=True).to_list() == ["tcp", "udp lite"]
    assert table["run"].to_list() == sorted(table["run"].to_list())


def test_only_good_runs_enter(tmp_path):
    runs = make_campaign(tmp_path, SWEEP, repetitions=2)
    outcomes = [Outcome.DONE, Outcome.REUSED, *[o for o in Outcome if not o.is_good], Outcome.LOST]
    changed = [
        CampaignRun(r.run, RunRecord(r.run.number, "k", outcome, files=r.record.files))
        for r, outcome in zip(runs, outcomes, strict=True)
    ]
    assert read_scalars(tmp_path, changed, "MM1")["run"].unique().sort().to_list() == [0, 1]


def test_fields_of_statistics_are_scalars(tmp_path):
    files = (ResultFile(REAL.name, 1, "0"),)
    record = RunRecord(3, "k", Outcome.DONE, files=files)
    runs = [CampaignRun(Run(3, (("numHosts", "10"), ("iaMean", "2")), 1, "3", ""), record)]
    table = read_scalars(REAL.parent, runs, "PureAlohaExperiment")
    values = dict(zip(table["name"], table["value"], strict=True))
    assert values["channelUtilization:last"] == 0.19325337525529
    assert values["collisionMultiplicity:histogram:count"] == 6085
    assert values["collisionMultiplicity:histogram:mean"] == 2.5212818405916
    assert "collisionMultiplicity:histogram:sqrsum" not in values


def test_the_unit_of_a_statistic_is_not_that_of_its_count(tmp_path):
    run = run_with(tmp_path, "statistic m d\nfield count 3\nfield mean -nan\nattr unit s\n")
    rows = read_scalars(tmp_path, [run], "C").select("name", "value", "unit").rows()
    assert rows[0] == ("d:count", 3.0, "")
    assert rows[1][0] == "d:mean"
    assert math.isnan(rows[1][1])
    assert rows[1][2] == "s"


def test_a_damaged_file_is_named_with_its_run(tmp_path):
    run = run_with(tmp_path, "scalar m n\n")
    with pytest.raises(ResultFileError, match=r"a\.sca, line 9.* run #7 x=1 rep=2"):
        read_scalars(tmp_path, [run], "C")


def test_nothing_is_a_table_too(tmp_path):
    run = run_with(tmp_path, "", outcome=Outcome.FAILED)
    table = read_scalars(tmp_path, [run], "C")
    assert table.height == 0
    assert table.schema["x"] == pl.Float64


def test_the_file_holds_what_the_table_holds(tmp_path):
    runs = make_campaign(tmp_path, SWEEP, failures={1: failed_record(1)})
    table = read_scalars(tmp_path, runs, "MM1")
    target = tmp_path / "scalars.parquet"
    assert write_scalars(target, tmp_path, runs, "MM1", batch_rows=10) == table.height
    assert pl.read_parquet(target).equals(table)
    assert [p.name for p in tmp_path.iterdir() if p.suffix != ".sca"] == ["scalars.parquet"]


def test_no_part_is_much_longer_than_asked(tmp_path):
    runs = make_campaign(tmp_path, SWEEP)
    heights = [frame.height for frame in scalar_frames(tmp_path, runs, "MM1", batch_rows=10)]
    assert max(heights) <= 16
    assert sum(heights) == 8 * 12


def test_nothing_is_left_when_a_file_is_damaged(tmp_path):
    run = run_with(tmp_path, "scalar m n\n")
    with pytest.raises(ResultFileError):
        write_scalars(tmp_path / "scalars.parquet", tmp_path, [run], "C")
    assert [p.name for p in tmp_path.iterdir()] == ["a.sca"]
