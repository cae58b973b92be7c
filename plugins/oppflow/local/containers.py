"""Whether a local Airflow simulates in containers: where an engine and an image are there."""

from __future__ import annotations

import os
import subprocess

from oppflow.settings import Settings

_PATIENCE = 10.0  # seconds: an engine that takes longer is not there to be used


def choose_runner() -> str:
    """``OPPFLOW_RUNNER``; if it is not set, ``docker`` where `omnetpp_image` finds one.

    Raises:
        ParameterError: a setting is malformed.
    """
    if os.environ.get("OPPFLOW_RUNNER"):
        return Settings.from_environment().runner
    return "docker" if omnetpp_image() else "process"


def omnetpp_image() -> str:
    """The first of the deployment's images with OMNeT++ that this machine's engine has, or none."""
    images = Settings.from_environment().images
    return next((name for name in images if _is_for_omnetpp(name)), "")


def _is_for_omnetpp(image: str) -> bool:
    # Docker's own program: what is simulated in containers was built with it.
    label = '{{index .Config.Labels "oppflow.engine"}}'
    try:
        done = subprocess.run(
            ["docker", "image", "inspect", "--format", label, image],
            capture_output=True, text=True, timeout=_PATIENCE, check=False,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0 and done.stdout.strip() == "omnetpp"
