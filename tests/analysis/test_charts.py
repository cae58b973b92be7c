"""Charts: which scalars, along which axis, with which lines, and what is said about them."""

from __future__ import annotations

import json
import math

import plotly.graph_objects as go
import pytest

from oppflow.analysis.charts import Charts, Reference, make_charts
from oppflow.analysis.variables import find_variables
from tests.analysis.samples import make_campaign, means_of


@pytest.fixture
def draw(tmp_path):
    def charts(variables, **options) -> Charts:
        limits = {k: options.pop(k) for k in ("references", "limit") if k in options}
        runs = make_campaign(tmp_path, variables, **options)
        found = find_variables(runs)
        result = make_charts(means_of(tmp_path, runs), found, **limits)
        for chart in result.charts:
            go.Figure(chart.figure)  # refuses what Plotly does not know
            json.dumps(chart.figure, allow_nan=False)
        return result

    return charts


def traces(charts: Charts, index: int = 0) -> list[dict]:
    return charts.charts[index].figure["data"]


def layout(charts: Charts) -> dict:
    return charts.charts[0].figure["layout"]


def constant(variables, random):
    return {("m", "x:mean"): (float(variables["k"]), "s")}


def silent(variables, random):
    return {}


def test_one_variable_is_one_line_with_its_theory_dashed(draw):
    charts = draw({"load": ["0.9", "0.5", "0.1"]})
    measured, theory = traces(charts)
    assert charts.charts[0].title == "timeInSystem:mean"
    assert charts.charts[0].module == "MM1.sink"
    assert charts.charts[0].notes == ("dashed: timeInSystem:theory",)
    assert measured["x"] == [0.1, 0.5, 0.9]
    assert theory["y"] == pytest.approx([1 / 0.9, 2, 10])
    assert theory["line"]["dash"] == "dash"
    assert measured["mode"] == "markers"  # so that the theory shows where the two agree
    assert theory["line"]["color"] == measured["line"]["color"]
    assert "(n = 3)" in measured["text"][0]
    assert all(h > 0 for h in measured["error_y"]["array"])
    assert "timeInSystem:theory" not in {chart.title for chart in charts.charts}


def test_one_repetition_has_no_bars(draw):
    trace = traces(draw({"load": ["0.1", "0.2"]}, repetitions=1))[0]
    assert trace["error_y"]["array"] == [None, None]
    assert trace["error_y"]["visible"] is False


def test_the_second_variable_makes_lines(draw):
    charts = draw({"k": ["1", "2"], "proto": ['"b <i>"', '"a"']}, model=constant)
    assert [t["name"] for t in traces(charts)] == ["b &lt;i&gt;", "a"]
    assert len({t["line"]["color"] for t in traces(charts)}) == 2
    assert layout(charts)["legend"]["title"]["text"] == "proto"
    assert "a line per value of proto" in " ".join(charts.notes)


def test_a_third_variable_makes_further_lines_of_the_same_colours(draw):
    charts = draw({"k": ["1", "2"], "a": ["1", "2"], "b": ["1", "2"]}, model=constant)
    styles = {t["name"]: (t["line"]["color"], t["line"]["dash"]) for t in traces(charts)}
    assert list(styles) == ["a=1, b=1", "a=1, b=2", "a=2, b=1", "a=2, b=2"]
    assert styles["a=1, b=1"][0] == styles["a=1, b=2"][0] != styles["a=2, b=1"][0]
    assert styles["a=1, b=1"][1] == styles["a=2, b=1"][1] != styles["a=1, b=2"][1]


def test_too_many_lines_become_charts(draw):
    many = {"k": ["1", "2"], "a": [str(i) for i in range(7)], "b": ["1", "2"]}
    charts = draw(many, model=constant, repetitions=1)
    assert [chart.notes for chart in charts.charts] == [("b=1",), ("b=2",)]
    assert [len(chart.figure["data"]) for chart in charts.charts] == [7, 7]
    assert [t["name"] for t in traces(charts)] == [str(i) for i in range(7)]
    assert "a chart per value of b" in " ".join(charts.notes)


