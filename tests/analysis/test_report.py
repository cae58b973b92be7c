"""The report: one HTML file, self-contained, escaped, and well-formed."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import polars as pl
import pytest

from oppflow.analysis.charts import Reference
from oppflow.analysis.html import Html, join, script_json, tag
from oppflow.analysis.outputs import write_outputs
from oppflow.analysis.report_runs import bad_runs
from oppflow.campaign import Outcome
from tests.analysis.samples import failed_record, make_campaign, queue, summary_of

SWEEP = {"load": ["0.5", "0.9"], "proto": ['"tcp"', '"<script>alert(1)</script>"']}
EVIL = "</script><script>alert('x')</script><!--"


class Page(HTMLParser):
    """A parsed report: its elements, its text outside of scripts, and what does not close."""

    VOID = frozenset({"meta", "link", "br", "img"})

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.scripts: list[str] = []
        self.open: list[str] = []
        self.source = path.read_text(encoding="utf-8")
        self.feed(self.source)
        self.close()
        assert self.open == []

    def handle_starttag(self, name, attributes):
        self.elements.append((name, dict(attributes)))
        if name not in self.VOID:
            self.open.append(name)

    def handle_endtag(self, name):
        assert self.open.pop() == name

    def handle_data(self, data):
        if self.open[-1:] == ["script"]:
            self.scripts.append(data)
        elif self.open[-1:] != ["style"]:
            self.text += data + "\n"

    def all(self, name: str) -> list[dict[str, str | None]]:
        return [attributes for element, attributes in self.elements if element == name]


@pytest.fixture
def report(tmp_path):
    def write(variables=SWEEP, *, facts=None, references=None, **options) -> Page:
        runs = make_campaign(tmp_path, variables, **options)
        summary = summary_of(runs, **(facts or {}))
        write_outputs(tmp_path, summary, runs, references=references)
        return Page(tmp_path / "report.html")

    return write


def test_the_folder_gets_three_files(tmp_path):
    runs = make_campaign(tmp_path, SWEEP)
    means = write_outputs(tmp_path, summary_of(runs), runs)
    assert means.points.height == 4 * 8
    others = {p.name for p in tmp_path.iterdir() if p.suffix != ".sca"}
    assert others == {"runs.csv", "scalars.parquet", "report.html"}
    assert pl.read_parquet(tmp_path / "scalars.parquet").height == 12 * 8


def test_the_facts_are_told(report):
    page = report(failures={3: failed_record(3), 4: failed_record(4, outcome=Outcome.LOST)})
    for fact in (
        "mm1-load-sweep",
        "models/mm1",
        "$load < 0.95",
        "OMNeT++ 6.1",
        "oppflow/omnetpp:6.1",
        "2026-11-22 11:27:31 UTC",
        "3 min 31 s",
        "10 of 12 runs are good, 2 are not.",
        "1 failed",
    ):
        assert fact in page.text


@pytest.mark.parametrize(
    ("repetitions", "failures", "verdict"),
    [
        (3, {}, "All 3 runs are good."),
        (1, {}, "The run is good."),
        (2, {0: failed_record(0)}, "1 of 2 runs is good, 1 is not."),
        (1, {0: failed_record(0)}, "The run is not good."),
        (2, {0: failed_record(0), 1: failed_record(1)}, "None of the 2 runs is good."),
        (0, {}, "There were no runs."),
    ],
)
def test_the_verdict(report, repetitions, failures, verdict):
    page = report({"load": ["0.5"]}, repetitions=repetitions, failures=failures)
    assert verdict in page.text


def test_runs_that_are_not_good_come_first_with_their_last_lines(report):
    failures = {
        3: failed_record(3),
        1: failed_record(1, outcome=Outcome.STOPPED, message="", last_lines=(), command=""),
    }
    page = report(failures=failures)
    text = page.text
    assert text.index("Run #3") < text.index("Run #1 ") < text.index("Means over")
    assert "<!> Error: <b>queue</b> overflow" in text
    assert "opp_run -u Cmdenv -c MM1 -r 3" in text
    assert "The run is stopped." in text
    assert "b" not in {name for name, _ in page.elements}


def test_many_bad_runs_are_cut_and_counted(report):
    failures = {number: failed_record(number) for number in range(60)}
    page = report({"load": ["0.5"]}, repetitions=60, failures=failures)
    assert len(page.all("article")) == 50
    assert "10 runs more: see runs.csv." in page.text
    assert sum("open" in attributes for attributes in page.all("details")) == 3


def test_faults_of_the_model_before_those_of_the_machine(tmp_path):
    outcomes = [Outcome.STOPPED, Outcome.LOST, Outcome.FAILED, Outcome.TIME_LIMITED]
    failures = {i: failed_record(i, outcome=outcome) for i, outcome in enumerate(outcomes)}
    runs = make_campaign(tmp_path, {"load": ["0.5"]}, repetitions=5, failures=failures)
    assert [run.run.number for run in bad_runs(runs)] == [2, 3, 1, 0]


def test_it_needs_nothing_else(report):
    page = report()
    assert page.all("link") == []
    assert all("src" not in attributes for _, attributes in page.elements)
    assert {a["href"] for a in page.all("a")} == {"#charts", "#means"}
    (policy,) = [a["content"] for a in page.all("meta") if a.get("http-equiv")]
    assert policy.startswith("default-src 'none';")
    assert sum("plotly.js v" in script for script in page.scripts) == 1


def test_the_figures_are_data(report):
    page = report()
    figures = json.loads(page.scripts[0])
    drawn = [a for a in page.all("div") if a.get("class") == "chart"]
    assert [int(a["data-figure"] or -1) for a in drawn] == list(range(len(figures)))
    assert "tcp" in {trace["name"] for trace in figures[0]["data"]}


def test_what_a_model_says_is_never_markup(report):
    def model(variables, random):
        return {("m", "<svg/onload=alert(1)>"): (random.random(), "<b>")}

    facts = dict.fromkeys(("results", "model", "config", "run_filter", "engine"), EVIL)
    facts |= {"started": EVIL, "versions": {EVIL: EVIL}}
    record = failed_record(1, message=EVIL, last_lines=(EVIL,), command=EVIL)
    page = report(model=model, facts=facts, failures={1: record})
    names = [name for name, _ in page.elements]
    assert names.count("script") == 3
    assert "svg" not in names
    assert not any(a.startswith("on") for _, attributes in page.elements for a in attributes)
    assert EVIL in page.text


def test_it_is_accessible(report):
    page = report(failures={1: failed_record(1)})
    assert page.all("html") == [{"lang": "en"}]
    assert len(page.all("h1")) == 1
    assert len(page.all("caption")) == 1
    assert {a.get("scope") for a in page.all("th")} == {"col", "row"}
    ids = [a["id"] for _, a in page.elements if "id" in a]
    assert len(ids) == len(set(ids))
    labels = {a["aria-labelledby"] for _, a in page.elements if "aria-labelledby" in a}
    assert labels <= set(ids)


def test_the_table_has_means_with_intervals_and_theory(report):
    page = report()
    assert len(page.all("tr")) == 1 + 4
    text = re.sub(r"\s+", " ", page.text)
    assert "timeInSystem:mean [s] theory" in text
    assert re.search(r" 0\.5 tcp [12]\.\d+ ± 0\.\d+ 2 ", text)


def test_a_report_without_any_good_run(report):
    page = report({"load": ["0.5", "0.9"]}, repetitions=1,
                  failures={0: failed_record(0), 1: failed_record(1)})  # fmt: skip
    assert "no good run recorded a scalar" in page.text
    assert page.scripts == []


def test_equal_names_in_several_modules_are_told_apart(report):
    def model(variables, random):
        return {(f"net.{m}", "x"): (random.random(), "") for m in "ab"}

    text = report(model=model).text
    assert "net.a.x" in text
    assert "net.b.x" in text


def test_references_are_in_the_figures(report):
    page = report(references={"created": [Reference("mine", [(0.5, 1.0)])]}, model=queue)
    assert '"name":"mine"' in page.scripts[0]


def test_html_is_escaped_unless_it_is_html():
    assert join("<", Html("<br>")) == "&lt;<br>"
    element = tag("p", "a & b", class_='x"y', data_n=1, open=True, hidden=False, id=None)
    assert element == '<p class="x&quot;y" data-n="1" open>a &amp; b</p>'


def test_json_cannot_end_its_script():
    text = script_json({"a": "</script>&\u2028"})
    assert not set(text) & set("<>&\u2028")
    assert json.loads(text) == {"a": "</script>&\u2028"}
    with pytest.raises(ValueError, match="JSON"):
        script_json(float("nan"))
