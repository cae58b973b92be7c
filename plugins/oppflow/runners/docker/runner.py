"""The ``docker`` runner: a worker is a container, on whatever machine its engine is.

What an attempt leaves running the next one takes over: the engine keeps all that the worker said,
and what it made. See `oppflow.runners.interface.Runner`.
"""

from __future__ import annotations

import dataclasses
import logging
import re
import threading
import time
from collections.abc import Mapping

from oppflow.archive import Limits
from oppflow.engine.version import versions
from oppflow.errors import InfrastructureError
from oppflow.runners.docker import images, paths
from oppflow.runners.docker.connection import connect
from oppflow.runners.docker.container import WorkerContainer, may_be_adopted
from oppflow.runners.docker.engine import Engine, NameTaken
from oppflow.runners.docker.images import Image
from oppflow.runners.docker.labels import TaskInstance, does_the_work, work_labels
from oppflow.runners.docker.package import furnishing, own_folder
from oppflow.runners.docker.spec import STOP_SECONDS, compiles, model_engine, worker_config
from oppflow.runners.docker.volumes import TreeVolume, compiler_cache
from oppflow.runners.interface import OnEvent, OpenArchive, Work
from oppflow.settings import Settings
from oppflow.worker.jobs import Job, ResolveJob, SimulateJob, encode_job
from oppflow.worker.supervisor import DRAIN_SIGNAL

log = logging.getLogger(__name__)

_PATIENCE = 60.0  # seconds until an earlier attempt's container is out of the way
_INTERVAL = 0.1


class DockerRunner:
    """Starts workers in containers; see `oppflow.runners.interface.Runner`."""

    def __init__(self, settings: Settings, open_archive: OpenArchive, limits: Limits) -> None:
        self._settings = settings
        self._open_archive = open_archive
        self._limits = limits
        self._container = ""
        self._stopped = False

    def _connect(self) -> Engine:
        return connect(self._settings.docker_conn_id)

    def environment(self, engine: str, image: str = "") -> Mapping[str, str]:
        """See `Runner.environment`: the image's ID.

        The worker's own version plays a part for the embedded engine, which is in it.
        """
        with self._connect() as docker:
            name = images.choose(docker, self._settings.images, image, engine)
            found = images.resolve(docker, name)
        log.info("The worker image is %s, %s", found.name, found.id)
        version = versions()["engine"] if engine == "embedded" else ""
        return {"kind": "image", "id": found.id, "engine": f"{engine} {version}".strip()}

    def run(self, work: Work, on_event: OnEvent) -> int:
        """See `Runner.run`."""
        with self._connect() as engine:
            container = self._obtain(engine, work)
            self._container = container.id
            if self._stopped:
                self.stop()
            try:
                _listen(container, work.job, on_event)
            except BaseException as error:
                # What may pass leaves the worker at work, for the next attempt to go on with it.
                if not getattr(error, "transient", False):
                    engine.remove(container.id)
                raise
            try:
                return container.exit_status()
            finally:
                engine.remove(container.id)

    def _obtain(self, engine: Engine, work: Work) -> WorkerContainer:
        """The container that does the work: an earlier attempt's, or a new one."""
        image = self._image(engine, work)
        labels = work_labels(self._settings.deployment, work, TaskInstance.current())
        volume = self._volume(work)
        name = _name(self._settings.deployment, work.name)
        mounts = [volume.mount()]
        if compiles(work.job):
            mounts.append(compiler_cache(self._settings.deployment, image.id))
        config = worker_config(engine, image.id, work.job, labels=labels, mounts=mounts)
        deadline = time.monotonic() + _PATIENCE
        while time.monotonic() < deadline:
            try:
                new = engine.create(name, config)
            except NameTaken:
                if adopted := _adopt(engine, name, labels, image):
                    return adopted
                time.sleep(_INTERVAL)
                continue
            self._start(engine, new, volume, image, work.job)
            return WorkerContainer(engine, new, image)
        raise InfrastructureError(
            f"The container {name} of an earlier attempt cannot be removed.",
            hint=f"See what holds it: docker inspect {name}.",
        )

    def _image(self, engine: Engine, work: Work) -> Image:
        names = self._settings.images
        if work.image:
            return images.find(engine, work.image, names)
        return images.resolve(engine, images.choose(engine, names, "", model_engine(work.job)))

    def _volume(self, work: Work) -> TreeVolume:
        deployment = self._settings.deployment
        return TreeVolume(deployment, work.trees, self._open_archive, self._limits)

    def _start(
        self, engine: Engine, container: str, volume: TreeVolume, image: Image, job: Job
    ) -> None:
        try:
            volume.fill(engine, container, image.id)
            engine.put(container, paths.OWN, [furnishing()])
            if compiles(job):
                engine.put(container, paths.CACHE_VOLUME, [own_folder(paths.CACHE)])
            with engine.started(container) as send:
                send(encode_job(_at_home(job)).encode() + b"\n")
        except BaseException:
            engine.remove(container)
            raise

    def stop(self) -> None:
        """See `Runner.stop`; the container has ended 4 s later.

        In a thread with a connection of its own: a signal handler may have interrupted the other
        connection in the middle of anything.
        """
        self._stopped = True
        if self._container:
            threading.Thread(target=_stop, args=(self._container,), daemon=True).start()

    def drain(self) -> None:
        """See `Runner.drain`."""
        if self._container:
            with self._connect() as engine:
                engine.signal(self._container, DRAIN_SIGNAL)


def _listen(container: WorkerContainer, job: Job, on_event: OnEvent) -> None:
    left = {run.number for run in job.runs} if isinstance(job, SimulateJob) else set()
    outputs = container.outputs
    for event in container.events(left):
        if event["event"] != "finished" or not event["path"]:
            on_event(event, outputs.open)
            continue
        left.discard(event["run"])
        path, size = event["path"], event["record"]["archive_bytes"]
        outputs.fetch(path, size, to_come=len(left))
        on_event(event, outputs.open)
        if left:
            outputs.discard(path, size)


def _adopt(
    engine: Engine, name: str, labels: Mapping[str, str], image: Image
) -> WorkerContainer | None:
    """The container of that name, if it does what is wanted; else it is removed."""
    found = engine.inspect(name)
    if found is None:
        return None
    if does_the_work(found["Config"]["Labels"], labels) and may_be_adopted(found):
        state = "runs" if found["State"]["Running"] else "has ended"
        log.info("Taking over the container %s of an earlier attempt, which %s", name, state)
        return WorkerContainer(engine, found["Id"], image, adopted=True)
    log.info("Removing the container %s, which an earlier attempt left", name)
    engine.remove(found["Id"])
    return None


def _at_home(job: Job) -> Job:
    """The job with its folders; memory is what the container's own limit is for."""
    trees, scratch, output = paths.TREES, paths.SCRATCH, paths.OUTPUT
    if isinstance(job, ResolveJob):
        return dataclasses.replace(job, trees=trees, scratch=scratch)
    if isinstance(job, SimulateJob):
        return dataclasses.replace(job, trees=trees, scratch=scratch, output=output, memory=0)
    return dataclasses.replace(job, trees=trees, scratch=scratch, output=output)


def _name(deployment: str, work: str) -> str:
    return re.sub(r"[^\w.-]", "_", f"oppflow-{deployment}-{work}", flags=re.ASCII)


def _stop(container: str) -> None:
    try:
        with connect() as engine:
            engine.stop(container, STOP_SECONDS)
    except InfrastructureError as error:
        log.warning("%s", error)
