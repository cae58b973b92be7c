"""A deployment at work: its settings, its store and its runner, as every stage needs them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from oppflow.archive import Limits
from oppflow.results import CampaignResults, ResultsRoot, open_results
from oppflow.runners.interface import Runner
from oppflow.runners.process import ProcessRunner
from oppflow.settings import Settings
from oppflow.store import Store, open_store


@dataclass(frozen=True)
class Deployment:
    """Settings and what they lead to."""

    settings: Settings
    store: Store

    @classmethod
    def from_environment(cls) -> Deployment:
        """The deployment that the process' environment describes.

        Raises:
            ParameterError: a setting is malformed.
            StoreError: the store cannot be reached.
        """
        settings = Settings.from_environment()
        return cls(settings, open_store(settings.store_url, ttl_seconds=settings.result_ttl))

    @cached_property
    def results_root(self) -> ResultsRoot:
        """Where the results of all campaigns are kept.

        Raises:
            ParameterError: OPPFLOW_RESULTS names nothing that can be one.
        """
        return open_results(self.settings)

    def results(self, name: str) -> CampaignResults:
        """The results of the campaign of that name, for tasks that write them."""
        return self.results_root.campaign(name)

    @property
    def limits(self) -> Limits:
        """The most that one archive may unpack to."""
        settings = self.settings
        return Limits(max_bytes=settings.max_unpacked_bytes, max_files=settings.max_unpacked_files)

    def runner(self) -> Runner:
        """What starts workers here."""
        settings = self.settings
        if settings.runner == "process":
            return ProcessRunner(settings.work_dir, self.store.open, self.limits)
        # Airflow and Docker's client take a second to import, and subprocesses need neither.
        from oppflow.runners.docker.runner import DockerRunner  # noqa: PLC0415

        return DockerRunner(settings, self.store.open, self.limits)
