"""Where archives and records live."""

from oppflow.store.interface import Store, StoredArchive
from oppflow.store.urls import open_store, redacted

__all__ = ["Store", "StoredArchive", "open_store", "redacted"]
