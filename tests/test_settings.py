"""A deployment's settings, read from an environment."""

from __future__ import annotations

from pathlib import Path

import pytest

from oppflow.errors import ParameterError
from oppflow.settings import PROJECT_ROOT, Settings, parse_size


def test_a_deployment_without_settings_lies_in_its_own_folder() -> None:
    """Nothing is written outside of it."""
    settings = Settings.from_environment({})
    for path in (*settings.model_roots, settings.results_root, settings.work_dir):
        assert path.is_relative_to(PROJECT_ROOT)
    assert settings.store_url.startswith(PROJECT_ROOT.as_uri())
    assert (settings.slots, settings.result_ttl, settings.runner) == (1, None, "docker")


def test_empty_settings_are_as_good_as_none() -> None:
    """Compose files pass variables that are not set as empty ones."""
    names = ("RUNNER", "RESULTS", "SLOTS", "STORE_URL", "MODEL_ROOTS", "MAX_FILES", "RESULT_TTL")
    empty = {f"OPPFLOW_{name}": "" for name in names}
    assert Settings.from_environment(empty) == Settings.from_environment({})


def test_paths_are_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Relative ones are from where the deployment was started, links are resolved."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "link").symlink_to(tmp_path)
    settings = Settings.from_environment(
        {"OPPFLOW_MODEL_ROOTS": "models:link/more::", "OPPFLOW_RESULTS": "link/results"}
    )
    assert settings.model_roots == (tmp_path / "models", tmp_path / "more")
    assert settings.results_root == tmp_path / "results"


@pytest.mark.parametrize(
    ("text", "size"),
    [("1000", 1000), ("512m", 512 * 2**20), (" 1.5 GiB ", 3 * 2**29), ("2kb", 2048), ("1T", 2**40)],
)
def test_sizes(text: str, size: int) -> None:
    """Units are powers of 1024, however they are written."""
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["", "0", "-1g", "1 x", "m", "1e3"])
def test_what_is_no_size(text: str) -> None:
    """The error shows how one is written."""
    with pytest.raises(ParameterError, match="is not a size") as caught:
        parse_size(text)
    assert "512m" in caught.value.hint


def test_there_are_two_runners() -> None:
    """A typing error shows before anything starts."""
    with pytest.raises(ParameterError, match="no runner 'dokcer'") as caught:
        Settings.from_environment({"OPPFLOW_RUNNER": "dokcer"})
    assert "docker or process" in caught.value.hint


@pytest.mark.parametrize(
    ("name", "value"),
    [("SLOTS", "two"), ("SLOTS", "0"), ("RESULT_TTL", "-5"), ("MAX_FILES", "1.5")],
)
def test_a_malformed_setting_is_named(name: str, value: str) -> None:
    """At once, not when it is first used."""
    with pytest.raises(ParameterError, match=f"OPPFLOW_{name}='{value}'"):
        Settings.from_environment({f"OPPFLOW_{name}": value})


@pytest.mark.parametrize("url", ["s3://bucket/results", "memory://x"])
def test_results_below_a_url_have_copies_here(tmp_path: Path, url: str) -> None:
    """Other URLs have other copies."""
    given = {"OPPFLOW_WORK": str(tmp_path), "OPPFLOW_RESULTS": url}
    settings = Settings.from_environment(given)
    other = Settings.from_environment({**given, "OPPFLOW_RESULTS": f"{url}2"})
    assert settings.results_url == url
    assert settings.results_root.is_relative_to(tmp_path / "results")
    assert settings.results_root != other.results_root


def test_results_in_a_folder_are_where_they_are(tmp_path: Path) -> None:
    """However it is written."""
    for text in (str(tmp_path / "a b"), (tmp_path / "a b").as_uri()):
        settings = Settings.from_environment({"OPPFLOW_RESULTS": text})
        assert (settings.results_root, settings.results_url) == (tmp_path / "a b", "")
    with pytest.raises(ParameterError, match="OPPFLOW_RESULTS"):
        Settings.from_environment({"OPPFLOW_RESULTS": "file://results"})
