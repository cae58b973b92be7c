"""OMNeT++ releases: their addresses, and what is refused of an archive."""

from __future__ import annotations

import hashlib
import io
import shutil
import subprocess
import tarfile
from pathlib import Path

import pytest

from tests.images.dockerfiles import ROOT

PAGE = "https://github.com/omnetpp/omnetpp/releases/download"
needs_curl = pytest.mark.skipif(not shutil.which("curl"), reason="needs curl")


class Beside:
    """The script in a folder of its own, where archives may lie beside it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.unpacked = folder / "unpacked"
        shutil.copy(ROOT / "images/omnetpp/get-release", folder)

    def archive(self, name: str, version: str = "omnetpp-6.1") -> Path:
        path = self.folder / name
        with tarfile.open(path, "w:gz") as tar:
            entry = tarfile.TarInfo(f"{version}/Version")
            entry.size = len(version) + 1
            tar.addfile(entry, io.BytesIO(f"{version}\n".encode()))
        return path

    def run(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(self.folder / "get-release"), *arguments],
            env={"PATH": "/usr/bin:/bin", **environment},
            capture_output=True,
            text=True,
            check=False,
        )

    def unpack(self, version: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return self.run("unpack", version, str(self.unpacked), **environment)


@pytest.fixture
def beside(tmp_path: Path) -> Beside:
    return Beside(tmp_path)


@pytest.mark.parametrize(
    ("version", "place"),
    [
        ("6.1", "omnetpp-6.1.0/omnetpp-6.1.0-core.tgz"),
        ("6.1.0", "omnetpp-6.1.0/omnetpp-6.1.0-core.tgz"),
        ("6.2", "omnetpp-6.2.0/omnetpp-6.2.0-core.tgz"),
        ("6.0", "omnetpp-6.0/omnetpp-6.0-core.tgz"),
        ("6.0.3", "omnetpp-6.0.3/omnetpp-6.0.3-core.tgz"),
        ("5.7", "omnetpp-5.7/omnetpp-5.7-src-core.tgz"),
        ("5.7.1", "omnetpp-5.7.1/omnetpp-5.7.1-src-core.tgz"),
    ],
)
def test_addresses_are_the_release_pages_own(beside: Beside, version: str, place: str) -> None:
    assert beside.run("url", version).stdout == f"{PAGE}/{place}\n"


@pytest.mark.parametrize("version", ["", "6", "six", "6.", "6.1; rm", "../6.1"])
def test_what_is_no_version_is_refused(beside: Beside, version: str) -> None:
    done = beside.run("url", version)
    assert done.returncode == 1
    assert "is no version of OMNeT++" in done.stderr


@pytest.mark.parametrize("name", ["omnetpp-6.1.0-core.tgz", "omnetpp-6.1-linux-x86_64.tgz"])
def test_an_archive_beside_the_script_wins_over_the_download(beside: Beside, name: str) -> None:
    beside.archive(name)
    done = beside.unpack("6.1", OMNETPP_URL="http://nowhere.invalid/x.tgz")
    assert done.returncode == 0, done.stderr
    assert (beside.unpacked / "Version").read_text() == "omnetpp-6.1\n"


@needs_curl
def test_archives_of_other_versions_are_passed_over(beside: Beside, tmp_path: Path) -> None:
    beside.archive("omnetpp-6.0.3-core.tgz", "omnetpp-6.0.3")
    elsewhere = beside.archive("elsewhere.tgz")
    assert beside.unpack("6.1", OMNETPP_URL=elsewhere.as_uri()).returncode == 0
    assert (beside.unpacked / "Version").read_text() == "omnetpp-6.1\n"


@needs_curl
def test_a_failing_download_says_what_to_do(beside: Beside) -> None:
    done = beside.unpack("6.1", OMNETPP_URL="file:///nowhere.tgz")
    assert done.returncode == 1
    assert "lay the archive beside the Dockerfile" in done.stderr


def test_the_digest_must_be_the_given_one(beside: Beside) -> None:
    archive = beside.archive("omnetpp-6.1.0-core.tgz")
    assert beside.unpack("6.1", OMNETPP_SHA256="0" * 64).returncode == 1
    assert not beside.unpacked.exists()
    digest = hashlib.sha256(archive.read_bytes()).hexdigest()
    assert beside.unpack("6.1", OMNETPP_SHA256=digest).returncode == 0


def test_an_archive_of_another_version_is_refused(beside: Beside) -> None:
    beside.archive("omnetpp-6.1.0-core.tgz", "omnetpp-6.0.3")
    done = beside.unpack("6.1")
    assert done.returncode == 1
    assert "holds omnetpp-6.0.3, not 6.1" in done.stderr


def test_what_is_no_archive_is_refused(beside: Beside) -> None:
    (beside.folder / "omnetpp-6.1.0-core.tgz").write_text("<html>Not found</html>")
    done = beside.unpack("6.1")
    assert done.returncode == 1
    assert "not a release's archive" in done.stderr


def test_of_two_archives_none_is_chosen(beside: Beside) -> None:
    beside.archive("omnetpp-6.1.0-core.tgz")
    beside.archive("omnetpp-6.1-linux-x86_64.tgz")
    done = beside.unpack("6.1")
    assert done.returncode == 1
    assert "leave one" in done.stderr
