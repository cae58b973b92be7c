"""``python -m oppflow.analysis.compare_nights FOLDER``: compare a collected night with others.

Reads ``{"criteria": {...}, "references": [...], "results_url": "..."}`` as JSON from standard
input, writes a list of `Comparison`s to standard output. Where results are kept below a URL, those
that have to be read are fetched. A process of its own for the reasons of `oppflow.analysis`.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from oppflow.analysis.__main__ import EXIT_BAD_RESULTS, EXIT_INFRASTRUCTURE
from oppflow.analysis.compare import Reference, compare
from oppflow.analysis.same_files import Fetch, all_here
from oppflow.analysis.scalars import write_scalars
from oppflow.analysis.summary import CampaignRun
from oppflow.comparison import Criteria
from oppflow.errors import OppflowError
from oppflow.manifest import Manifest
from oppflow.results.remote import RemoteRoot
from oppflow.results_folder import ResultsFolder


def main() -> int:
    """Do what the command line says; errors go to standard error, for a person."""
    folder = ResultsFolder(Path(sys.argv[1]))
    asked = json.load(sys.stdin)
    criteria = Criteria(**asked["criteria"])
    try:
        manifest = Manifest.read(folder.manifest)
        runs = [CampaignRun(run, record) for run, record in manifest.runs]
        config = manifest.data["parameters"]["config"]
        write_scalars(folder.scalars_table, folder.path, runs, config)
        fetch = _fetcher(asked["results_url"], folder.path.parent)
        references = [Reference(**one) for one in asked["references"]]
        found = [compare(folder, reference, criteria, fetch=fetch) for reference in references]
    except OppflowError as error:
        print(error, file=sys.stderr)  # noqa: T201
        return EXIT_INFRASTRUCTURE if error.transient else EXIT_BAD_RESULTS
    json.dump([comparison.as_json() for comparison in found], sys.stdout)
    return 0


def _fetcher(url: str, copies: Path) -> Fetch:
    """What brings result files here from where they are kept."""
    if not url:
        return all_here
    root = RemoteRoot(url, copies)

    def fetch(folder: Path, names: list[str]) -> None:
        root.campaign(folder.name).fetch(*names)

    return fetch


if __name__ == "__main__":
    sys.exit(main())
