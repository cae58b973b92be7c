"""Find the results root that the settings name."""

from __future__ import annotations

from oppflow.errors import ParameterError
from oppflow.file_systems import knows, redacted
from oppflow.results.interface import ResultsRoot
from oppflow.results.local import LocalRoot
from oppflow.results.remote import RemoteRoot
from oppflow.settings import Settings


def open_results(settings: Settings) -> ResultsRoot:
    """The results root; nothing is connected to before it is used.

    Raises:
        ParameterError: the URL names none, or the package for it is not installed.
    """
    url = settings.results_url
    if not url:
        return LocalRoot(settings.results_root)
    if not knows(url.partition("://")[0]):
        raise ParameterError(
            f"{redacted(url)!r} names no results root.",
            hint="Set OPPFLOW_RESULTS to a folder, or to s3://BUCKET/PATH and what else fsspec "
            "knows.",
        )
    return RemoteRoot(url, settings.results_root)
