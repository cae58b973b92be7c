"""Stage ``build_model``: one clean build per tree, kept in the store by build key."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import replace

from oppflow.deployment import Deployment
from oppflow.errors import InfrastructureError
from oppflow.plan import PackedCampaign, Tree
from oppflow.runners.interface import OpenOutput, TreeParts, Work
from oppflow.stages.jobs import OnRunner, run_job
from oppflow.stages.streams import store_tar
from oppflow.store import Store
from oppflow.worker.events import Event
from oppflow.worker.jobs import BuildJob

log = logging.getLogger(__name__)


def build_model(
    deployment: Deployment, packed: PackedCampaign, on_runner: OnRunner | None = None
) -> dict[str, list[str]]:
    """Build what has no stored build; the places of trees ``built`` and ``reused``.

    Raises:
        ModelError: the model does not build; the message ends with the compiler's last lines.
        StoreError, InfrastructureError: the machine's fault.
    """
    if packed.request.plan_only:
        log.info("Nothing is built: only the plan was asked for.")
        return {"built": [], "reused": []}
    known = stored_builds(deployment.store, packed.trees)
    missing = [tree for tree in packed.trees if tree.place not in known]
    for tree in packed.trees:
        if tree.place in known:
            log.info("%s: built before, nothing to do (build key %s)", tree.place, tree.build_key)
    if missing:
        _build(deployment, packed, missing, on_runner)
    return {
        "built": [tree.place for tree in missing],
        "reused": sorted(known),
    }


def stored_builds(store: Store, trees: tuple[Tree, ...]) -> Mapping[str, str]:
    """The archives of the trees' products that are in the store, by the trees' places."""
    records = store.get_records("build", [tree.build_key for tree in trees])
    gone = store.missing({record["archive"] for record in records.values()})
    return {
        tree.place: records[tree.build_key]["archive"]
        for tree in trees
        if tree.build_key in records and records[tree.build_key]["archive"] not in gone
    }


def with_builds(store: Store, packed: PackedCampaign) -> PackedCampaign:
    """The campaign with the commands that built its trees, as far as they are built."""
    records = store.get_records("build", [tree.build_key for tree in packed.trees])
    trees = (
        replace(tree, build=tuple(records.get(tree.build_key, {}).get("commands", ())))
        for tree in packed.trees
    )
    return replace(packed, trees=tuple(trees))


def built_trees(store: Store, packed: PackedCampaign) -> tuple[TreeParts, ...]:
    """Every tree with its products.

    Raises:
        InfrastructureError: the store lost a build since `build_model`.
    """
    known = stored_builds(store, packed.trees)
    lost = [tree.place for tree in packed.trees if tree.place not in known]
    if lost:
        raise InfrastructureError(
            f"The build of {', '.join(lost)} is not in the store any more.",
            hint="Clear the task build_model to build it again; retention may be too short.",
        )
    return tuple(TreeParts(t.place, t.archive, known[t.place]) for t in packed.trees)


def _build(
    deployment: Deployment, packed: PackedCampaign, trees: list[Tree], on_runner: OnRunner | None
) -> None:
    keys = {tree.place: tree.build_key for tree in trees}
    store = deployment.store

    def on_event(event: Event, open_output: OpenOutput) -> None:
        if event["event"] != "built":
            return
        with open_output(event["path"]) as stream:
            stored = store_tar(store, stream, event["archive"])
        record = {"archive": stored.digest, "commands": event["commands"]}
        store.put_record("build", keys[event["tree"]], record)
        log.info("%s: built and stored, %d bytes", event["tree"], stored.size)

    job = BuildJob(
        engine=packed.engine,
        tree_names=tuple(tree.place for tree in trees),
        all_trees=tuple(tree.place for tree in packed.trees),
        mode=packed.request.mode,
        trees="",
        scratch="",
        output="",
    )
    known = stored_builds(store, packed.trees)
    parts = tuple(TreeParts(t.place, t.archive, known.get(t.place)) for t in packed.trees)
    work = Work(f"{packed.campaign}-build", job, parts, packed.image_id)
    run_job(deployment, work, on_event, on_runner)
