"""What a results root does, wherever it is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Hashable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass

from oppflow.results_folder import ResultsFolder


@dataclass(frozen=True)
class ResultsFile:
    """A file of a campaign: its name below the campaign's folder, bytes, seconds since 1970."""

    name: str
    size: int
    modified: float


class CampaignResults(ABC):
    """The results of one campaign: a folder on this host, and where they are kept.

    Where that is one and the same, `fetch` and `publish` have nothing to do. Where it is not, what
    is kept counts, and the folder holds copies: `fetch` brings named ones here, and `publish` keeps
    what was written here. All methods raise `StoreError` where results are kept in an object store
    that cannot be reached or refuses.
    """

    def __init__(self, folder: ResultsFolder) -> None:
        self.folder = folder

    @property
    def name(self) -> str:
        """What the campaign's results are called below the root."""
        return self.folder.path.name

    @abstractmethod
    def where(self, name: str = "") -> str:
        """A path or URL to tell people: of the folder, or of a file in it."""

    @abstractmethod
    def check_free(self, owner: str) -> None:
        """Refuse a name that another campaign has.

        Raises:
            ParameterError: the folder is somebody else's.
        """

    @abstractmethod
    def claim(self, owner: str) -> None:
        """Make the folder the owner's, at most once, and there on this host.

        Raises:
            ParameterError: another campaign was faster.
            InfrastructureError: the folder cannot be made.
        """

    @abstractmethod
    def fetch(self, *names: str) -> None:
        """Have files on this host as they are kept; what is not kept is not here afterwards."""

    @abstractmethod
    def publish(self) -> None:
        """Keep what was written on this host; the manifest last, and nothing twice."""

    @abstractmethod
    def remove(self, name: str) -> None:
        """Remove a file; one that is not there is fine."""

    @abstractmethod
    def is_there(self) -> bool:
        """Whether anything of the campaign is kept."""

    @abstractmethod
    def has(self, name: str) -> bool:
        """Whether a file is kept."""

    @abstractmethod
    def files(self) -> Iterator[ResultsFile]:
        """All that is kept, sorted by name, without what is oppflow's own; no links."""

    @abstractmethod
    def find(self, name: str) -> ResultsFile | None:
        """One of `files`, None where it is not one of them, whatever ``name`` is made of."""

    @abstractmethod
    def chunks(self, name: str) -> AbstractContextManager[Iterator[bytes]]:
        """The bytes of one of `files`.

        Raises:
            FileNotFoundError: it is gone.
        """

    @abstractmethod
    def stamp(self, *names: str) -> Hashable:
        """What differs when one of the files was replaced."""


class ResultsRoot(ABC):
    """The results of all campaigns."""

    @abstractmethod
    def campaign(self, name: str) -> CampaignResults:
        """The results of that name, there or not."""

    @abstractmethod
    def documents(self, name: str) -> Iterator[tuple[str, bytes]]:
        """Campaign and content of the small files of that name in all campaigns."""

    def for_readers(self) -> ResultsRoot:
        """The same for who only looks: what is fetched for them is in nobody's way."""
        return self
