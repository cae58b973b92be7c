"""The operator of deployments with the ``docker`` runner: a DockerOperator for every batch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from airflow.providers.docker.operators.docker import DockerOperator

from oppflow.orchestration.operators import SimulatesBatch


class DockerSimulateOperator(SimulatesBatch, DockerOperator):
    """Simulates in a container.

    A container as the provider makes it has too many rights, cannot be gone on with by a retry, and
    outlives its task; its check for the image knows neither IDs nor images without a registry. So
    `oppflow.runners.docker` makes it, and what is left of the provider's operator are its hook and
    its place in Airflow's pages.
    """

    template_fields: Sequence[str] = ()
    template_ext: Sequence[str] = ()

    def __init__(self, **kwargs: Any) -> None:
        # The campaign's parameters choose the image, long after this.
        super().__init__(image="", mount_tmp_dir=False, network_mode="none", **kwargs)
