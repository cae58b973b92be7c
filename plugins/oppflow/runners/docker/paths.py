"""Where things are in a worker's container: the same in every one, since builds remember paths."""

from __future__ import annotations

SHARED = "/oppflow/shared"
"""The volume of the trees; read-only for workers."""

TREES = f"{SHARED}/trees"
COMPLETE = f"{SHARED}/complete"
"""Written last: without it, the volume is empty or somebody is at work on it."""

OWN = "/oppflow/own"
"""The container's own volume, on disk: a tmpfs would count as memory."""

SCRATCH = f"{OWN}/scratch"
OUTPUT = f"{OWN}/output"
PACKAGE = f"{OWN}/worker"

CACHE_VOLUME = "/oppflow/ccache"
"""Compiled C++ of earlier builds, in a volume that builds with the same image share."""

CACHE = f"{CACHE_VOLUME}/files"
"""A fresh volume belongs to root, and its top cannot be given away."""

USER = 1000
"""Nobody in particular, in every image."""
