"""What the engine needs to start: little, so that short runs stay short."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.engine.support import ROOT, environment


def imported(folder: Path, *arguments: str) -> set[str]:
    """The modules that the engine has imported once it has done something."""
    code = (
        "import sys, runpy\n"
        f"sys.argv = ['engine', *{list(arguments)!r}]\n"
        "try:\n    runpy.run_module('oppflow.engine', run_name='__main__')\n"
        "except SystemExit:\n    pass\n"
        "print('\\n'.join(sys.modules), file=sys.stderr)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=folder,
        env=environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    return set(done.stderr.split())


def test_queries_import_neither_simpy_nor_models() -> None:
    modules = imported(ROOT / "models" / "mm1", "-s", "-q", "runs", "-c", "MM1")
    assert not {name for name in modules if name.split(".")[0] in ("simpy", "mm1", "random")}


def test_simulations_import_the_standard_library_and_simpy_only(tmp_path: Path) -> None:
    folder = ROOT / "models" / "mm1"
    arguments = ("-s", "-c", "Short", "-r", "0", f"--result-dir={tmp_path}")
    tops = {name.split(".")[0] for name in imported(folder, *arguments)}
    foreign = tops - set(sys.stdlib_module_names) - {"oppflow", "simpy", "mm1", "__main__"}
    # what Python's own site packages bring along is not the engine's
    assert not {name for name in foreign if not name.startswith(("_", "site"))}
    assert not {"oppflow.engine"} - imported(folder, *arguments)
