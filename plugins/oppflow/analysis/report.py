"""The report of a campaign: one HTML file that needs nothing else, not even a network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from plotly.offline import get_plotlyjs

from oppflow.analysis.charts import MAX_CHARTS, Chart, Charts, Reference, make_charts
from oppflow.analysis.formatting import format_estimate, format_number
from oppflow.analysis.grid import Grid, Row, make_grid
from oppflow.analysis.html import Html, join, script_json, tag
from oppflow.analysis.means import Means
from oppflow.analysis.report_comparison import ANCHOR, TITLE, comparison_section
from oppflow.analysis.report_runs import bad_runs, runs_section
from oppflow.analysis.report_summary import header
from oppflow.analysis.statistics import CONFIDENCE
from oppflow.analysis.summary import CampaignRun, CampaignSummary
from oppflow.analysis.variables import Variable
from oppflow.comparison import NightVerdict

MAX_COLUMNS = 12
MAX_ROWS = 500

# Scripts and styles of the file itself only: what a model wrote cannot load or send anything.
_POLICY = (
    "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; "
    "img-src data: blob:; base-uri 'none'; form-action 'none'"
)


def write_report(
    path: Path,
    summary: CampaignSummary,
    runs: Sequence[CampaignRun],
    means: Means,
    variables: Sequence[Variable],
    *,
    references: Mapping[str, Sequence[Reference]] | None = None,
    confidence: float = CONFIDENCE,
    max_charts: int = MAX_CHARTS,
    night: NightVerdict | None = None,
) -> None:
    """Write the report: facts, runs that are not good, a night's changes, charts, table of means.

    ``means`` have this ``confidence``; ``references`` as for `make_charts`. All text is
    escaped. The file, some 5 MB of which are Plotly, appears at once.
    """
    charts = make_charts(means, variables, references=references, limit=max_charts)
    grid = make_grid(means, variables, scalars=MAX_COLUMNS, rows=MAX_ROWS)
    body = join(
        header(summary, runs, _sections(runs, charts, grid, night)),
        tag(
            "main",
            runs_section(runs),
            comparison_section(night),
            _charts_section(charts),
            _means_section(grid, confidence),
        ),
        tag("footer", _footer(confidence)),
        _scripts(charts) if charts.charts else "",
    )
    aside = path.with_name(f".{path.name}.part")
    aside.write_text(_page(f"{summary.results}: campaign report", body), encoding="utf-8")
    aside.replace(path)


def _page(title: str, body: Html) -> str:
    head = join(
        Html('<meta charset="utf-8">'),
        Html('<meta name="viewport" content="width=device-width, initial-scale=1">'),
        Html(f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'),
        tag("title", title),
        tag("style", Html(_asset("report.css"))),
    )
    page = join(tag("head", head), Html("\n"), tag("body", body))
    return f'<!DOCTYPE html>\n<html lang="en">{page}</html>\n'


def _asset(name: str) -> str:
    return Path(__file__).with_name(name).read_text(encoding="utf-8")


def _scripts(charts: Charts) -> Html:
    figures = [chart.figure for chart in charts.charts]
    return join(
        tag("script", script_json(figures), type="application/json", id="figures"),
        tag("script", Html(get_plotlyjs())),
        tag("script", Html(_asset("report.js"))),
    )


def _sections(
    runs: Sequence[CampaignRun], charts: Charts, grid: Grid, night: NightVerdict | None
) -> list[tuple[str, str]]:
    """The parts that the report has: (anchor, title)."""
    bad = len(bad_runs(runs))
    parts = [("runs", f"Runs that are not good ({bad})")] if bad else []
    parts += [(ANCHOR, TITLE)] if night else []
    parts += [("charts", f"Charts ({len(charts.charts)})")] if charts.charts else []
    parts += [("means", "Table of means")] if grid.columns else []
    return parts


def _charts_section(charts: Charts) -> Html:
    if not charts.charts and not charts.notes:
        return Html("")
    return tag(
        "section",
        tag("h2", "Charts", id="charts"),
        tag("p", " ".join(charts.notes), class_="soft"),
        tag("noscript", tag("p", "The charts need JavaScript; their values are in the table.")),
        tag("div", *(_chart(i, chart) for i, chart in enumerate(charts.charts)), class_="charts"),
        aria_labelledby="charts",
    )


def _chart(index: int, chart: Chart) -> Html:
    notes = tag("p", " \N{MIDDLE DOT} ".join([chart.module, *chart.notes]), class_="soft")
    # a long legend takes three entries a row, and must not take the chart's place
    height = None if chart.lines <= 6 else f"height:{21 + 1.2 * (chart.lines // 3 - 1):g}rem"
    box = {"class_": "chart", "data_figure": index, "style": height}
    return tag(
        "figure",
        tag("figcaption", tag("h3", chart.title, id=f"chart-{index}"), notes),
        tag("div", role="img", aria_labelledby=f"chart-{index}", **box),
        class_="card",
    )


def _means_section(grid: Grid, confidence: float) -> Html:
    title = tag("h2", "Table of means", id="means")
    if not grid.columns:
        text = "There are no means: no good run recorded a scalar."
        return tag("section", title, tag("p", text), aria_labelledby="means")
    table = tag(
        "table",
        tag("caption", "Means of scalars over the iteration variables"),
        tag("thead", tag("tr", *_head(grid))),
        tag("tbody", *(_body_row(row, grid) for row in grid.rows)),
    )
    return tag(
        "section",
        title,
        tag("p", " ".join(grid.notes(confidence)), class_="soft"),
        # a box that scrolls must be reachable by keyboard
        tag("div", table, class_="card scroll", tabindex=0, role="region", aria_labelledby="means"),
        aria_labelledby="means",
    )


def _head(grid: Grid) -> list[Html]:
    cells = [
        tag("th", v.name, scope="col", class_=None if v.is_number else "text")
        for v in grid.variables
    ]
    for column in grid.columns:
        unit = f" [{column.unit}]" if column.unit else ""
        module = "" if column.title != column.scalar.name else tag("small", column.scalar.module)
        cells.append(tag("th", module, column.title + unit, scope="col"))
        if column.scalar.theory is not None:
            cells.append(tag("th", "theory", scope="col", class_="soft"))
    return [*cells, tag("th", "n", scope="col", class_="soft")]


def _body_row(row: Row, grid: Grid) -> Html:
    cells = [
        tag("th", format_number(value), scope="row", class_=None if v.is_number else "text")
        for v, value in zip(grid.variables, row.values, strict=True)
    ]
    for column, cell, theory in zip(grid.columns, row.cells, row.theories, strict=True):
        cells.append(tag("td", format_estimate(cell.mean, cell.half_width)))
        if column.scalar.theory is not None:
            cells.append(tag("td", format_number(theory), class_="soft"))
    return tag("tr", *cells, tag("td", row.samples, class_="soft"))


def _footer(confidence: float) -> Html:
    return join(
        tag(
            "p",
            "A mean is taken over the repetitions of a point that are done or reused; its "
            f"{confidence * 100:g} % confidence interval is that of Student's t-distribution. "
            "Values that are not a number are skipped and counted.",
        ),
        tag(
            "p",
            "Beside this file: ",
            tag("code", "scalars.parquet"),
            " with every scalar of every good run, ",
            tag("code", "runs.csv"),
            " with every run, and ",
            tag("code", "manifest.json"),
            " with what reproduces them. Written by oppflow.",
        ),
    )
