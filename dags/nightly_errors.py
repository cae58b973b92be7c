"""Tells Airflow which files of nightly campaigns are wrong, as an import error of this file.

Airflow takes all DAGs of a file with an import error away: in nightly_campaigns.py, one wrong file
would stop all nightly campaigns.
"""

from oppflow.orchestration.nightly_files import check_folder
from oppflow.settings import Settings

settings = Settings.from_environment()
check_folder(settings.nightly_files, settings.choices)
