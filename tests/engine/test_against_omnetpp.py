"""Where OMNeT++ is installed, the engine is held against it directly."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from oppflow.engine.main import main
from tests.engine.support import MODELS, normalise, simulate, write_ini

OPP_RUN = shutil.which("opp_run")
needs_omnetpp = pytest.mark.skipif(not OPP_RUN, reason="OMNeT++ is not installed")

NED = """
module Host {
    parameters: double x @unit(s) = default(1s); int k = default(3); string s = default("d");
}
network Net { parameters: bool b = default(true); submodules: host[3]: Host; }
"""
PYTHON = """
from oppflow.engine.model import Module

class Host(Module):
    def initialize(self):
        self.parameter("x", 1.0, unit="s")
        self.parameter("k", 3)
        self.parameter("s", "d")

class Net(Module):
    def initialize(self):
        self.parameter("b", True)
        for index in range(3):
            self.submodule(Host, "host", index)
"""


def ask_omnetpp(folder: Path, *arguments: str) -> tuple[int, str, str]:
    """What ``opp_run`` answers."""
    assert OPP_RUN
    done = subprocess.run([OPP_RUN, *arguments], cwd=folder, capture_output=True, check=False)
    return done.returncode, normalise(done.stdout.decode()), normalise(done.stderr.decode())


@needs_omnetpp
@pytest.mark.parametrize("query", ["runs", "rundetails", "runconfig", "sectioninheritance"])
@pytest.mark.parametrize(
    ("model", "config"),
    [("mm1", "MM1"), ("mm1", "Short"), ("aloha", "SlottedAloha"), ("aloha", "Quick")],
)
def test_queries_about_our_models(
    model: str,
    config: str,
    query: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(MODELS / model)
    words = ("-s", "-q", query, "-c", config)
    status = main(words)
    captured = capsys.readouterr()
    ours = (status, normalise(captured.out), captured.err)
    assert ours == ask_omnetpp(MODELS / model, *words)


@needs_omnetpp
@pytest.mark.parametrize(
    "ini",
    [
        "",
        "**.k = ${k=1,2}\n**.host[1].x = 5ms\n",
        'Net.host[1..].k = 2 * 4\n**.s = "a \\"b\\""\n**.b = 1 > 2\n',
        "**.param-recording = false\n",
        'config-recording = params\ndescription = "what for"\n**.x = 1h 30min\n',
        "output-scalar-file = out.sca\n**.typename.param-recording = false\n",
    ],
)
def test_scalar_files_of_the_same_network(tmp_path: Path, ini: str) -> None:
    files = []
    for folder, name, source in (("omnetpp", "net.ned", NED), ("ours", "net.py", PYTHON)):
        network = "Net" if name == "net.ned" else "net.Net"
        write_ini(tmp_path, source, f"{folder}/{name}")
        general = f"[General]\nnetwork = {network}\nsim-time-limit = 1s\n"
        write_ini(tmp_path, general + ini, f"{folder}/omnetpp.ini")
    ask_omnetpp(tmp_path / "omnetpp", "-s", "-u", "Cmdenv", "--cmdenv-performance-display=false")
    simulate(tmp_path / "ours")
    for folder in ("omnetpp", "ours"):
        found = sorted((tmp_path / folder).rglob("*.sca"))
        texts = [normalise(path.read_text(encoding="utf-8")) for path in found]
        files.append(
            [
                (path.name, text.replace("net.Net", "Net"))
                for path, text in zip(found, texts, strict=True)
            ]
        )
    assert files[0] == files[1] != []
