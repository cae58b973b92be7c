"""``python -m oppflow.analysis FOLDER``: write a collected campaign's tables and report (again).

A process of its own, so that the libraries for tables and charts and what they need of memory come
on top of no other program's.
"""

from __future__ import annotations

import sys
from pathlib import Path

from oppflow.analysis.outputs import write_outputs
from oppflow.analysis.summary import CampaignRun, CampaignSummary, count_outcomes
from oppflow.comparison import NightVerdict
from oppflow.errors import OppflowError
from oppflow.manifest import Manifest
from oppflow.results_folder import ResultsFolder

EXIT_BAD_RESULTS = 1  # results cannot be read: trying again would not help
EXIT_INFRASTRUCTURE = 75  # sysexits.h: EX_TEMPFAIL

_ENGINES = {"embedded": "embedded SimPy engine (not OMNeT++)", "omnetpp": "OMNeT++"}


def main() -> int:
    """Do what the command line says; errors go to standard error, for a person."""
    folder = ResultsFolder(Path(sys.argv[1]))
    try:
        manifest = Manifest.read(folder.manifest)
        runs = [CampaignRun(run, record) for run, record in manifest.runs]
        if runs:
            night = NightVerdict.from_manifest(manifest.data)
            write_outputs(folder.path, _summary(manifest, runs), runs, night=night)
    except OppflowError as error:
        print(error, file=sys.stderr)  # noqa: T201
        return EXIT_INFRASTRUCTURE if error.transient else EXIT_BAD_RESULTS
    return 0


def _summary(manifest: Manifest, runs: list[CampaignRun]) -> CampaignSummary:
    data, parameters = manifest.data, manifest.data["parameters"]
    return CampaignSummary(
        results=data["results"],
        model=parameters["model"],
        config=parameters["config"],
        run_filter=parameters["run_filter"],
        started=data["started"],
        ended=data["collected"],
        engine=_ENGINES[data["engine"]],
        versions=data["environment"],
        counts=count_outcomes(runs),
    )


if __name__ == "__main__":
    sys.exit(main())
