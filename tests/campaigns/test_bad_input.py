"""Bad input gets a clear error, in the stage that sees it first, and nothing is left behind."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from oppflow.deployment import Deployment
from oppflow.errors import ModelError, OppflowError, ParameterError
from oppflow.stages.build import build_model
from oppflow.stages.resolve import resolve_runs
from tests.support.campaigns import pack, run_campaign

Tiny = Callable[..., Path]


def refused(call: Callable[[], Any], kind: type[OppflowError] = ParameterError) -> OppflowError:
    """The error of a call that must fail; it must say what to do, and trying again is no use."""
    with pytest.raises(kind) as caught:
        call()
    assert not caught.value.transient
    return caught.value


def resolve(deployment: Deployment, **parameters: Any) -> list[dict[str, Any]]:
    return resolve_runs(deployment, pack(deployment, **parameters))


def test_an_unknown_parameter_is_named_with_what_was_meant(deployment: Deployment) -> None:
    """Airflow lets unknown keys pass; a typing error would silently run something else."""
    error = refused(lambda: pack(deployment, run_fliter="0"))
    assert error.message == "Unknown parameter: run_fliter (did you mean run_filter?)."
    assert "The parameters are model, projects, config" in error.hint
    assert "options" in error.hint


def test_a_model_that_is_not_there(deployment: Deployment, tmp_path: Path) -> None:
    """The hint names the folders that models may lie in; nothing was claimed."""
    error = refused(lambda: pack(deployment, model="nothere"))
    assert error.message == "There is no model at 'nothere'."
    assert str(tmp_path / "models") in error.hint
    assert "OPPFLOW_MODEL_ROOTS" in error.hint
    assert not (tmp_path / "results").exists()


@pytest.mark.parametrize("name", ["x" * 5000, "~nobody-of-this-name/m", "a\0b", "{{ ds }}", ""])
def test_a_model_name_that_can_be_no_path(deployment: Deployment, name: str) -> None:
    """Whatever was typed, the answer is one about the model, not a traceback."""
    error = refused(lambda: pack(deployment, model=name))
    assert "model" in error.message


def test_a_model_outside_the_roots(deployment: Deployment, tmp_path: Path, tiny: Tiny) -> None:
    """Neither an absolute path nor one with .. leads out."""
    tiny()
    (tmp_path / "models" / "tiny").rename(tmp_path / "outside")
    for name in (str(tmp_path / "outside"), "../outside"):
        error = refused(lambda name=name: pack(deployment, model=name))  # type: ignore[misc]
        assert f"The model {name!r} lies outside" in error.message
        assert "An admin can add one to OPPFLOW_MODEL_ROOTS" in error.hint


def test_a_link_that_leaves_the_roots(deployment: Deployment, tmp_path: Path, tiny: Tiny) -> None:
    """A link into the roots is fine, one out of them is not."""
    model = tiny()
    (model.parent / "inner").symlink_to(model)
    assert pack(deployment, model="inner").model.home == str(model)
    (tmp_path / "outside").mkdir()
    (model.parent / "outer").symlink_to(tmp_path / "outside")
    error = refused(lambda: pack(deployment, model="outer"))
    assert "'outer' is a link that leaves" in error.message


def test_a_file_that_is_no_archive(deployment: Deployment, tiny: Tiny) -> None:
    """Naming the ini file is the likeliest mistake."""
    tiny()
    error = refused(lambda: pack(deployment, model="tiny/omnetpp.ini"))
    assert "is a file, and neither a .zip nor a .tar.* archive" in error.message
    assert error.hint == "Name the folder that the ini file is in."


def test_no_ini_file(deployment: Deployment, tiny: Tiny) -> None:
    """The hint tells what ini files there are, or where below there are some."""
    model = tiny()
    (model / "omnetpp.ini").rename(model / "other.ini")
    error = refused(lambda: pack(deployment, model="tiny"))
    assert "There is no ini file omnetpp.ini in the model" in error.message
    assert error.hint == "Ini files there: other.ini. Name them in ini_files."
    (model / "simulations").mkdir()
    (model / "other.ini").rename(model / "simulations" / "omnetpp.ini")
    error = refused(lambda: pack(deployment, model="tiny"))
    assert "#simulations" in error.hint


def test_a_folder_that_is_not_in_the_model(deployment: Deployment, tiny: Tiny) -> None:
    """What stands behind # is checked like everything else."""
    tiny()
    error = refused(lambda: pack(deployment, model="tiny#simulations"))
    assert "There is no folder 'simulations' in the model 'tiny'" in error.message
    error = refused(lambda: pack(deployment, model="tiny#../.."))
    assert "leaves the model's tree" in error.message


