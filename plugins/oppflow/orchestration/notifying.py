"""Sending a night's verdict through Airflow's notifiers, whichever a file names."""

from __future__ import annotations

import copy
import html
import inspect
import logging
from collections.abc import Mapping
from importlib import import_module
from typing import Any

from airflow.sdk import BaseNotifier

from oppflow.errors import InfrastructureError, ParameterError
from oppflow.orchestration.nightly_files import Notifier
from oppflow.stages.telling import summary, title

log = logging.getLogger(__name__)

# What notifiers call what they send; where a file gives no such argument, it is filled in.
_TEXTS = {
    "subject": "{{ night.title }}",
    "html_content": "{{ night.html }}",
    "text": "{{ night.text }}",
    "message": "{{ night.text }}",
}


def night_for_templates(told: Mapping[str, Any]) -> dict[str, Any]:
    """What templates of a notifier's arguments know as ``night``: what is told, and in words."""
    text = summary(told)
    return {**told, "title": title(told), "text": text, "html": f"<pre>{html.escape(text)}</pre>"}


def send(notifier: Notifier, context: Any, night: Mapping[str, Any]) -> None:
    """Make the notifier and have it send; its arguments are templates, as elsewhere in Airflow.

    Raises:
        ParameterError: there is no such notifier, or it refuses its arguments.
        InfrastructureError: it could not send.
    """
    made = _make(notifier)
    context["night"] = dict(night)
    try:
        made(context)
    except Exception as error:
        raise InfrastructureError(
            f"{notifier.path} could not send: {error!r}.",
            hint="Check its arguments and Airflow's connection that it uses.",
        ) from error
    log.info("Sent through %s: %s", notifier.path, night["title"])


def _make(notifier: Notifier) -> BaseNotifier:
    module, _, name = notifier.path.rpartition(".")
    try:
        kind = getattr(import_module(module), name)
    except (ImportError, AttributeError) as error:
        raise ParameterError(
            f"There is no notifier {notifier.path}: {error}.",
            hint="Check its path; providers are installed with Airflow's workers.",
        ) from error
    if not (isinstance(kind, type) and issubclass(kind, BaseNotifier)):
        raise ParameterError(f"{notifier.path} is no notifier of Airflow's (a BaseNotifier).")
    taken = inspect.signature(kind).parameters
    texts = {key: text for key, text in _TEXTS.items() if key in taken}
    try:
        made: BaseNotifier = kind(**{**texts, **copy.deepcopy(notifier.arguments)})
    except TypeError as error:
        raise ParameterError(
            f"{notifier.path} refuses its arguments: {error}.",
            hint=f"It takes {', '.join(taken)}.",
        ) from error
    return made
