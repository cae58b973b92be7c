"""The container engine, as far as the runner needs it, with errors that say what to do.

Containers and volumes go by name or ID. Everything travels through the engine's API, so that the
engine may be on another machine, and Airflow itself in a container.
"""

from __future__ import annotations

import base64
import contextlib
import json
import tarfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, BinaryIO, cast

import requests
import urllib3
from docker import APIClient
from docker.errors import APIError, DockerException, NotFound

from oppflow.archive.streams import CHUNK, as_stream
from oppflow.errors import InfrastructureError
from oppflow.runners.docker.answers import answer, frames
from oppflow.runners.docker.tars import open_tar, small_files, the_file

_NOT_FOUND = 404
_CONFLICT = 409
BROKEN = (
    requests.exceptions.RequestException,
    urllib3.exceptions.HTTPError,
    DockerException,
    OSError,
)
"""What docker-py raises where a connection cannot be made or breaks."""

Json = dict[str, Any]


class NameTaken(Exception):  # noqa: N818 -- not an error: a container's name is a lock
    """There is a container of that name already."""


class RefusedError(InfrastructureError):
    """The engine answered, and said no; ``status`` is that of HTTP."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


class Engine:
    """A connection to the engine; use it as a context, in one thread."""

    def __init__(self, client: APIClient, url: str) -> None:
        self._client = client
        self.url = url

    def __enter__(self) -> Engine:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def cores(self) -> int:
        """The processors of the engine's machine."""
        with self._explained("tell about itself"):
            return int(self._client.info()["NCPU"])

    def architecture(self) -> str:
        """The engine's processor, in the images' words, such as ``amd64``."""
        with self._explained("tell about itself"):
            return str(self._client.version()["Arch"])

    def inspect_image(self, name: str) -> Json | None:
        """What the engine knows of an image, by name or ID; None if it is not there."""
        with self._explained(f"tell about the image {name}"):
            try:
                return cast("Json", self._client.inspect_image(name))
            except NotFound:
                return None

    def pull(self, name: str) -> Iterator[Json]:
        """Pull an image, and tell how it goes.

        Raises:
            RefusedError: the registry does not have it, or does not give it.
        """
        repository, tag = _split_tag(name)
        with self._explained(f"pull the image {name}"):
            for step in self._client.pull(repository, tag=tag, stream=True, decode=True):
                if "error" in step:
                    raise RefusedError(f"The image {name} cannot be pulled: {step['error']}", 0)
                yield step

    def create(self, name: str, config: Json) -> str:
        """Create a container; its ID.

        Raises:
            NameTaken: there is one of that name.
        """
        with self._explained(f"create the container {name}"):
            try:
                return str(self._client.create_container_from_config(config, name)["Id"])
            except APIError as error:
                if error.status_code == _CONFLICT:
                    raise NameTaken(name) from error
                raise

    def host_config(self, **options: Any) -> Json:
        """The part of a container's configuration that is the host's business."""
        return cast("Json", self._client.create_host_config(**options))

    def inspect(self, container: str) -> Json | None:
        """What the engine knows of a container; None if it is not there."""
        with self._explained(f"tell about the container {container}"):
            try:
                return cast("Json", self._client.inspect_container(container))
            except NotFound:
                return None

    def containers(self, labels: Mapping[str, str]) -> list[Json]:
        """The containers with these labels, ended ones too."""
        with self._explained("list containers"):
            return list(self._client.containers(all=True, filters={"label": _as_texts(labels)}))

    @contextlib.contextmanager
    def started(self, container: str) -> Iterator[Callable[[bytes], None]]:
        """Start a container; what sends to its standard input, which ends with the context."""
        with self._explained(f"start the container {container}"):
            stream = self._client.attach_socket(container, params={"stdin": 1, "stream": 1})
        response = getattr(stream, "_response", None)
        # Over a plain connection docker-py hands out a reader, whose socket can also send.
        connection = getattr(stream, "_sock", stream)

        def send(data: bytes) -> None:
            with self._explained(f"listen to us as the container {container}"):
                connection.sendall(data)

        try:
            with self._explained(f"start the container {container}"):
                self._client.start(container)
            yield send
        finally:
            if response is not None:
                response.close()
            connection.close()

    def output(self, container: str) -> Iterator[bytes]:
        """What a container writes to its standard output, line by line, from its very start.

        Ends with the container, or with the connection: `inspect` tells.
        """
        rest = b""
        with (
            self._explained(f"tell what the container {container} says"),
            answer(self._client, container, "logs", timeout=None, stdout=1, follow=1) as response,
        ):
            for chunk in frames(response):
                *lines, rest = (rest + chunk).split(b"\n")
                yield from lines
        if rest:
            yield rest

    def errors(self, container: str) -> str:
        """The last lines that a container wrote to its standard error."""
        with self._explained(f"tell what the container {container} says"):
            data = self._client.logs(container, stdout=False, stderr=True, tail=20)
            return bytes(data).decode("utf-8", "replace").strip()

    def signal(self, container: str, name: str) -> None:
        """Send a signal to a container; one that has ended does not mind."""
        with self._explained(f"signal the container {container}"):
            try:
                self._client.kill(container, signal=name)
            except APIError as error:
                if error.status_code not in (_NOT_FOUND, _CONFLICT):
                    raise

    def stop(self, container: str, seconds: int) -> None:
        """Ask a container to end, and end it after so many seconds."""
        with self._explained(f"stop the container {container}"), contextlib.suppress(NotFound):
            self._client.stop(container, timeout=seconds)

    def remove(self, container: str) -> None:
        """End and remove a container with its own volumes; one that is gone is fine."""
        with self._explained(f"remove the container {container}"):
            try:
                self._client.remove_container(container, v=True, force=True)
            except APIError as error:
                # 409: somebody else removes it right now
                if error.status_code not in (_NOT_FOUND, _CONFLICT):
                    raise

    def put(self, container: str, folder: str, tar: Iterable[bytes]) -> None:
        """Unpack a plain tar in a folder of a container; what the chunks raise is raised."""
        with self._explained(f"take files into the container {container}"):
            self._client.put_archive(container, folder, iter(tar))

    def size(self, container: str, path: str) -> int | None:
        """Bytes of a file in a container; None if it is not there."""
        with self._explained(f"look into the container {container}"):
            try:
                with answer(
                    self._client, container, "archive", method="HEAD", path=path
                ) as response:
                    told = base64.b64decode(response.headers["X-Docker-Container-Path-Stat"])
            except NotFound:
                return None
        return int(json.loads(told)["size"])

    @contextlib.contextmanager
    def open(self, container: str, path: str) -> Iterator[BinaryIO]:
        """A file of a container, running or not.

        Raises:
            InfrastructureError: it is not there.
        """
        with self._tar(container, path) as tar:
            yield the_file(tar, path)

    def files(self, container: str, folder: str, small: int, room: int) -> dict[str, bytes]:
        """The small files in a folder of a container that are not empty, by their names.

        Only those of up to ``small`` bytes, and as many as are among the first ``room`` bytes.
        """
        with self._tar(container, folder) as tar:
            return small_files(tar, folder, small, room)

    @contextlib.contextmanager
    def _tar(self, container: str, path: str) -> Iterator[tarfile.TarFile]:
        """What is at a path of a container, as a tar to be read from its start to its end."""
        what = f"hand out {path} of the container {container}"
        with contextlib.ExitStack() as stack:
            with self._explained(what):
                response = stack.enter_context(
                    answer(self._client, container, "archive", path=path)
                )
            stream = as_stream(self._content(response, what))
            yield stack.enter_context(open_tar(stream, path))

    def volumes(self, labels: Mapping[str, str]) -> list[Json]:
        """The volumes with these labels."""
        with self._explained("list volumes"):
            found = self._client.volumes(filters={"label": _as_texts(labels)})
        return list(found["Volumes"] or [])

    def remove_volume(self, name: str) -> bool:
        """Remove a volume; false if a container uses it, running or not."""
        with self._explained(f"remove the volume {name}"):
            try:
                self._client.remove_volume(name)
            except APIError as error:
                if error.status_code != _CONFLICT:
                    raise
                return False
        return True

    def _content(self, response: requests.Response, what: str) -> Iterator[bytes]:
        with self._explained(what):
            yield from response.iter_content(CHUNK)

    @contextlib.contextmanager
    def _explained(self, what: str) -> Iterator[None]:
        try:
            yield
        except APIError as error:
            said = error.explanation or error
            raise RefusedError(
                f"The container engine at {self.url} refuses to {what}: {said}",
                error.status_code or 0,
            ) from error
        except BROKEN as error:
            raise InfrastructureError(
                f"The connection to the container engine at {self.url} broke: {error}",
                hint="See whether the engine runs; a retry takes up where this attempt stopped.",
            ) from error


def _as_texts(labels: Mapping[str, str]) -> list[str]:
    return [f"{name}={value}" for name, value in labels.items()]


def _split_tag(name: str) -> tuple[str, str | None]:
    """Repository and tag; without a tag it is ``latest``, as Docker's own programs have it."""
    if "@" in name:
        return name, None
    repository, colon, tag = name.rpartition(":")
    return (repository, tag) if colon and "/" not in tag else (name, "latest")