def test_an_unknown_configuration_lists_those_there_are(deployment: Deployment) -> None:
    """Which ones there are is the next question."""
    error = refused(lambda: resolve(deployment, config="Nothere"))
    assert "No such config: Nothere" in error.message
    assert error.hint == "Configurations here: General, MM1, Short, Endless."


@pytest.mark.parametrize("run_filter", ["$load >", "1,,2", "$nosuch == 1", "0..", "abc", "99"])
def test_a_malformed_filter(deployment: Deployment, run_filter: str) -> None:
    """OMNeT++'s own words, and how a filter is written."""
    error = refused(lambda: resolve(deployment, config="Short", run_filter=run_filter))
    assert error.message
    assert "0,2,5-10" in error.hint


def test_a_filter_that_matches_no_run(deployment: Deployment) -> None:
    """OMNeT++ exits with 0 and says nothing; a campaign of no runs is a mistake."""
    error = refused(lambda: resolve(deployment, config="Short", run_filter="$load > 7"))
    assert "'$load > 7' matches none of the 8 runs of configuration Short" in error.message
    assert error.hint == "The first run is $load=0.3, $repetition=0; numbers go from 0 to 7."


@pytest.mark.parametrize(
    ("ini", "what"),
    [
        ("*.value = ${value=1,2,1}", "General-value=1"),
        ('repeat = 2\noutput-scalar-file = "same.sca"', "same.sca"),
        ('repeat = 2\noutput-vector-file = "${resultdir}/v.vec"', "v.vec"),
        ('repeat = 2\neventlog-file = "all.elog"\nrecord-eventlog = true', "all.elog"),
    ],
)
def test_two_runs_that_would_write_the_same_files(
    deployment: Deployment, tiny: Tiny, ini: str, what: str
) -> None:
    """Equal values of a variable, or an output file named in the ini file."""
    tiny(ini)
    error = refused(lambda: resolve(deployment, model="tiny", config="General"))
    assert "2 runs would write the same result files" in error.message
    assert what in error.message
    assert "#0 " in error.message
    assert "${iterationvarsf} or ${repetition}" in error.hint


@pytest.mark.parametrize("value", ["${q=1,2}", "${1,2,5}", "${q=1..5}", "${ -1..5 step 2}"])
def test_an_iteration_in_an_option(deployment: Deployment, value: str) -> None:
    """OMNeT++ would take it for one value; what refers to a variable is fine."""
    error = refused(lambda: pack(deployment, options={"**.q": value}))
    assert f"The option **.q={value} has an iteration in it" in error.message
    assert "start one campaign for each value" in error.hint
    assert pack(deployment, options={"**.q": "${repetition}"})


@pytest.mark.parametrize(
    ("key", "why"),
    [
        ("result-dir", "oppflow collects the results itself"),
        ("cmdenv-redirect-output", "keeps each run's output"),
        ("user-interface", "runs under Cmdenv"),
        ("parallel-simulation", "a run of a campaign is one process"),
    ],
)
def test_reserved_options(deployment: Deployment, key: str, why: str) -> None:
    """What oppflow sets itself cannot be set, and the reason is told."""
    error = refused(lambda: pack(deployment, options={key: "x"}))
    assert f"The option {key} cannot be given" in error.message
    assert why in error.message


@pytest.mark.parametrize("key", ["--repeat", "a b", "x=y", "", " "])
def test_keys_that_no_option_has(deployment: Deployment, key: str) -> None:
    """A key with a blank or a dash would become another argument."""
    error = refused(lambda: pack(deployment, options={key: "1"}))
    assert "cannot be the key of an option" in error.message


def test_a_results_name_in_use(deployment: Deployment) -> None:
    """Refused before anything is packed; what is there stays as it is."""
    run_campaign(deployment, config="Short", run_filter="0", results="mine")
    manifest = deployment.settings.results_root / "mine" / "manifest.json"
    before = manifest.read_bytes()
    error = refused(lambda: pack(deployment, config="Short", results="mine"))
    assert "The results name 'mine' is in use" in error.message
    assert "Choose another name" in error.hint
    assert manifest.read_bytes() == before


