"""Routes of residents' needs and complaints, and of those of the volunteer who calls.

That volunteers read the answer marks nothing: telling them is somebody's act.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Annotated, TypeVar
from uuid import UUID

from fastapi import Query, Request, Response
from pydantic import BaseModel

from app.access.guard import Admitted, AdmittedDep
from app.http.commands import answered, created, submit
from app.http.context import ContextDep
from app.http.fields import Line
from app.http.lists import ListingDep
from app.http.operations import DESK, MANAGERS, OWN, READERS, operation
from app.http.routes import Router
from app.kernel.database import Session
from app.kernel.erasures import NewErasure
from app.kernel.errors import Refusal
from app.kernel.idempotency import Answer
from app.needs import service
from app.needs.rules import ANSWERED, PLANNED, WITHDRAWN, Need
from app.needs.schemas import (
    AgesModel,
    AnswerNew,
    Kind,
    NeedErasureModel,
    NeedModel,
    NeedNew,
    NeedPage,
    NeedWithdrawalNew,
    OwnNeedNew,
    PlanNew,
    Status,
    TellingNew,
)
from app.volunteers.schemas import ErasureNew

ItemT = TypeVar("ItemT")

router = Router(prefix="/v1/communities/{community_id}/needs", tags=["needs"])
own = Router(prefix="/v1/me/needs", tags=["own data"])

_days_max = 3650


def _filed(request: Request, need: Need) -> Answer:
    """The answer to a filing, stored under the key of who asked."""
    return created(request, need.id, NeedModel.of(need), person=need.person_id)


async def _move_on(
    request: Request,
    admitted: Admitted,
    body: BaseModel,
    item: ItemT,
    run: Callable[[Session, Sequence[ItemT]], Awaitable[Sequence[Need | Refusal]]],
) -> Response:
    """Decide or tell a need, and answer with it as it is now."""

    def render(need: Need) -> Answer:
        return replace(answered(NeedModel.of(need)), person=None if need.erased else need.person_id)

    return await submit(request, admitted, body=body, item=item, run=run, render=render)


@router.post(
    "",
    status_code=201,
    response_model=NeedModel,
    **operation(
        roles=DESK,
        summary="File a need or complaint",
        keyed=True,
        problems=["unknown-beneficiary"],
        example={
            "kind": "complaint",
            "category": "noise",
            "place": "祁连路夜市",
            "text": "晚上十一点以后还有人叫卖，老人睡不好。",
            "person": {"name": "王秀英", "phone": "13600001111"},
        },
    ),
)
async def create_need(request: Request, body: NeedNew, admitted: AdmittedDep) -> Response:
    """Write down what a resident needs or complains of. Volunteers file their own under `/v1/me/needs`."""
    return await submit(
        request,
        admitted,
        body=body,
        item=body.of_resident(admitted.community, admitted.caller_id),
        run=service.file_needs,
        render=partial(_filed, request),
    )


@router.get(
    "",
    response_model=NeedPage,
    **operation(roles=READERS, summary="List needs and complaints", problems=["invalid-cursor"]),
)
async def list_needs(
    listing: ListingDep,
    admitted: AdmittedDep,
    status: Annotated[Status | None, Query()] = None,
    kind: Annotated[Kind | None, Query()] = None,
    place: Annotated[Line | None, Query(description="complaints about exactly this")] = None,
    beneficiary_id: Annotated[UUID | None, Query()] = None,
    untold: Annotated[bool | None, Query(description="decided, and who asked has not been told")] = None,
    open_for_days: Annotated[int | None, Query(ge=0, le=_days_max, description="open so long or longer")] = None,
) -> NeedPage:
    """Needs and complaints, newest first; what is personal to the desk alone, with masked phone numbers."""
    filters = {
        "status": status,
        "kind": kind,
        "place": place,
        "beneficiary_id": beneficiary_id and str(beneficiary_id),
        "untold": untold,
        "open_for_days": open_for_days,
    }
    page = await listing.page("needs", admitted.community, service.list_needs, filters=filters)
    return NeedPage.of(page, partial(NeedModel.of, texts=admitted.role in DESK, phones=False))


@router.get(
    "/ages", response_model=AgesModel, **operation(roles=READERS, summary="Count open needs and complaints by age")
)
async def get_need_ages(context: ContextDep, admitted: AdmittedDep) -> AgesModel:
    """How many needs and complaints are open, by how long they have been."""
    async with context.database.read(admitted.community) as session:
        return AgesModel.model_validate(await service.ages_of_needs(session, admitted.community))


@router.get("/{need_id}", response_model=NeedModel, **operation(roles=READERS, summary="Read a need or complaint"))
async def get_need(need_id: UUID, context: ContextDep, admitted: AdmittedDep) -> NeedModel:
    """One need or complaint; what is personal to the desk alone."""
    async with context.database.read(admitted.community) as session:
        need = await service.get_need(session, admitted.community, need_id)
    return NeedModel.of(need, texts=admitted.role in DESK)


@router.post(
    "/{need_id}/plan",
    response_model=NeedModel,
    **operation(
        roles=DESK,
        summary="Plan a need",
        keyed=True,
        problems=["need-not-open", "unknown-activity", "activity-ended"],
        example={"activity_id": "01936f5e-7c1a-7bbd-9d2e-0a51b1e0f001"},
    ),
)
async def plan_need(need_id: UUID, request: Request, body: PlanNew, admitted: AdmittedDep) -> Response:
    """Meet an open need with an activity; one activity may meet several."""
    item = service.NewDecision(admitted.community, need_id, PLANNED, admitted.caller_id, activity_id=body.activity_id)
    return await _move_on(request, admitted, body, item, service.decide_needs)


@router.post(
    "/{need_id}/answer",
    response_model=NeedModel,
    **operation(
        roles=DESK,
        summary="Answer a need",
        keyed=True,
        problems=["need-not-open"],
        example={"reason": "已与摊主约定，晚上十点收摊。"},
    ),
)
async def answer_need(need_id: UUID, request: Request, body: AnswerNew, admitted: AdmittedDep) -> Response:
    """Answer an open need with a reason."""
    item = service.NewDecision(admitted.community, need_id, ANSWERED, admitted.caller_id, reason=body.reason)
    return await _move_on(request, admitted, body, item, service.decide_needs)


@router.post(
    "/{need_id}/withdrawal",
    response_model=NeedModel,
    **operation(
        roles=DESK,
        summary="Withdraw a need",
        keyed=True,
        problems=["need-not-open"],
        example={"reason": "本人说不用了"},
    ),
)
async def withdraw_need(need_id: UUID, request: Request, body: NeedWithdrawalNew, admitted: AdmittedDep) -> Response:
    """Withdraw an open need for whoever asked."""
    item = service.NewDecision(admitted.community, need_id, WITHDRAWN, admitted.caller_id, reason=body.reason)
    return await _move_on(request, admitted, body, item, service.decide_needs)


@router.post(
    "/{need_id}/telling",
    response_model=NeedModel,
    **operation(
        roles=DESK,
        summary="Note that whoever asked was told",
        keyed=True,
        problems=["need-not-decided", "already-told", "nobody-to-tell"],
        example={"channel": "phone"},
    ),
)
async def tell_need(need_id: UUID, request: Request, body: TellingNew, admitted: AdmittedDep) -> Response:
    """Note that whoever asked was told, now and by who calls, what became of it."""
    item = service.NewTelling(admitted.community, need_id, body.channel, admitted.caller_id)
    return await _move_on(request, admitted, body, item, service.tell_needs)


@router.post(
    "/{need_id}/erasure",
    response_model=NeedErasureModel,
    **operation(
        roles=MANAGERS,
        summary="Erase who asked",
        keyed=True,
        problems=["need-erased", "person-registered"],
        example={"reason": "本人申请"},
    ),
)
async def erase_need(need_id: UUID, request: Request, body: ErasureNew, admitted: AdmittedDep) -> Response:
    """Destroy the key of who asked and of what was written, for good; that it was asked, and its end, stays."""
    return await submit(
        request,
        admitted,
        body=body,
        item=NewErasure(admitted.community, need_id, admitted.caller_id, body.reason),
        run=service.erase_needs,
        render=lambda erasure: answered(NeedErasureModel.of(erasure)),
    )


@own.post(
    "",
    status_code=201,
    response_model=NeedModel,
    **operation(
        roles=OWN,
        summary="File one's own need or complaint",
        keyed=True,
        example={
            "kind": "need",
            "category": "elevator",
            "place": "祁连家园 3 号楼",
            "text": "电梯常停，老人下不了楼。",
        },
    ),
)
async def create_own_need(request: Request, body: OwnNeedNew, admitted: AdmittedDep) -> Response:
    """Say what one needs or complains of."""
    return await submit(
        request,
        admitted,
        body=body,
        item=body.command(admitted.community, admitted.volunteer_id, admitted.caller_id),
        run=service.file_needs,
        render=partial(_filed, request),
    )


@own.get(
    "",
    response_model=NeedPage,
    **operation(roles=OWN, summary="List one's own needs and complaints", problems=["invalid-cursor"]),
)
async def list_own_needs(
    listing: ListingDep, admitted: AdmittedDep, status: Annotated[Status | None, Query()] = None
) -> NeedPage:
    """The caller's needs and complaints, newest first, with their answers."""
    page = await listing.page(
        f"own-needs/{admitted.volunteer_id}",
        admitted.community,
        partial(service.list_needs, volunteer_id=admitted.volunteer_id),
        filters={"status": status},
    )
    return NeedPage.of(page, NeedModel.of)


@own.get("/{need_id}", response_model=NeedModel, **operation(roles=OWN, summary="Read one's own need or complaint"))
async def get_own_need(need_id: UUID, context: ContextDep, admitted: AdmittedDep) -> NeedModel:
    """One of the caller's needs or complaints, with its answer."""
    async with context.database.read(admitted.community) as session:
        volunteer_id = admitted.volunteer_id
        return NeedModel.of(await service.get_need(session, admitted.community, need_id, volunteer_id=volunteer_id))


@own.post(
    "/{need_id}/withdrawal",
    response_model=NeedModel,
    **operation(
        roles=OWN,
        summary="Withdraw one's own need or complaint",
        keyed=True,
        problems=["need-not-open"],
        example={"reason": "已经修好了"},
    ),
)
async def withdraw_own_need(
    need_id: UUID, request: Request, body: NeedWithdrawalNew, admitted: AdmittedDep
) -> Response:
    """Withdraw one of the caller's open needs or complaints."""
    item = service.NewDecision(
        admitted.community,
        need_id,
        WITHDRAWN,
        admitted.caller_id,
        reason=body.reason,
        volunteer_id=admitted.volunteer_id,
    )
    return await _move_on(request, admitted, body, item, service.decide_needs)
