"""Routes of communities."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from app.access.guard import AdmittedDep
from app.communities import service
from app.communities.schemas import CommunityModel, CommunityNew, CommunityPage
from app.http.commands import created, submit
from app.http.context import LIMIT_DEFAULT, ContextDep, Cursor, Limit
from app.http.operations import CITY, READERS, operation
from app.kernel.heads import CITY as CITY_NUMBER
from app.kernel.paging import open_page

router = APIRouter(prefix="/v1/communities", tags=["communities"])

_example = {
    "code": "630105-qilianlu-west",
    "name": "祁连路西社区",
    "district": "城北区",
    "subdistrict": "朝阳街道",
    "timezone": "Asia/Shanghai",
}


@router.post(
    "",
    status_code=201,
    response_model=CommunityModel,
    **operation(roles=CITY, summary="Create a community", keyed=True, problems=["already-exists"], example=_example),
)
async def create_community(request: Request, body: CommunityNew, admitted: AdmittedDep) -> Response:
    """Create a community with its ledger."""
    return await submit(
        request,
        caller_id=admitted.caller.client_id,
        community=CITY_NUMBER,
        body=body,
        item=service.NewCommunity(**body.model_dump()),
        run=service.create_communities,
        render=lambda community: created(
            request, community.id, CommunityModel.model_validate(community).model_dump_json().encode()
        ),
    )


@router.get(
    "", response_model=CommunityPage, **operation(roles=CITY, summary="List communities", problems=["invalid-cursor"])
)
async def list_communities(
    context: ContextDep, _: AdmittedDep, limit: Limit = LIMIT_DEFAULT, cursor: Cursor = None
) -> CommunityPage:
    """All communities, newest first."""
    paging = open_page(context.database.vault, "communities", limit=limit, cursor=cursor, filters={})
    async with context.database.read() as session:
        found = await service.list_communities(session, before=paging.position, limit=limit + 1)
    page = paging.page(context.database.vault, found, lambda community: community.number)
    return CommunityPage(
        items=[CommunityModel.model_validate(community) for community in page.items], next_cursor=page.next_cursor
    )


@router.get(
    "/{community_id}",  # noqa: FAST003  the guard reads it
    response_model=CommunityModel,
    **operation(roles=READERS, summary="Read a community's settings"),
)
async def get_community(context: ContextDep, admitted: AdmittedDep) -> CommunityModel:
    """A community and its settings."""
    async with context.database.read() as session:
        communities = await service.communities_by_number(session, [admitted.community])
    return CommunityModel.model_validate(communities[admitted.community])
