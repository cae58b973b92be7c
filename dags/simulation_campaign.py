"""A simulation campaign, from source trees to a report.

pack_model -+-> resolve_runs -+-> simulate [one task per run or batch] -> collect -> report
            +-> build_model --+
"""

from airflow.sdk import DAG

from oppflow.orchestration import (
    POOL,
    build_model,
    campaign_parameters,
    collect,
    pack_model,
    report,
    resolve_runs,
    simulate_operator,
    task_defaults,
)
from oppflow.settings import Settings

settings = Settings.from_environment()
Simulate = simulate_operator(settings.runner)

with DAG(
    dag_id="simulation_campaign",
    description="Run an OMNeT++ simulation campaign",
    doc_md="Every run of a configuration, or those that a run filter selects, becomes a task. "
    "Results, tables and charts lie in the campaign's folder below the results root.",
    schedule=None,
    params=campaign_parameters(settings.images),
    default_args=task_defaults(),
    is_paused_upon_creation=False,
    max_active_runs=16,
    tags=["oppflow", "omnetpp"],
) as dag:
    packed = pack_model()
    batches = resolve_runs(packed)
    built = build_model(packed)
    simulated = Simulate.partial(
        task_id="simulate",
        map_index_template="{{ task.batch['label'] }}",
        pool=POOL,
        pool_slots=settings.slots,
    ).expand(batch=batches)
    [batches, built] >> simulated >> collect() >> report()
