"""How the files of a campaign's folder are written."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from oppflow.results_folder import ResultsFolder

RUNS = [{"number": number, "files": [{"name": "a.sca"}]} for number in range(3)]


def written(folder: Path, value: dict[str, Any]) -> str:
    ResultsFolder(folder).write_json(folder / "x.json", value)
    return (folder / "x.json").read_text(encoding="utf-8")


class TestJson:
    @pytest.mark.parametrize(
        "value",
        [
            {},
            {"a": [], "b": {}, "c": None, "d": 'é \n \\ "'},
            {"outcomes": {"done": 3}, "nested": {"a": {"b": [1, 2]}}, "runs": RUNS},
        ],
    )
    def test_what_is_written_is_read_back(self, tmp_path: Path, value: dict[str, Any]) -> None:
        """With nothing left aside."""
        assert json.loads(written(tmp_path, value)) == value
        assert not list(ResultsFolder(tmp_path).aside.iterdir())

    def test_each_run_is_a_line(self, tmp_path: Path) -> None:
        """For people, and for programs that know lines only."""
        lines = written(tmp_path, {"outcomes": {"done": 3}, "runs": RUNS}).splitlines()
        assert [json.loads(line.rstrip(",")) for line in lines if '"number"' in line] == RUNS

    def test_a_files_name_may_be_no_text(self, tmp_path: Path) -> None:
        """Its bytes are told in JSON's own escapes."""
        text = written(tmp_path, {"name": "x\udc80"})
        assert json.loads(text) == {"name": "x\udc80"}
