"""Routes of communities."""

from __future__ import annotations

from fastapi import Request, Response

from app.access.guard import AdmittedDep
from app.communities import service
from app.communities.schemas import CommunityChange, CommunityModel, CommunityNew, CommunityPage
from app.http.commands import created, submit
from app.http.context import ContextDep
from app.http.edits import ExpectedDep, edit, etag
from app.http.lists import ListingDep
from app.http.operations import CITY, MANAGERS, READERS, operation
from app.http.routes import Router

router = Router(prefix="/v1/communities", tags=["communities"])

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
        admitted,
        body=body,
        item=service.NewCommunity(**body.model_dump()),
        run=service.create_communities,
        render=lambda community: created(request, community.id, CommunityModel.model_validate(community)),
    )


@router.get(
    "", response_model=CommunityPage, **operation(roles=CITY, summary="List communities", problems=["invalid-cursor"])
)
async def list_communities(listing: ListingDep, admitted: AdmittedDep) -> CommunityPage:
    """All communities, newest first."""
    page = await listing.page("communities", admitted.community, service.list_communities)
    return CommunityPage.of(page, CommunityModel.model_validate)


@router.get(
    "/{community_id}",
    response_model=CommunityModel,
    **operation(roles=READERS, summary="Read a community's settings", tagged=True),
)
async def get_community(response: Response, context: ContextDep, admitted: AdmittedDep) -> CommunityModel:
    """A community and its settings."""
    async with context.database.read() as session:
        communities = await session.ask(service.communities_by_number(session.dialect, [admitted.community]))
    community = communities[admitted.community]
    response.headers["ETag"] = etag(community.revision)
    return CommunityModel.model_validate(community)


@router.patch(
    "/{community_id}",
    response_model=CommunityModel,
    **operation(
        roles=MANAGERS,
        summary="Change a community's settings",
        edits=True,
        example={"verification": "four_eyes", "redemption_hold_hours": 48},
    ),
)
async def change_community(
    request: Request, body: CommunityChange, admitted: AdmittedDep, expected: ExpectedDep
) -> Response:
    """Change settings from now on: what waits for its verification still does, and running holds end when they did."""
    return await edit(
        request,
        admitted,
        item=service.SettingsChange(admitted.community, body.changes(), expected),
        run=service.change_settings,
        render=lambda community: (CommunityModel.model_validate(community), community.revision),
    )
