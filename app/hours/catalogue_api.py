"""Routes of service kinds and earning rules."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from app.access.guard import AdmittedDep
from app.hours import catalogue
from app.hours.schemas import (
    EarningRuleModel,
    EarningRuleNew,
    EarningRulePage,
    ServiceKindModel,
    ServiceKindNew,
    ServiceKindPage,
)
from app.http.commands import created, submit
from app.http.context import LIMIT_DEFAULT, ContextDep, Cursor, Limit
from app.http.operations import MANAGERS, READERS, operation
from app.kernel.paging import open_page

router = APIRouter(prefix="/v1/communities/{community_id}", tags=["earning rules"])


@router.post(
    "/service-kinds",
    status_code=201,
    response_model=ServiceKindModel,
    **operation(
        roles=MANAGERS,
        summary="Create a service kind",
        keyed=True,
        problems=["already-exists"],
        example={"code": "home_visit", "name": "入户探访"},
    ),
)
async def create_service_kind(request: Request, body: ServiceKindNew, admitted: AdmittedDep) -> Response:
    """Create a kind of service."""
    return await submit(
        request,
        caller_id=admitted.caller.client_id,
        community=admitted.community,
        body=body,
        item=catalogue.NewServiceKind(admitted.community, body.code, body.name),
        run=catalogue.create_service_kinds,
        render=lambda kind: created(
            request, kind.code, ServiceKindModel.model_validate(kind).model_dump_json().encode()
        ),
    )


@router.get(
    "/service-kinds",
    response_model=ServiceKindPage,
    **operation(roles=READERS, summary="List service kinds", problems=["invalid-cursor"]),
)
async def list_service_kinds(
    context: ContextDep, admitted: AdmittedDep, limit: Limit = LIMIT_DEFAULT, cursor: Cursor = None
) -> ServiceKindPage:
    """Service kinds, newest first."""
    vault = context.database.vault
    paging = open_page(vault, f"service-kinds/{admitted.community}", limit=limit, cursor=cursor, filters={})
    async with context.database.read(admitted.community) as session:
        found = await catalogue.list_service_kinds(session, admitted.community, before=paging.position, limit=limit + 1)
    page = paging.page(vault, found, lambda kind: kind.number)
    return ServiceKindPage(
        items=[ServiceKindModel.model_validate(kind) for kind in page.items], next_cursor=page.next_cursor
    )


@router.post(
    "/earning-rules",
    status_code=201,
    response_model=EarningRuleModel,
    **operation(
        roles=MANAGERS,
        summary="Set an earning rule in force",
        keyed=True,
        problems=["unknown-service-kind", "rule-exists"],
        example={
            "service_kind": "home_visit",
            "points_per_hour": 12,
            "effective_from": "2025-01-01",
            "minutes_per_record_max": 180,
            "minutes_per_day_max": 240,
        },
    ),
)
async def create_earning_rule(request: Request, body: EarningRuleNew, admitted: AdmittedDep) -> Response:
    """Set a version of a kind's earning rule in force from a date on."""
    return await submit(
        request,
        caller_id=admitted.caller.client_id,
        community=admitted.community,
        body=body,
        item=body.command(admitted.community),
        run=catalogue.create_earning_rules,
        render=lambda rule: created(request, rule.id, EarningRuleModel.model_validate(rule).model_dump_json().encode()),
    )


@router.get(
    "/earning-rules",
    response_model=EarningRulePage,
    **operation(roles=READERS, summary="List earning rules", problems=["invalid-cursor"]),
)
async def list_earning_rules(
    context: ContextDep, admitted: AdmittedDep, limit: Limit = LIMIT_DEFAULT, cursor: Cursor = None
) -> EarningRulePage:
    """Versions of earning rules, newest first."""
    vault = context.database.vault
    paging = open_page(vault, f"earning-rules/{admitted.community}", limit=limit, cursor=cursor, filters={})
    async with context.database.read(admitted.community) as session:
        found = await catalogue.list_earning_rules(session, admitted.community, before=paging.position, limit=limit + 1)
    page = paging.page(vault, found, lambda rule: rule.number)
    return EarningRulePage(
        items=[EarningRuleModel.model_validate(rule) for rule in page.items], next_cursor=page.next_cursor
    )
