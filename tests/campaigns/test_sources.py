"""Models as archives and from git, and models that need projects."""

from __future__ import annotations

import io
import subprocess
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from oppflow.archive import compress_stream
from oppflow.deployment import Deployment
from oppflow.errors import ArchiveError, ParameterError
from tests.support.campaigns import Finished, make_deployment, pack, run_campaign
from tests.support.tiny import write_tiny
from tests.support.trees import Tar, git

Tiny = Callable[..., Path]


@pytest.fixture
def models(tmp_path: Path) -> Path:
    folder = tmp_path / "models"
    folder.mkdir(exist_ok=True)
    return folder


def packed_as(suffix: str, tree: Path, target: Path) -> None:
    """Pack the tree under its own name, or what is in it if that is ``.``."""
    if suffix == ".zip":
        with zipfile.ZipFile(target, "w") as archive:
            for path in tree.iterdir():
                archive.write(path, path.name)
        return
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w:gz" if suffix == ".tar.gz" else "w") as tar:
        tar.add(tree, tree.name)
    plain.seek(0)
    target.write_bytes((compress_stream(plain) if suffix == ".tar.zst" else plain).read())


def simulate(deployment: Deployment, model: str, **more: object) -> Finished:
    finished = run_campaign(deployment, model=model, config="General", **more)
    assert not finished.errors
    return finished


@pytest.mark.parametrize("suffix", [".zip", ".tar.gz", ".tar.zst"])
def test_an_archive_is_a_model(
    deployment: Deployment, models: Path, tmp_path: Path, suffix: str
) -> None:
    """A folder with everything in it, as most archives hold, or the files themselves."""
    tree = write_tiny(tmp_path / "elsewhere" / "tiny")
    packed_as(suffix, tree, models / f"uploaded{suffix}")
    write_tiny(models / "folder")
    packed = pack(deployment, model=f"uploaded{suffix}", config="General").model
    assert packed.place == ("uploaded" if suffix == ".zip" else "tiny")
    assert packed.origin == str(models / f"uploaded{suffix}")
    # How a tree came makes no difference to what it is.
    assert packed.archive == pack(deployment, model="folder").model.archive


@pytest.mark.parametrize(
    ("archive", "why"),
    [
        (Tar().add("../x", b"1"), "is not inside its tree"),
        (Tar().add("/etc/x", b"1"), "not inside its tree"),
        (Tar().link("x", "../../etc/passwd"), "leaves the tree"),
        (Tar().add("bomb", bytes(3 * 2**20)), "more than"),
    ],
    ids=["dots", "absolute", "link", "bomb"],
)
def test_unsafe_archives_are_refused(tmp_path: Path, models: Path, archive: Tar, why: str) -> None:
    """Before anything of them is used, and nothing is left behind."""
    deployment = make_deployment(tmp_path, max_unpacked_bytes=2**20)
    (models / "bad.tar.zst").write_bytes(archive.packed())
    with pytest.raises(ArchiveError, match=why):
        pack(deployment, model="bad.tar.zst", config="General")
    assert not (tmp_path / "etc").exists()
    assert not (tmp_path / "results").exists()


def test_a_damaged_archive(deployment: Deployment, models: Path) -> None:
    """A download that broke off is no infrastructure fault: it would break off again."""
    packed_as(".tar.gz", write_tiny(models.parent / "tiny"), models / "half.tar.gz")
    whole = (models / "half.tar.gz").read_bytes()
    (models / "half.tar.gz").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ArchiveError) as caught:
        pack(deployment, model="half.tar.gz")
    assert caught.value.hint == "Make or copy the archive again."


@pytest.fixture
def repository(models: Path) -> Path:
    """Three commits: the tag v1, the branch other/one, and main, which sets value to 3."""
    folder = models / "repo.git"
    write_tiny(folder / "sims", "*.value = 1")
    git(folder, "init", "--quiet")
    for value, name in ((1, "tag v1"), (2, "branch other/one"), (3, "")):
        write_tiny(folder / "sims", f"*.value = {value}")
        git(folder, "add", ".")
        git(folder, "commit", "--quiet", "-m", f"value {value}")
        if name:
            git(folder, *name.split())
    return folder


