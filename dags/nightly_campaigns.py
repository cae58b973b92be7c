"""Nightly campaigns: one scheduled DAG for each file in dags/nightly/ (docs/nightly.md).

A file that is wrong makes no DAG; nightly_errors.py tells Airflow about it.
"""

from airflow.sdk import get_parsing_context

from oppflow.orchestration.nightly import nightly_dag
from oppflow.orchestration.nightly_files import read_folder
from oppflow.settings import Settings

settings = Settings.from_environment()
wanted = get_parsing_context().dag_id  # a task needs its own DAG only

for nightly in read_folder(settings.nightly_files, settings.choices)[0]:
    if wanted in (None, nightly.name):
        globals()[nightly.name] = nightly_dag(nightly, settings)
