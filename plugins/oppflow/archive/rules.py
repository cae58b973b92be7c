"""What of a model's folder is source, and what a build, a simulation or a tool left there.

What git tracks is source, whatever its name. Of the rest, these stay behind:

- version control's own folders, and what Python, ccache and Qtenv keep;
- ``out``, ``frames`` and ``results`` at the top of the tree and beside any ini file;
- result files: ``*.sca *.vec *.vci *.elog``;
- objects: ``*.o *.obj *.gch *.pch``, and ``*.d`` beside the source or object of that name;
- what the message compiler makes: ``X_m.cc`` and ``X_m.h`` beside ``X.msg`` (``_sm`` and ``.sm``
  alike). A stale one would pass for up to date in a tree whose files are all of one age;
- in a git work tree, libraries and programs by their suffix (``*.so *.a *.dll *.exe`` ...);
  elsewhere these may be shipped with the sources, so there they stay behind only if they, like
  programs without suffix, have a namesake in an ``out`` folder that stays behind: OMNeT++'s
  makefiles link or copy what they build from ``out`` into the source folders.
"""

from __future__ import annotations

import re
from collections.abc import Collection

VCS = frozenset({".git", ".hg", ".svn"})
CACHES = frozenset({"__pycache__", ".ccache"})
OUTPUTS = frozenset({"out", "frames", "results"})
BUILD_OUTPUT = "out"

_LEFT_BEHIND = re.compile(
    r"\.(o|obj|gch|pch|pyc|pyo|sca|vec|vci|elog)$|^\.(qtenvrc|tkenvrc)$", re.IGNORECASE
)
_BINARY = re.compile(r"\.(so(\.\d+)*|a|dll|dylib|lib|exe)$", re.IGNORECASE)
_GENERATED = re.compile(r"^(?P<stem>.+)_(?P<kind>m|sm)\.(cc|h)$")
_DEPENDENCIES = re.compile(r"^(?P<stem>.+)\.d$")
_COMPILED = (".o", ".obj", ".cc", ".cpp", ".cxx", ".c", "")


def is_left_over(name: str, siblings: Collection[str], *, in_work_tree: bool) -> bool:
    """Whether the untracked file ``name`` among ``siblings`` is no source, by its name alone."""
    if _LEFT_BEHIND.search(name) or (in_work_tree and _BINARY.search(name)):
        return True
    if match := _GENERATED.match(name):
        suffix = {"m": ".msg", "sm": ".sm"}[match["kind"]]
        return match["stem"] + suffix in siblings
    if match := _DEPENDENCIES.match(name):
        return any(match["stem"] + suffix in siblings for suffix in _COMPILED)
    return False


def may_be_built(name: str, *, executable: bool) -> bool:
    """Whether a file ``name`` with a namesake in ``out`` is one that a linker made."""
    return bool(_BINARY.search(name)) or (executable and "." not in name)
