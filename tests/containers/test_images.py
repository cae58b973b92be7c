"""Which image a campaign takes, and what is told of one that will not do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from oppflow.deployment import Deployment
from oppflow.errors import InfrastructureError, ParameterError
from oppflow.runners.docker.connection import connect
from oppflow.worker.events import Event
from tests.support.containers import (
    IMAGE,
    built_image,
    container_deployment,
    containers,
    foreign_image,
    inspect,
)
from tests.support.runners import Client

NOWHERE = "registry.invalid/nobody/nothing:1"
AS_ROOT = f"FROM {IMAGE}\nUSER root\n"


@contextmanager
def deployment_with(image: str, folder: Path) -> Iterator[Deployment]:
    with container_deployment(folder, images=(image,)) as made:
        yield made


def refusal(image: str, folder: Path) -> str:
    """What is said of an image that cannot do a simple job; nothing of it may be left."""
    with deployment_with(image, folder) as deployment:
        with pytest.raises(ParameterError) as caught:
            Client(deployment, "own_words").simulate("OwnWords")
        assert containers(deployment.settings.deployment) == []
        assert image in caught.value.message
        return str(caught.value)


def test_the_environment_is_the_images_id(deployment: Deployment) -> None:
    """Whatever it is called: a tag may move."""
    with connect() as engine:
        found = engine.inspect_image(IMAGE)
    environment = deployment.runner().environment("omnetpp")
    assert found is not None
    assert environment == {"kind": "image", "id": found["Id"], "engine": "omnetpp"}


def test_an_id_is_an_image_that_need_not_be_pulled(deployment: Deployment) -> None:
    """The provider's operator would try."""
    image_id = deployment.runner().environment("embedded")["id"]
    client = Client(deployment, "own_words")
    work = client.simulate_work("OwnWords")
    assert client.hear(type(work)(work.name, work.job, work.trees, image_id)).status == 0


def test_an_image_that_is_not_there_and_cannot_be_pulled(tmp_path: Path) -> None:
    """Named, with what to do."""
    with (
        deployment_with(NOWHERE, tmp_path) as deployment,
        pytest.raises(ParameterError) as caught,
    ):
        deployment.runner().environment("embedded")
    assert f"{NOWHERE} is not on the container engine, and cannot be pulled" in str(caught.value)
    assert "make images" in caught.value.hint


def test_an_image_that_is_none_of_the_deployments(deployment: Deployment) -> None:
    """A user of the REST API may ask for any."""
    with pytest.raises(ParameterError, match="none of this deployment's") as caught:
        deployment.runner().environment("embedded", "debian:bookworm-slim")
    assert IMAGE in caught.value.hint


def test_an_image_that_is_gone_since_the_campaign_began(deployment: Deployment) -> None:
    """Results of another one would not belong to it."""
    client = Client(deployment, "own_words")
    work = client.simulate_work("OwnWords")
    with pytest.raises(InfrastructureError, match="is not on the container engine"):
        client.hear(type(work)(work.name, work.job, work.trees, "sha256:" + 64 * "0"))


def test_the_first_image_for_the_models_engine_is_taken(tmp_path: Path) -> None:
    """Where the user left it open: its label tells."""
    with (
        built_image(f"FROM {IMAGE}\nLABEL oppflow.engine=other\n") as other,
        built_image(f"FROM {IMAGE}\nLABEL oppflow.engine=embedded\n") as own,
        container_deployment(tmp_path, images=(other, own)) as deployment,
        connect() as engine,
    ):
        wanted = {kind: engine.inspect_image(name) for kind, name in (("e", own), ("o", other))}
        runner = deployment.runner()
        assert runner.environment("embedded")["id"] == (wanted["e"] or {})["Id"]
        assert runner.environment("omnetpp")["id"] == (wanted["o"] or {})["Id"]
        assert runner.environment("embedded", other)["id"] == (wanted["o"] or {})["Id"]


def test_an_image_without_python(tmp_path: Path) -> None:
    """Said as such, and not as a missing file."""
    with built_image(f"{AS_ROOT}RUN rm /usr/bin/python3\n") as image:
        said = refusal(image, tmp_path)
    assert "it has no python3 on its PATH, and a worker needs 3.10 or later" in said


def test_an_image_with_an_old_python(tmp_path: Path) -> None:
    """It is told which one it has."""
    pretend = b"import sys\nsys.version_info = (3, 9, 2, 'final', 0)\n"
    copied = f"{AS_ROOT}COPY sitecustomize.py /opt/oppflow/\n"
    with built_image(copied, **{"sitecustomize.py": pretend}) as image:
        said = refusal(image, tmp_path)
    assert "its Python is 3.9, and a worker needs 3.10 or later" in said


def test_an_image_for_another_processor(tmp_path: Path) -> None:
    """Both are named."""
    with foreign_image("s390x") as image:
        said = refusal(image, tmp_path)
    assert "it is for the processor s390x, and the container engine's is" in said


def test_an_image_without_what_the_model_needs(tmp_path: Path) -> None:
    """SimPy here; opp_run for a model of OMNeT++'s."""
    with built_image(f"{AS_ROOT}RUN rm -r /opt/oppflow/simpy\n") as image:
        said = refusal(image, tmp_path)
    assert "the model is for the embedded engine, and the image has no SimPy" in said


def test_the_worker_is_put_into_an_image_that_has_none(tmp_path: Path) -> None:
    """Or an older one."""
    for change in ("rm -r /opt/oppflow/oppflow", "echo '#' >>/opt/oppflow/oppflow/worker/jobs.py"):
        with (
            built_image(f"{AS_ROOT}RUN {change}\n") as image,
            deployment_with(image, tmp_path) as deployment,
        ):
            assert Client(deployment, "own_words").simulate("OwnWords").outcomes == ["done"]


def test_an_images_own_entry_point_user_and_folder_play_no_part(tmp_path: Path) -> None:
    """Somebody else's image may have any."""
    users: list[Any] = []
    strange = f'{AS_ROOT}ENTRYPOINT ["/bin/false"]\nCMD ["nothing"]\nWORKDIR /nowhere/at/all\n'
    with built_image(strange) as image, deployment_with(image, tmp_path) as deployment:

        def look(event: Event) -> None:
            (container,) = containers(deployment.settings.deployment)
            users.append(inspect(container["Id"])["Config"]["User"])

        assert Client(deployment, "own_words").simulate("OwnWords", 1, look).outcomes == ["done"]
    assert set(users) == {"1000:1000"}
