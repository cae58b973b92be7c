"""Everything that the analysis of a campaign leaves in its folder."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from oppflow.analysis.charts import Reference
from oppflow.analysis.means import Means, telling_means
from oppflow.analysis.report import write_report
from oppflow.analysis.scalars import write_scalars
from oppflow.analysis.statistics import CONFIDENCE
from oppflow.analysis.summary import CampaignRun, CampaignSummary
from oppflow.analysis.tables import write_runs_csv
from oppflow.analysis.variables import find_variables
from oppflow.comparison import NightVerdict


def write_outputs(
    folder: Path,
    summary: CampaignSummary,
    runs: Sequence[CampaignRun],
    *,
    references: Mapping[str, Sequence[Reference]] | None = None,
    confidence: float = CONFIDENCE,
    night: NightVerdict | None = None,
) -> Means:
    """Write ``runs.csv``, ``scalars.parquet`` and ``report.html``; return the report's means.

    ``folder`` is the campaign's folder, where the result files are; ``night`` what the comparison
    of a nightly campaign found. `print_means` shows what is
    returned, with the variables of `find_variables`.

    Raises:
        ResultFileError: a scalar file cannot be read; ``runs.csv`` is there all the same.
    """
    write_runs_csv(folder / "runs.csv", runs)
    variables = find_variables(runs)
    scalars = folder / "scalars.parquet"
    write_scalars(scalars, folder, runs, summary.config)
    means = telling_means(scalars, variables, confidence=confidence)
    write_report(
        folder / "report.html",
        summary,
        runs,
        means,
        variables,
        references=references,
        confidence=confidence,
        night=night,
    )
    return means
