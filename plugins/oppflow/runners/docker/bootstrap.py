"""Runs first in a container, as ``python3 -c``: is this image fit to be the worker that is wanted?

Arguments: the engine that is to simulate, the digest of the worker that the task goes with, and the
folder where that worker lies. The image's own worker is taken if it is the same, as it is compiled
already. Understood by Python 3.6, so that an old one gets a message and not a traceback.
"""

import hashlib
import importlib.util
import os
import runpy
import shutil
import sys
from pathlib import Path

UNFIT = 3
"""The exit status that says that the image cannot do the job; standard error says why."""


def digest_of(files: "dict[str, bytes]") -> str:
    """The digest of a package, from its files by their paths."""
    digest = hashlib.sha256()
    for name in sorted(files):
        digest.update(f"{name} {len(files[name])}\n".encode())
        digest.update(files[name])
    return digest.hexdigest()


def sources(folder: Path) -> "list[Path]":
    """The files of a package that do its work."""
    return [path for kind in ("*.py", "*.c") for path in folder.rglob(kind)]


def main() -> None:
    """Become the worker, or end with `UNFIT`."""
    engine, digest, folder = sys.argv[1:]
    if sys.version_info < (3, 10):  # noqa: UP036 -- the image's, not the task's
        found = ".".join(map(str, sys.version_info[:2]))
        _refuse(f"its Python is {found}, and a worker needs 3.10 or later")
    sys.path[:] = [path for path in sys.path if path]
    if _own_digest() != digest:
        sys.path.insert(0, folder)
        others = os.environ.get("PYTHONPATH")
        os.environ["PYTHONPATH"] = os.pathsep.join([folder, others] if others else [folder])
    if engine == "embedded" and importlib.util.find_spec("simpy") is None:
        _refuse("the model is for the embedded engine, and the image has no SimPy")
    if engine == "omnetpp" and not _has_omnetpp():
        _refuse("the model is for OMNeT++, and the image has no opp_run on its PATH")
    sys.argv[1:] = []
    runpy.run_module("oppflow.worker", run_name="__main__", alter_sys=True)


def _has_omnetpp() -> bool:
    path = os.environ.get("PATH", os.defpath)
    root = os.environ.get("OMNETPP_ROOT")
    if root:
        path = f"{root}/bin{os.pathsep}{path}"
    return shutil.which("opp_run", path=path) is not None


def _own_digest() -> str:
    spec = importlib.util.find_spec("oppflow")
    if spec is None or not spec.origin:
        return ""
    package = Path(spec.origin).parent
    return digest_of(
        {path.relative_to(package).as_posix(): path.read_bytes() for path in sources(package)}
    )


def _refuse(reason: str) -> None:
    sys.stderr.write(reason + "\n")
    sys.exit(UNFIT)


if __name__ == "__main__":
    main()
