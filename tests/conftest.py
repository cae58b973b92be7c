"""What holds for all tests: Airflow's home is never the user's own."""

from __future__ import annotations

import os
import tempfile

# Importing Airflow writes a configuration file into its home.
os.environ["AIRFLOW_HOME"] = tempfile.mkdtemp(prefix="oppflow-airflow-")
