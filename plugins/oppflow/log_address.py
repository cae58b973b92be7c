"""Where task logs of this machine are read from: Airflow's ``[core] hostname_callable``."""

from __future__ import annotations

import os
import socket


def log_address() -> str:
    """``OPPFLOW_LOG_ADDRESS``, or this machine's name.

    A further machine's worker is in a container: its own name means nothing to the first machine,
    which reads the logs of its tasks from where the container's port is published.
    """
    return os.environ.get("OPPFLOW_LOG_ADDRESS") or socket.gethostname()
