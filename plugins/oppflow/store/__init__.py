"""Where archives and records live."""

from oppflow.store.interface import Record, RecordsOf, Store, StoredArchive
from oppflow.store.urls import open_store, redacted

__all__ = ["Record", "RecordsOf", "Store", "StoredArchive", "open_store", "redacted"]