def test_lines_that_even_so_are_too_many_are_left_out(draw):
    values = {"k": ["1", "2"], "a": [str(i) for i in range(15)]}
    charts = draw(values, model=constant, repetitions=1)
    assert len(traces(charts)) == 12
    assert charts.charts[0].notes == ("3 lines not drawn",)


def test_numbers_lie_along_the_axis_even_if_they_come_second(draw):
    charts = draw({"proto": ['"a"', '"b"'], "k": ["1", "2"]}, model=constant)
    assert layout(charts)["xaxis"]["title"]["text"] == "k"
    assert len(traces(charts)) == 2


def test_quantities_are_numbers_with_a_unit(draw):
    charts = draw({"gap": ["20ms", "10ms"], "k": ["1"]}, model=constant)
    assert layout(charts)["xaxis"]["title"]["text"] == "gap [ms]"
    assert traces(charts)[0]["x"] == [10.0, 20.0]


def test_text_keeps_the_order_of_the_ini_file_and_is_not_joined(draw):
    charts = draw({"proto": ['"z"', '"a"'], "load": ["0.5"]})
    measured, theory = traces(charts)
    assert measured["x"] == ["z", "a"]
    assert measured["mode"] == theory["mode"] == "markers"
    assert layout(charts)["xaxis"]["type"] == "category"
    assert charts.charts[0].notes == ("crossbar: timeInSystem:theory",)


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (["1", "10", "100"], "log"),
        (["1", "2", "4", "8", "16", "32"], "log"),
        (["1", "2", "3"], "linear"),
        (["0", "10", "100"], "linear"),
        (["1", "100"], "linear"),
    ],
)
def test_values_that_multiply_have_a_logarithmic_axis(draw, values, kind):
    assert layout(draw({"k": values}, model=constant))["xaxis"]["type"] == kind


def test_the_unit_is_beside_the_axis(draw):
    assert layout(draw({"k": ["1", "2"]}, model=constant))["yaxis"] == {
        "title": {"text": "[s]"},
        "rangemode": "tozero",
    }


def test_infinite_and_missing_means_are_gaps(draw):
    def model(variables, random):
        return {("m", "x"): (math.inf if variables["k"] == "1" else math.nan, "")}

    charts = draw({"k": ["1", "2"]}, model=model)
    assert traces(charts)[0]["y"] == [None, None]
    assert charts.charts[0].notes == ("no value is a finite number",)


def test_references_are_drawn_where_their_scalar_is(draw):
    curve = Reference("measured <1987>", [(0.1, 1.0), (0.2, 2.0)])
    charts = draw({"load": ["0.1", "0.2"]}, references={"created": [curve]})
    drawn = {c.title: [t["name"] for t in c.figure["data"]] for c in charts.charts}
    assert drawn["created"] == ["mean", "measured &lt;1987&gt;"]
    assert drawn["queueLength:max"] == ["mean"]


def test_charts_are_limited_and_the_rest_is_counted(draw):
    charts = draw({"load": ["0.1", "0.2"]}, limit=2)
    assert len(charts.charts) == 2
    assert "4 scalars without a chart" in charts.notes[-1]


def test_the_limit_counts_charts_not_scalars(draw):
    many = {"load": ["0.1", "0.2"], "a": [str(i) for i in range(7)], "b": ["1", "2"]}
    charts = draw(many, repetitions=1, limit=3)
    assert [chart.title for chart in charts.charts][::2] == ["timeInSystem:mean", "busy:timeavg"]
    assert len(charts.charts) == 3


def test_without_a_swept_variable_there_is_nothing_to_draw(draw):
    charts = draw({"load": ["0.1"]})
    assert charts.charts == ()
    assert "nothing to draw over" in charts.notes[0]


def test_without_scalars_there_is_nothing_to_say(draw):
    assert draw({"load": ["0.1", "0.2"]}, model=silent) == Charts((), ())
