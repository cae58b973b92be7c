"""A simulation campaign, from source trees to a report.

pack_model -+-> resolve_runs -+-> simulate [one task per run or batch] -> collect -> report
            +-> build_model --+
"""

from airflow.sdk import DAG

from oppflow.orchestration import campaign_parameters, campaign_tasks, task_defaults
from oppflow.settings import Settings

settings = Settings.from_environment()

with DAG(
    dag_id="simulation_campaign",
    description="Run an OMNeT++ simulation campaign",
    doc_md="Every run of a configuration, or those that a run filter selects, becomes a task. "
    "Results, tables and charts lie in the campaign's folder below the results root.",
    schedule=None,
    params=campaign_parameters(settings.choices),
    default_args=task_defaults(),
    is_paused_upon_creation=False,
    max_active_runs=16,
    tags=["oppflow", "omnetpp"],
) as dag:
    campaign_tasks(settings)
