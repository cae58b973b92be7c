"""What can be said of the images without building them."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from docker.utils import exclude_paths

from tests.images.dockerfiles import DOCKERFILES, ROOT, copies, instructions

WHEEL = next(ROOT.glob("images/worker/simpy-*.whl"))
IN_IMAGE = "/opt/oppflow/"


def context() -> set[str]:
    patterns = (ROOT / ".dockerignore").read_text().splitlines()
    return exclude_paths(str(ROOT), [line for line in patterns if line and line[0] != "#"])


def lay_out(dockerfile: Path, folder: Path) -> Path:
    """Do in a folder what the Dockerfile's COPY instructions do in the image."""
    for copy in copies(dockerfile):
        if not copy.target.startswith(IN_IMAGE):
            continue
        target = folder / copy.target.removeprefix(IN_IMAGE)
        for source in copy.sources:
            if (ROOT / source).is_dir():
                shutil.copytree(ROOT / source, target)
            else:
                target.mkdir(parents=True, exist_ok=True)
                shutil.copy(ROOT / source, target)
    with zipfile.ZipFile(WHEEL) as wheel:
        wheel.extractall(folder)
    return folder


@pytest.fixture(params=DOCKERFILES, ids=lambda path: path.parent.name)
def dockerfile(request: pytest.FixtureRequest) -> Path:
    path: Path = request.param
    return path


@pytest.fixture(params=["worker", "omnetpp"])
def worker_dockerfile(request: pytest.FixtureRequest) -> Path:
    return ROOT / "images" / request.param / "Dockerfile"


def test_parses_and_begins_with_a_base_image(dockerfile: Path) -> None:
    names = [instruction.name for instruction in instructions(dockerfile)]
    assert names[0] in ("ARG", "FROM")
    assert "FROM" in names


def test_what_is_copied_exists_and_is_in_the_build_context(dockerfile: Path) -> None:
    sent = context()
    for copy in copies(dockerfile):
        found = [path for pattern in copy.sources for path in ROOT.glob(pattern)]
        assert found, copy
        for path in found:
            assert path.relative_to(ROOT).as_posix() in sent, path


def test_stages_that_are_copied_from_exist(dockerfile: Path) -> None:
    text = dockerfile.read_text()
    stages = set(re.findall(r"^FROM .* AS (\w+)$", text, re.MULTILINE))
    assert set(re.findall(r"^COPY --from=(\w+)", text, re.MULTILINE)) <= stages


def test_the_build_context_is_small() -> None:
    files = [ROOT / name for name in context() if not name.endswith(".tgz")]
    assert sum(path.stat().st_size for path in files if path.is_file()) < 5_000_000


def test_images_run_the_worker_as_nobody_in_particular(worker_dockerfile: Path) -> None:
    said = {instruction.name: instruction.text for instruction in instructions(worker_dockerfile)}
    assert said["USER"] == "1000:1000"
    assert json.loads(said["ENTRYPOINT"]) == ["tini", "-s", "--", "python3", "-m", "oppflow.worker"]


def test_the_omnetpp_image_names_its_licence() -> None:
    text = (ROOT / "images/omnetpp/Dockerfile").read_text()
    assert 'image.licenses="LicenseRef-OMNeTpp-Academic-Public-License' in text
    assert "not for commercial use" in text


def test_the_copied_worker_needs_nothing_else(worker_dockerfile: Path, tmp_path: Path) -> None:
    place = lay_out(worker_dockerfile, tmp_path)
    done = subprocess.run(
        [sys.executable, "-S", "-m", "oppflow.worker"],
        input="{}\n",
        env={"PYTHONPATH": str(place)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (2, "")
    assert "not a job" in done.stdout


def test_the_copied_engine_needs_nothing_else(worker_dockerfile: Path, tmp_path: Path) -> None:
    place = lay_out(worker_dockerfile, tmp_path / "image")
    command = ["-S", "-m", "oppflow.engine", "-s", "-c", "Short", "-r", "0"]
    done = subprocess.run(
        [sys.executable, *command, f"--result-dir={tmp_path}"],
        cwd=ROOT / "models" / "mm1",
        env={"PYTHONPATH": str(place), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert list(tmp_path.glob("*.sca"))


def test_the_simpy_wheel_is_the_locked_one() -> None:
    digest = hashlib.sha256(WHEEL.read_bytes()).hexdigest()
    locked = re.compile(r"^simpy==(\S+) .*\n(?:    --hash=.*\n?)+", re.MULTILINE)
    for lock in ROOT.glob("requirements/*py3.*.txt"):
        entry = locked.search(lock.read_text())
        assert entry, lock
        assert f"simpy-{entry[1]}-" in WHEEL.name
        assert f"sha256:{digest}" in entry[0]
