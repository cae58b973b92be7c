"""Which projects an OMNeT++ model says it needs, held against those that a campaign names."""

from __future__ import annotations

from collections.abc import Sequence

from oppflow.errors import ParameterError
from oppflow.omnetpp.layout import project_names, referenced_projects
from oppflow.sources import SourceTree


def check_projects(trees: Sequence[SourceTree]) -> None:
    """Refuse a campaign that lacks a project which the ``.project`` of a tree references.

    A tree may be called something else here than in the IDE where the reference was written: a
    project that no reference names stands for one that is not found.

    Raises:
        ParameterError: names what is missing.
    """
    named = [set(project_names(tree.path)) | {tree.name} for tree in trees]
    wanted = {name: tree for tree in trees for name in referenced_projects(tree.path)}
    missing = [name for name in wanted if not any(name in names for names in named)]
    others = [names for names in named[:-1] if not names & wanted.keys()]
    if len(missing) <= len(others):
        return
    raise ParameterError(
        f"{wanted[missing[0]].name} needs the project {missing[0]} (its .project says so), and "
        "the campaign does not name it.",
        hint=f"Add the folder, archive or git address of {missing[0]} to projects; if it is not "
        "needed, remove the reference from the .project file.",
    )