@pytest.mark.parametrize(
    "name", ["..", "../x", "a/b", "a\\b", ".hidden", "a\nb", " ", "x" * 200, "ü" * 100, "\ud800"]
)
def test_results_names_that_no_folder_can_have(deployment: Deployment, name: str) -> None:
    """One folder, visible, and within the results root."""
    error = refused(lambda: pack(deployment, results=name))
    assert "cannot be the name of a result folder" in error.message


@pytest.mark.parametrize("name", ["with blanks", "{{ ds }}", 'it\'s "quoted"', "50 % & more;"])
def test_odd_results_names_are_only_names(deployment: Deployment, name: str, tiny: Tiny) -> None:
    """Nothing is rendered, and no shell sees it."""
    tiny()
    packed = pack(deployment, model="tiny", results=name)
    assert packed.results == name
    assert (deployment.settings.results_root / name).is_dir()


@pytest.mark.parametrize(
    ("entry", "why"),
    [
        ("parallel-simulation = true", "one process on one machine"),
        ("output-scalar-file-append = true", "result files of its own"),
        ('user-interface = "Qtenv"', "it wants Qtenv"),
    ],
)
def test_configurations_that_no_campaign_can_run(
    deployment: Deployment, tiny: Tiny, entry: str, why: str
) -> None:
    """Refused before a run is started, with the entry and the reason."""
    tiny(entry)
    error = refused(lambda: resolve(deployment, model="tiny", config="General"))
    assert f"The configuration says {entry.partition(' ')[0]} = " in error.message
    assert why in error.message
    assert "Remove" in error.hint


def test_an_omnetpp_model_where_no_omnetpp_is(
    deployment: Deployment, tiny: Tiny, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The embedded engine is never used silently in its place."""
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    monkeypatch.delenv("OMNETPP_ROOT", raising=False)
    (tiny() / "Net.ned").write_text("network Net {}\n")
    error = refused(lambda: pack(deployment, model="tiny"))
    assert "This is an OMNeT++ model (it has NED or C++ sources)" in error.message
    assert "opp_run is not on PATH" in error.message
    assert "OMNETPP_ROOT" in error.hint


def test_a_folder_without_any_source(deployment: Deployment, tiny: Tiny) -> None:
    """Neither engine could do anything with it."""
    (tiny() / "tiny.py").unlink()
    error = refused(lambda: pack(deployment, model="tiny"))
    assert "neither NED or C++ files" in error.message


def test_a_model_that_does_not_compile(deployment: Deployment, tiny: Tiny) -> None:
    """The error holds the compiler's last lines; no run is started."""
    (tiny() / "tiny.py").write_text("class Broken(:\n    pass\n")
    packed = pack(deployment, model="tiny", config="General")
    error = refused(lambda: build_model(deployment, packed), ModelError)
    assert "tiny does not build" in error.message
    assert "SyntaxError: invalid syntax" in error.message
    assert "class Broken(:" in error.message
    assert "compileall" in error.hint


def test_a_makefile_that_fails(deployment: Deployment, tiny: Tiny) -> None:
    """What make and the compiler said, last lines first among equals."""
    (tiny() / "Makefile").write_text("all:\n\t@echo tiny.cc:3: error: no such thing; exit 3\n")
    packed = pack(deployment, model="tiny", config="General")
    error = refused(lambda: build_model(deployment, packed), ModelError)
    assert "make ended with status 2" in error.message
    assert "tiny.cc:3: error: no such thing" in error.message
    assert "make MODE=release" in error.hint


def test_a_failed_build_makes_the_campaign_red_and_is_not_run(
    deployment: Deployment, tiny: Tiny
) -> None:
    """Collect still writes a manifest, in which no run was attempted."""
    (tiny() / "Makefile").write_text("all:\n\tfalse\n")
    finished = run_campaign(deployment, model="tiny", config="General")
    assert not finished.green
    assert finished.outcomes == {"stopped": 1}
    assert finished.run(0)["attempts"] == 0
    assert "the model was not built" in finished.run(0)["message"]


def test_a_failed_resolve_makes_the_campaign_red(deployment: Deployment) -> None:
    """With a manifest that has no runs, and the reason where to look for more."""
    finished = run_campaign(deployment, model="own_words", config="Nothere", allow_partial=True)
    assert not finished.green
    assert finished.outcomes == {}
    assert "failed: resolve_runs" in str(finished.errors["report"])
