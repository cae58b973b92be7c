"""Routes about campaigns as a whole: the list, one of them, and what one may do with them."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from oppflow.web import actions, dag_runs
from oppflow.web.access import LOGGED, MAY_ACT, MAY_READ, SIGNED_IN, User, may_act, readable
from oppflow.web.again import again, only_missing
from oppflow.web.answers import etag_of, in_thread, json_answer, unless_known
from oppflow.web.schemas import Again, CampaignHead, CampaignList, Done, Overview, Start, Started
from oppflow.web.service import CampaignPage

CAMPAIGN = "/campaigns/{dag_id}/{run_id}"


def campaign_routes(page: CampaignPage) -> APIRouter:
    """The routes that read."""
    router = APIRouter(tags=["campaigns"])

    @router.get("/campaigns", response_model=CampaignList, dependencies=[SIGNED_IN])
    async def list_campaigns(
        user: User,
        plans: Annotated[bool, Query(description="Previews as well.")] = False,
        offset: Annotated[int, Query(ge=0)] = 0,
        limit: Annotated[int, Query(ge=1, le=100)] = 25,
    ) -> Response:
        """The campaigns that you may see, the newest first."""

        def make() -> dict[str, Any]:
            with dag_runs.database() as session:
                dag_ids = readable(user, dag_runs.campaign_dags(session))
            found = page.listed(dag_ids, plans=plans, offset=offset, limit=limit)
            dags = [{"dag_id": dag_id, "may_act": may_act(user, dag_id)} for dag_id in dag_ids]
            return {**found, "dags": dags}

        return json_answer(await in_thread(make))

    @router.get(CAMPAIGN, response_model=Overview, dependencies=[MAY_READ])
    async def get_campaign(request: Request, user: User, dag_id: str, run_id: str) -> Response:
        """One campaign: parameters, runs by state, tasks by state, the estimated end."""
        state = await in_thread(page.state, dag_id, run_id)
        allowed = await in_thread(may_act, user, dag_id)
        etag = etag_of(request, state.version, allowed)
        return await unless_known(
            request, etag, lambda: {**page.overview(state), "may_act": allowed}
        )

    @router.get(f"{CAMPAIGN}/summary", response_model=CampaignHead, dependencies=[MAY_READ])
    async def get_summary(dag_id: str, run_id: str) -> Response:
        """One campaign as a line of the list, with its counts."""
        return json_answer(await in_thread(page.summary, dag_id, run_id))

    return router


def action_routes(page: CampaignPage) -> APIRouter:
    """The routes that act."""
    router = APIRouter(tags=["actions"])

    @router.post("/campaigns/{dag_id}", response_model=Started, dependencies=[MAY_ACT, LOGGED])
    async def start_campaign(request: Request, user: User, dag_id: str, start: Start) -> Response:
        """Start a campaign, or make a plan of one: plan_only in its parameters."""
        run_id = await in_thread(actions.trigger, request, user, dag_id, start.conf)
        return json_answer({"dag_id": dag_id, "run_id": run_id})

    @router.post(f"{CAMPAIGN}/again", response_model=Started, dependencies=[MAY_ACT, LOGGED])
    async def start_again(
        request: Request, user: User, dag_id: str, run_id: str, wish: Again
    ) -> Response:
        """Start a campaign once more: all of it, or only what it lacks."""

        def act() -> str:
            state = page.state(dag_id, run_id)
            conf = only_missing(state) if wish.only_missing else again(state)
            return actions.trigger(request, user, dag_id, conf)

        return json_answer({"dag_id": dag_id, "run_id": await in_thread(act)})

    @router.post(f"{CAMPAIGN}/cancel", response_model=Done, dependencies=[MAY_ACT, LOGGED])
    async def cancel_campaign(request: Request, user: User, dag_id: str, run_id: str) -> Response:
        """End a campaign: its simulations are stopped within seconds."""
        await in_thread(page.state, dag_id, run_id)
        await in_thread(actions.cancel, request, user, dag_id, run_id)
        page.forget(dag_id, run_id)
        return json_answer({"done": True})

    return router
