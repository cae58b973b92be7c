"""Source trees in git: addresses as ``git+URL@REF``, clones of one commit, what is checked out."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import unquote

from oppflow.archive.git import HARMLESS, without_filters
from oppflow.errors import InfrastructureError, ParameterError

# A ref stands behind the last @ of the path: names of users have their @ before it.
_URL = re.compile(r"(?P<url>(?:https?|ssh|git|file)://[^/]*/.+?)(?:@(?P<ref>[^@:]+))?\Z")
_SCP = re.compile(r"(?P<url>[\w.-]+@[\w.-]+:.+?)(?:@(?P<ref>[^@:]+))?\Z")
_USERS_FAULT = re.compile(
    r"couldn't find remote ref|not our ref|not a valid|invalid refspec|does not appear to be a git "
    r"repository|repository .*not found|does not exist",
    re.IGNORECASE,
)
_NEVER_ASK = {"GIT_TERMINAL_PROMPT": "0", "GIT_SSH_COMMAND": "ssh -o BatchMode=yes"}


@dataclass(frozen=True)
class GitAddress:
    """A repository and the branch, tag or commit that is wanted of it."""

    url: str
    ref: str

    @classmethod
    def parse(cls, text: str) -> GitAddress:
        """Read ``git+URL[@REF]``.

        Raises:
            ParameterError: it is no such thing.
        """
        match = next(filter(None, (one.match(text[4:]) for one in (_URL, _SCP))), None)
        if match is None:
            raise ParameterError(
                f"{text!r} is no git address.",
                hint="Write git+https://HOST/PATH.git@BRANCH, with a tag or a commit in place of "
                "BRANCH if you like.",
            )
        return cls(match["url"], match["ref"] or "HEAD")

    @property
    def path(self) -> str:
        """Where the repository lies if it is on this machine, else nothing."""
        local = self.url.startswith("file://")
        return unquote(self.url.removeprefix("file://")) if local else ""

    def at(self, path: Path) -> GitAddress:
        """The same, but of the repository that lies there."""
        return replace(self, url=path.as_uri())

    @property
    def name(self) -> str:
        """What the clone's folder is called."""
        last = re.split("[/:]", self.url.rstrip("/"))[-1]
        return re.sub(r"\.git\Z", "", unquote(last)) or "repository"

    @property
    def shown(self) -> str:
        """The address without passwords, for messages and manifests."""
        return f"git+{self._public_url}@{self.ref}"

    @property
    def _public_url(self) -> str:
        without_token = re.sub(r"(https?://)[^/@]*@", r"\1", self.url)
        return re.sub(r"(ssh://[^/@:]*):[^/@]*@", r"\1@", without_token)

    def command(self, commit: str) -> str:
        """The shell command that clones the commit into a folder of the address's name."""
        folder = shlex.quote(self.name)
        clone = f"git clone -q {shlex.quote(self._public_url)} {folder}"
        return f"{clone} && git -C {folder} checkout -q {shlex.quote(commit)}"

    def clone(self, target: Path) -> str:
        """Check the ref out into the new folder ``target``, without history; its commit.

        Raises:
            ParameterError: there is no such repository or ref.
            InfrastructureError: git cannot reach the repository.
        """
        target.mkdir(parents=True)
        self._git(target, "init", "--quiet")
        self._git(target, "fetch", "--quiet", "--depth", "1", "--", self.url, self.ref)
        self._git(target, "checkout", "--quiet", "--detach", "FETCH_HEAD")
        return commit_of(target)

    def _git(self, folder: Path, *arguments: str) -> None:
        if shutil.which("git") is None:
            raise InfrastructureError("git is not installed here.", hint="Install git.")
        done = _run_git(folder, "-c", "protocol.ext.allow=never", *arguments)
        if done.returncode == 0:
            return
        lines = [line for line in done.stderr.splitlines() if line.startswith(("fatal", "error"))]
        said = (lines or done.stderr.splitlines() or ["no message"])[0].replace(
            self.url, self._public_url
        )
        error = ParameterError if _USERS_FAULT.search(done.stderr) else InfrastructureError
        raise error(
            f"git cannot fetch {self.ref} of {self._public_url}: {said}",
            hint="Check the address, the branch, tag or full commit, and that this machine may "
            "read it.",
        )


def _run_git(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    elsewhere = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE")
    inherited = {name: value for name, value in os.environ.items() if name not in elsewhere}
    inherited["GIT_OPTIONAL_LOCKS"] = "0"  # looking at a tree writes nothing into it
    return subprocess.run(
        ["git", "-C", str(folder), *arguments],
        env={**_NEVER_ASK, **inherited, "LC_ALL": "C"},  # its messages are read above
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )


def commit_of(path: Path) -> str:
    """The commit that is checked out, ``+`` behind it when files differ, or nothing."""
    if shutil.which("git") is None:
        return ""
    head = _run_git(path, *HARMLESS, "rev-parse", "HEAD")
    if head.returncode != 0:
        return ""
    commit = head.stdout.strip()
    options = [*HARMLESS, *without_filters(path)]
    changed = _run_git(path, *options, "status", "--porcelain", "--", ".").stdout.strip()
    return f"{commit}+" if changed else commit
