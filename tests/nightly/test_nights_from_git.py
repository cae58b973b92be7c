"""Nights of a model in a git repository."""

from __future__ import annotations

from pathlib import Path

import pytest

from oppflow.deployment import Deployment
from oppflow.stages.nights import UnchangedError
from tests.support.nights import MODEL, Edit, run_night
from tests.support.trees import git


def test_a_model_from_git_runs_on_that_nights_commit(
    deployment: Deployment, model: Path, edit: Edit
) -> None:
    """No new commit, nothing to do; a new one is simulated, and named."""
    git(model, "init", "--quiet", "--initial-branch=main")
    git(model, "add", ".")
    git(model, "commit", "--quiet", "-m", "one")
    repository = model.with_name("repo.git")
    git(model.parent, "clone", "--quiet", "--bare", str(model), str(repository))
    asked = {**MODEL, "model": f"git+file://{repository}@main"}
    first = run_night(deployment, 1, **asked)
    with pytest.raises(UnchangedError, match=first.told["commit"][:12]):
        run_night(deployment, 2, **asked)
    edit("*.serviceRate = 1.0", "*.serviceRate = 0.9")
    git(model, "commit", "--quiet", "-am", "two")
    git(model, "push", "--quiet", str(repository), "main")
    third = run_night(deployment, 3, **asked)
    assert third.verdict == "changed"
    assert len(third.told["commit"]) == 40
    assert third.told["commit"] != first.told["commit"]


def test_a_repository_that_cannot_be_reached_at_night(deployment: Deployment, model: Path) -> None:
    """The failure is said, with git's words, and the last good night stays what it is."""
    run_night(deployment, 1, **MODEL)
    night = run_night(deployment, 2, **{**MODEL, "model": "git+https://127.0.0.1:9/no.git@main"})
    assert night.verdict == "failed"
    assert "git cannot fetch main of https://127.0.0.1:9/no.git" in night.told["reason"]
    assert "with the verdict: first" in night.told["reason"]
    with pytest.raises(UnchangedError):
        run_night(deployment, 3, **MODEL)
