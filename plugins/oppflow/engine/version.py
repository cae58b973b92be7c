"""What the embedded engine is, and which versions its results depend on."""

from __future__ import annotations

import hashlib
import platform
from pathlib import Path

ENGINE_VERSION = "1.0"
"""Changes whenever the same model and configuration could give other results or other words."""

BANNER = f"oppflow embedded SimPy engine {ENGINE_VERSION} (not OMNeT++)"


def versions() -> dict[str, str]:
    """The versions that the results of a run depend on, for keys and manifests.

    SimPy's is empty where it is not installed: such an environment answers queries, but cannot
    simulate.
    """
    from importlib import metadata  # noqa: PLC0415 (it costs more than a whole query)

    try:
        simpy = metadata.version("simpy")
    except metadata.PackageNotFoundError:
        simpy = ""
    return {
        "engine": f"{ENGINE_VERSION} ({_code_digest()})",
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "simpy": simpy,
    }


def _code_digest() -> str:
    """Of the engine's own files: who works on it must not be handed results of before."""
    digest = hashlib.sha256()
    for path in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]
