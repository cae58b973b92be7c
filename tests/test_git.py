"""Git addresses, read without git."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from oppflow.errors import ParameterError
from oppflow.git import GitAddress, commit_of

ADDRESSES = [
    ("git+https://h/o/r.git", "https://h/o/r.git", "HEAD", "r"),
    ("git+https://h/o/r.git@v1.0", "https://h/o/r.git", "v1.0", "r"),
    ("git+https://h/o/r@topic/x", "https://h/o/r", "topic/x", "r"),
    ("git+https://me:secret@h/o/r.git@main", "https://me:secret@h/o/r.git", "main", "r"),
    ("git+ssh://git@h/o/r.git", "ssh://git@h/o/r.git", "HEAD", "r"),
    ("git+ssh://git@h:22/o/r.git@main", "ssh://git@h:22/o/r.git", "main", "r"),
    ("git+git@h:o/r.git", "git@h:o/r.git", "HEAD", "r"),
    ("git+git@h:r.git@main", "git@h:r.git", "main", "r"),
    ("git+file:///a/b%20c", "file:///a/b%20c", "HEAD", "b c"),
]


@pytest.mark.parametrize(("text", "url", "ref", "name"), ADDRESSES)
def test_addresses(text: str, url: str, ref: str, name: str) -> None:
    """A user's name has its @ before the path, the ref its own behind it."""
    address = GitAddress.parse(text)
    assert (address.url, address.ref, address.name) == (url, ref, name)


@pytest.mark.parametrize(
    "text", ["git+", "git+/a/b", "git+ext::sh -c x", "git+https://h", "git+-x"]
)
def test_what_is_no_address(text: str) -> None:
    """The hint shows one."""
    with pytest.raises(ParameterError, match="is no git address") as caught:
        GitAddress.parse(text)
    assert "git+https://HOST/PATH.git@BRANCH" in caught.value.hint


def test_secrets_are_not_shown() -> None:
    """Neither in manifests nor in the command that clones; the user of ssh is no secret."""
    for url in ("https://me:secret@h/r", "https://secret@h/r", "ssh://me:secret@h/r"):
        address = GitAddress.parse(f"git+{url}@main")
        assert "secret" not in address.shown + address.command("c0ffee")
    ssh = GitAddress.parse("git+ssh://git@h/o/r")
    assert ssh.command("c0ffee") == (
        "git clone -q ssh://git@h/o/r r && git -C r checkout -q c0ffee"
    )


def test_only_file_addresses_are_of_this_machine() -> None:
    """Their path is what git would see, escapes resolved."""
    assert GitAddress.parse("git+file:///a/%2e%2e/b@main").path == "/a/../b"
    assert GitAddress.parse("git+https://h/a").path == ""
    assert GitAddress.parse("git+file:///x").at(Path("/a b")).url == "file:///a%20b"


def test_a_folder_without_git_has_no_commit(tmp_path: Path) -> None:
    """Which is no error."""
    assert commit_of(tmp_path) == ""


def test_looking_at_a_repository_starts_none_of_its_programs(tmp_path: Path) -> None:
    """Neither a file system monitor, nor a filter, nor a hook: the model may be anybody's."""
    tree, started = tmp_path / "tree", tmp_path / "started"
    tree.mkdir()

    def git(*words: str) -> None:
        name = ("-c", "user.name=n", "-c", "user.email=e@h")
        subprocess.run(["git", "-C", str(tree), *name, *words], check=True, capture_output=True)

    git("init", "--quiet")
    (tree / ".gitattributes").write_text("* filter=odd\n")
    (tree / "a.ned").write_text("simple A {}\n")
    git("add", ".")
    git("commit", "--quiet", "-m", "first")
    clean = commit_of(tree)
    program = f"touch {started}; cat"
    for key in ("core.fsmonitor", "filter.odd.clean", "filter.odd.process"):
        git("config", key, program)
    hook = tree / ".git" / "hooks" / "post-index-change"
    hook.write_text(f"#!/bin/sh\n{program}\n")
    hook.chmod(0o755)
    (tree / "a.ned").write_text("simple B {}\n")
    assert commit_of(tree) == f"{clean}+"
    assert not started.exists()