def test_a_model_from_git(deployment: Deployment, repository: Path) -> None:
    """By branch, tag or commit, with the folder of the ini file behind #."""
    first = subprocess.run(
        ["git", "rev-parse", "v1"], cwd=repository, capture_output=True, text=True, check=True
    ).stdout.strip()
    refs = {"": None, "@v1": first, "@other/one": None, f"@{first}": first}
    packed = {
        ref: pack(deployment, model=f"git+file://{repository}{ref}#sims", config="General")
        for ref in refs
    }
    assert len({one.model.archive for one in packed.values()}) == 3
    assert {ref: packed[ref].model.commit for ref in ("@v1", f"@{first}")} == {
        "@v1": first,
        f"@{first}": first,
    }
    assert packed["@other/one"].results.startswith("repo-General-")


def test_a_model_from_git_is_simulated(deployment: Deployment, repository: Path) -> None:
    """The manifest tells address and commit."""
    finished = simulate(deployment, f"git+file://{repository}@v1#sims")
    tree = finished.manifest.data["trees"][0]
    assert tree["origin"] == f"git+file://{repository}@v1"
    assert len(tree["commit"]) == 40
    assert finished.outcomes == {"done": 1}


@pytest.mark.parametrize(
    ("address", "why"),
    [
        ("{repo}@nosuch", "couldn't find remote ref nosuch"),
        ("{repo}@" + "0" * 40, "not our ref"),
        ("{models}/tiny", "does not appear to be a git repository"),
        ("{models}/nothere.git", "There is no model at"),
        ("{models}/../outside.git", "lies outside"),
        ("{models}/%2e%2e/outside.git", "lies outside"),
    ],
)
def test_what_git_cannot_fetch(
    deployment: Deployment, repository: Path, tmp_path: Path, address: str, why: str
) -> None:
    """A mistake in the address is the user's, and is not tried again."""
    write_tiny(repository.parent / "tiny")
    repository.rename(tmp_path / "outside.git")
    git(tmp_path, "clone", "--quiet", "--bare", "outside.git", str(repository))
    where = address.format(repo=repository, models=repository.parent)
    with pytest.raises(ParameterError, match=why) as caught:
        pack(deployment, model=f"git+file://{where}")
    assert not caught.value.transient
    assert caught.value.hint


def test_git_itself_cannot_be_misled(deployment: Deployment) -> None:
    """Other transports execute commands."""
    for address in ("git+ext::sh -c date", "git+/etc", "git+--upload-pack=x", "git+"):
        with pytest.raises(ParameterError, match="is no git address"):
            pack(deployment, model=address)


def library(folder: Path) -> Path:
    """A project whose module is what the models' networks come from."""
    write_tiny(folder)
    (folder / "omnetpp.ini").unlink()
    return folder


def test_a_model_within_a_project_is_not_packed_twice(deployment: Deployment, models: Path) -> None:
    """The project's tree is the model's, and the ini file's folder is a place in it."""
    library(models / "lib")
    write_tiny(models / "lib" / "examples" / "one", sources=models / "lib")
    finished = simulate(deployment, "lib/examples/one", projects=["lib"])
    (tree,) = finished.packed.trees
    assert (tree.place, finished.packed.ini_dir) == ("lib", "examples/one")


def test_projects_keep_their_places_beside_the_model(deployment: Deployment, models: Path) -> None:
    """The model finds the project's module through -n, which leads there by ``..``."""
    library(models / "libs" / "shared lib")
    write_tiny(models / "own" / "tiny", sources=models / "libs" / "shared lib")
    finished = simulate(deployment, "own/tiny", projects=["libs/shared lib"])
    assert [tree.place for tree in finished.packed.trees] == ["libs/shared lib", "own/tiny"]
    assert "-n '.;../../libs/shared lib'" in finished.run(0)["reproduce"]


def test_a_project_named_twice(deployment: Deployment, models: Path) -> None:
    """Also when it is named in two ways."""
    library(models / "lib")
    write_tiny(models / "tiny")
    with pytest.raises(ParameterError, match="would lie at the same place") as caught:
        pack(deployment, model="tiny", projects=["lib", str(models / "lib")])
    assert "Name every tree once" in caught.value.hint
