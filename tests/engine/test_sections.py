"""Configurations extend each other in OMNeT++'s order, and unknown options are refused."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.engine.support import Ran

DIAMOND = "[D]\n[B]\nextends = D\n[C]\nextends = D\n[A]\nextends = B, C\n[General]\n"


def test_several_bases_are_linearised_by_c3(ask: Callable[..., Ran]) -> None:
    answer = ask(DIAMOND, "-q", "sectioninheritance", "-c", "A")
    assert answer.output == "Config A\nConfig B\nConfig C\nConfig D\nGeneral\n"


def test_abstract_is_not_inherited(ask: Callable[..., Ran]) -> None:
    ini = "[A]\nabstract = true\n**.a = 1\n[B]\nextends = A\n"
    assert ask(ini, "-q", "runconfig", "-c", "B").output == (
        "Run 0: $repetition=0\n\textends = A\n\t**.a = 1\n"
    )
    assert "\tabstract = true\n" in ask(ini, "-q", "runconfig", "-c", "A").output


@pytest.mark.parametrize(
    ("ini", "message"),
    [
        ("[A]\nextends = B\n", "No such config: B"),
        ("[A]\nextends = A\n", "Cycle detected in section fallback chain at [A]"),
        ("[A]\nextends=B\n[B]\nextends=A\n", "Cycle detected in section fallback chain at [A]"),
        ("[General]\nextends = A\n[A]\n", "The [General] section cannot extend other sections"),
        (
            "[A]\nextends=B,C\n[B]\nextends=D,E\n[C]\nextends=E,D\n[D]\n[E]\n",
            "Detected section fallback chain inconsistency at [A]",
        ),
        ("[A B]\n", "Invalid section name [A B]: It may not contain spaces"),
        ("[1A]\n", "Invalid section name [1A]: Must begin with a letter or underscore"),
        ("[A.b]\n", "Invalid section name [A.b]: Contains illegal character '.'"),
        ("foo-bar = 1\n", "Unknown configuration option: foo-bar"),
        ("**.foo-bar = 1\n", "Unknown per-object configuration option 'foo-bar' in **.foo-bar"),
        (
            "vector-recording = false\n",
            (
                "Configuration option vector-recording should be specified per object, "
                "try **.vector-recording="
            ),
        ),
        (
            "[A]\nned-path = .\n",
            "Configuration option ned-path may only occur in the [General] section",
        ),
    ],
)
def test_faults_anywhere_refuse_all_queries(
    ask: Callable[..., Ran], ini: str, message: str
) -> None:
    answer = ask(ini, "-q", "runs")
    assert (answer.status, answer.output) == (1, "")
    assert answer.errors == f"\n<!> Error: {message}\n"


def test_options_of_absent_parts_are_ignored(ask: Callable[..., Ran]) -> None:
    assert ask("qtenv-anything = 1\nseed-3-mt = 5\n**.rng-0 = 1\n", "-q", "runs").status == 0
