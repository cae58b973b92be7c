"""Where campaigns' results are kept: a folder, or an object store."""

from oppflow.results.interface import CampaignResults, ResultsFile, ResultsRoot
from oppflow.results.local import LocalRoot
from oppflow.results.roots import open_results

__all__ = ["CampaignResults", "LocalRoot", "ResultsFile", "ResultsRoot", "open_results"]
