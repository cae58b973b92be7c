"""Sending a verdict through notifiers."""

from __future__ import annotations

from typing import Any

import pytest
from airflow.sdk import BaseNotifier

from oppflow.errors import InfrastructureError, ParameterError
from oppflow.orchestration.nightly_files import Notifier
from oppflow.orchestration.notifying import night_for_templates, send

TOLD = {"dag_id": "nightly_mm1", "verdict": "changed", "reason": "Of 2 <scalars>: 1 changed."}
SENT: list[dict[str, Any]] = []


class Keeps(BaseNotifier):
    """Sends to a list."""

    template_fields = ("subject", "text", "to")

    def __init__(self, to: str, subject: str = "", text: str = "", fails: bool = False) -> None:
        super().__init__()
        self.to, self.subject, self.text, self.fails = to, subject, text, fails

    def notify(self, context: Any) -> None:  # noqa: ARG002 - the interface is Airflow's
        if self.fails:
            raise ConnectionError("nobody there")
        SENT.append({"to": self.to, "subject": self.subject, "text": self.text})


def notifier(**arguments: Any) -> Notifier:
    return Notifier(f"{__name__}.Keeps", {"to": "a@example.org", **arguments}, ("changed",))


@pytest.fixture(autouse=True)
def _empty() -> None:
    SENT.clear()


def test_subject_and_text_are_filled_in() -> None:
    """Whatever a notifier calls them."""
    send(notifier(), {}, night_for_templates(TOLD))
    (sent,) = SENT
    assert sent["subject"] == "nightly_mm1: changed"
    assert sent["text"] == "nightly_mm1: changed\nOf 2 <scalars>: 1 changed."


def test_arguments_of_the_file_are_templates() -> None:
    """With all that is told of the night."""
    send(notifier(subject="{{ night.verdict | upper }}!"), {}, night_for_templates(TOLD))
    assert SENT[0]["subject"] == "CHANGED!"


def test_html_is_escaped() -> None:
    """Names of modules are a model's, and not to be trusted."""
    assert "&lt;scalars&gt;" in night_for_templates(TOLD)["html"]


def test_one_that_cannot_send_is_tried_again() -> None:
    """The connection may be back in a minute."""
    with pytest.raises(InfrastructureError, match="nobody there"):
        send(notifier(fails=True), {}, night_for_templates(TOLD))


@pytest.mark.parametrize(
    ("path", "arguments", "words"),
    [
        ("no.such.Notifier", {}, "There is no notifier no.such.Notifier"),
        ("airflow.sdk.Nothing", {}, "There is no notifier"),
        ("airflow.sdk.DAG", {}, "is no notifier of Airflow's"),
        (
            "airflow.providers.smtp.notifications.smtp.SmtpNotifier",
            {"subjekt": "x"},
            "refuses its arguments",
        ),
    ],
)
def test_what_is_no_notifier(path: str, arguments: dict[str, Any], words: str) -> None:
    """A mistake in the file, which trying again does not mend."""
    with pytest.raises(ParameterError, match=words):
        send(Notifier(path, arguments, ()), {}, night_for_templates(TOLD))
