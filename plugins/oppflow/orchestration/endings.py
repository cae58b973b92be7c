"""How a task ends: without a traceback for what oppflow raises on purpose, and never orphaned."""

from __future__ import annotations

import logging
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from airflow.sdk import ExceptionRetryPolicy, RetryAction, RetryRule

from oppflow.errors import OppflowError

log = logging.getLogger(__name__)


class TaskFailed(SystemExit):
    """The task failed and trying again would not help.

    A `SystemExit`, because Airflow logs a traceback for every other exception, and the user's
    mistake is not in our code.
    """


class TaskInterrupted(SystemExit):
    """The task failed for a reason that may pass: Airflow tries again."""


@contextmanager
def explained() -> Iterator[None]:
    """Log errors of oppflow as they are meant to be read, and end the task."""
    end_with_supervisor()
    try:
        yield
    except OppflowError as error:
        log.error("%s", error)  # no traceback: the message is the product
        raise (TaskInterrupted if error.transient else TaskFailed)(1) from None


def end_with_supervisor() -> None:
    """Have the kernel end this task when Airflow's supervisor of it is killed.

    Nobody else would: the task would go on beside its own retry. In ``dag.test()`` there is no
    supervisor, and nothing happens.
    """
    from airflow.sdk.execution_time import comms, task_runner

    supervised = isinstance(getattr(task_runner, "SUPERVISOR_COMMS", None), comms.CommsDecoder)
    if supervised:
        from oppflow.worker.children import die_with_parent

        die_with_parent(signal.SIGKILL, os.getppid())


def task_defaults() -> dict[str, Any]:
    """What all tasks of a campaign share: retries that grow from 5 s, and none for user errors."""
    return {
        "retries": 3,
        "retry_delay": timedelta(seconds=5),
        "retry_exponential_backoff": 2,
        "max_retry_delay": timedelta(minutes=5),
        "retry_policy": ExceptionRetryPolicy(rules=[RetryRule(TaskFailed, RetryAction.FAIL)]),
    }
