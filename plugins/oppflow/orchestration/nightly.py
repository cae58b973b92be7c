"""Nightly campaigns as DAGs: the tasks of every campaign, `compare` and `tell`, and a schedule."""

from __future__ import annotations

import logging
from datetime import timezone
from typing import Any

from airflow.sdk import DAG, Asset, CronTriggerTimetable, get_current_context, task
from airflow.sdk.exceptions import AirflowSkipException

from oppflow.orchestration.campaign_tasks import campaign_tasks
from oppflow.orchestration.endings import explained, task_defaults
from oppflow.orchestration.nightly_files import DRIFT, NightlyCampaign, Notifier
from oppflow.orchestration.parameters import campaign_parameters
from oppflow.orchestration.tasks import pack_campaign, packed_campaign, task_states
from oppflow.settings import Settings

log = logging.getLogger(__name__)

Json = dict[str, Any]


def nightly_dag(nightly: NightlyCampaign, settings: Settings) -> DAG:
    """The DAG of one file; it is named as its asset is, whose events tell of its nights."""
    with DAG(
        dag_id=nightly.name,
        description=nightly.description or f"Nightly campaign of {nightly.parameters['model']}",
        doc_md=f"Made from `{nightly.path.name}`. Each night is compared with the last good one; "
        f"the verdict is in the log of `compare` and with the events of the asset {nightly.name}.",
        schedule=CronTriggerTimetable(nightly.schedule, timezone=nightly.timezone),
        catchup=False,
        params=campaign_parameters(settings.choices, nightly.parameters),
        default_args=task_defaults(),
        is_paused_upon_creation=False,
        max_active_runs=1,  # a night is compared with the one before
        tags=["oppflow", "omnetpp", "nightly", *nightly.tags],
    ) as dag:
        campaign_tasks(
            settings,
            queue=nightly.parameters.get("queue") or "",
            pack=lambda: _pack_task(nightly),
            before_report=lambda: [_compare_task(nightly), *_tell_tasks(nightly)],
        )
    return dag


# What a file says stays out of the tasks' arguments: those are templates to Airflow.


def _pack_task(nightly: NightlyCampaign) -> Any:
    @task(multiple_outputs=False)
    def pack_model() -> Json:
        """Pack the source trees; skip the night if nothing has changed since the last good one."""
        from oppflow.stages.nights import UnchangedError

        try:
            with explained():
                return _pack_night(nightly)
        except UnchangedError as unchanged:
            raise _skipped(str(unchanged)) from None

    return pack_model()


def _pack_night(nightly: NightlyCampaign) -> Json:
    from oppflow.deployment import Deployment
    from oppflow.errors import OppflowError
    from oppflow.stages.nights import check_changed, note_failure

    deployment = Deployment.from_environment()
    dag_run = get_current_context()["dag_run"]
    try:
        if _has_own_parameters():  # then somebody wants this one
            return pack_campaign(deployment)
        return pack_campaign(deployment, lambda p: check_changed(deployment, p, nightly.terms))
    except OppflowError as error:
        note_failure(deployment, dag_run.dag_id, dag_run.run_id, error)
        raise


def _has_own_parameters() -> bool:
    """Whether somebody started this DAG run with other parameters than the file's.

    The trigger form sends all parameters, also those that nobody touched.
    """
    from oppflow.errors import ParameterError
    from oppflow.request import CampaignRequest

    context = get_current_context()
    usual = context["dag"].params.dump()
    try:
        asked = CampaignRequest.from_parameters(dict(context["params"]))
        return asked != CampaignRequest.from_parameters(usual)
    except ParameterError:
        return True


def _compare_task(nightly: NightlyCampaign) -> Any:
    asset = Asset(nightly.name)

    @task(trigger_rule="all_done", outlets=[asset], multiple_outputs=False)
    def compare() -> Json:
        """Compare with the last good night and the pinned reference; emit the verdict."""
        with explained():
            from oppflow.deployment import Deployment
            from oppflow.stages.compare import compare_night

            context = get_current_context()
            dag_run, states, packed = context["dag_run"], task_states(), packed_campaign()
            if _is_skipped(states):
                raise _skipped("Nothing was simulated: see the log of pack_model.")
            if packed is not None and packed.request.plan_only:
                raise _skipped("There is only a plan.")
            told = compare_night(
                Deployment.from_environment(),
                packed,
                states,
                nightly.terms,
                dag_id=dag_run.dag_id,
                run_id=dag_run.run_id,
                started=dag_run.run_after.astimezone(timezone.utc).isoformat(timespec="seconds"),
                by_hand=_has_own_parameters(),
            )
            context["outlet_events"][asset].extra.update(told)
            return told

    return compare()


def _skipped(reason: str) -> AirflowSkipException:
    """What ends a task that has nothing to do; Airflow itself does not log why."""
    log.info("%s", reason)
    return AirflowSkipException(reason)


def _is_skipped(states: Any) -> bool:
    return bool(states.get("pack_model", {}).get("skipped"))


def _tell_tasks(nightly: NightlyCampaign) -> list[Any]:
    """A task instance for each notifier, so that none is sent again because another failed."""
    if not nightly.notifiers:
        return []

    @task(trigger_rule="all_done")
    def tell(index: int) -> None:
        """Send the verdict to whom the file names, if they want to know of it."""
        with explained():
            _tell(nightly, nightly.notifiers[index])

    return [tell.expand(index=list(range(len(nightly.notifiers))))]


def _tell(nightly: NightlyCampaign, notifier: Notifier) -> None:
    from oppflow.comparison import Verdict
    from oppflow.orchestration.notifying import night_for_templates, send

    context = get_current_context()
    told = context["ti"].xcom_pull(task_ids="compare")
    if told is None:
        skipped = _is_skipped(task_states())
        told = {
            "dag_id": nightly.name,
            "verdict": (Verdict.SKIPPED if skipped else Verdict.FAILED).value,
            "reason": "Nothing has changed since the last good night: nothing was simulated."
            if skipped
            else "The night could not be compared: read the log of the task compare.",
        }
    wanted = told["verdict"] in notifier.when or (told.get("drift") and DRIFT in notifier.when)
    if not wanted:
        raise _skipped(
            f"The verdict is {told['verdict']}; this notifier tells of {', '.join(notifier.when)}."
        )
    send(notifier, context, night_for_templates(told))
