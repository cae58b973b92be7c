"""The parameters of a campaign, as a form or a client of the REST API sends them."""

from __future__ import annotations

from typing import Any

import pytest

from oppflow.errors import ParameterError
from oppflow.request import KINDS, PARAMETERS, CampaignRequest


def request(**parameters: Any) -> CampaignRequest:
    return CampaignRequest.from_parameters({"model": "m", "config": "C", **parameters}, parameters)


def refused(**parameters: Any) -> str:
    with pytest.raises(ParameterError) as caught:
        request(**parameters)
    assert not caught.value.transient
    return str(caught.value)


def test_what_is_not_given_has_its_default() -> None:
    """An empty field of the form is as good as none."""
    made = request()
    empty = dict.fromkeys(PARAMETERS)
    assert made == CampaignRequest.from_parameters({**empty, "model": "m", "config": "C"})
    assert made == CampaignRequest("m", "C")


def test_values_arrive_as_the_dataclass_wants_them() -> None:
    """Texts stripped, lists as tuples, sizes in bytes, options as ini files spell them."""
    made = request(
        model=" m ", projects=[" p ", ""], memory="1.5 GiB", keep=["elog", "sca"],
        options={"*.a": True, "*.b": 0.5, "sim-time-limit": "10s", "repeat": 3},
        wall_time_limit=90, runs_per_task=4,
    )  # fmt: skip
    assert (made.model, made.projects, made.memory) == ("m", ("p",), 3 * 2**29)
    assert made.keep == ("sca", "elog")
    assert dict(made.options) == {
        "*.a": "true", "*.b": "0.5", "sim-time-limit": "10s", "repeat": "3"
    }  # fmt: skip


def test_nothing_can_be_kept() -> None:
    """Which is not the same as keeping what is kept by default."""
    assert request(keep=[]).keep == ()
    assert request(keep=None).keep == KINDS


@pytest.mark.parametrize(
    ("name", "value", "why"),
    [
        ("projects", "queueinglib", "projects is 'queueinglib': it must be a list"),
        ("keep", {"sca": True}, "keep is {'sca': True}: it must be a list"),
        ("keep", ["sca", "pcap"], "keep names pcap, which is no kind of result file"),
        ("options", "a=1", "options is 'a=1': it must be an object"),
        ("options", {"a": None}, "The option a is None"),
        ("options", {"a": [1]}, "The option a is [1]"),
        ("options", {"a": "1\n*.b = 2"}, "has a line break in it"),
        ("mode", "Release", "mode is 'Release': it must be release or debug"),
        ("runs_per_task", 0, "runs_per_task is 0: it must be a whole number above 0"),
        ("runs_per_task", "5", "runs_per_task is '5'"),
        ("runs_per_task", True, "runs_per_task is True"),
        ("wall_time_limit", -1, "wall_time_limit is -1"),
        ("wall_time_limit", "1h", "wall_time_limit is '1h'"),
        ("keep_going", "no", "keep_going is 'no': it must be true or false"),
        ("memory", "plenty", "'plenty' is not a size"),
        ("memory", 512, "memory is '512', which is 512 bytes"),
        ("ini_files", ["../other.ini"], "cannot be an ini file of the model"),
        ("ini_files", ["-x.ini"], "cannot be an ini file of the model"),
        ("model", "  ", "The parameter model is empty"),
    ],
)
def test_what_cannot_be_is_named(name: str, value: Any, why: str) -> None:
    """A form would not send it; a client may."""
    assert why in refused(**{name: value})


def test_unknown_parameters_are_all_named() -> None:
    """With what was likely meant, and where the ini file's own keys go."""
    said = refused(modell="m", sim_time_limit="5s")
    assert "modell (did you mean model?)" in said
    assert '{"options": {"sim-time-limit": "10s"}}' in said
