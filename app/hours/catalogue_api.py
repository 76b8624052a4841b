"""Routes of service kinds and earning rules."""

from __future__ import annotations

from fastapi import Request, Response

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
from app.http.lists import ListingDep
from app.http.operations import MANAGERS, READERS, operation
from app.http.routes import Router

router = Router(prefix="/v1/communities/{community_id}", tags=["earning rules"])


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
        admitted,
        body=body,
        item=catalogue.NewServiceKind(admitted.community, body.code, body.name),
        run=catalogue.create_service_kinds,
        render=lambda kind: created(request, kind.code, ServiceKindModel.model_validate(kind)),
    )


@router.get(
    "/service-kinds",
    response_model=ServiceKindPage,
    **operation(roles=READERS, summary="List service kinds", problems=["invalid-cursor"]),
)
async def list_service_kinds(listing: ListingDep, admitted: AdmittedDep) -> ServiceKindPage:
    """Service kinds, newest first."""
    page = await listing.page("service-kinds", admitted.community, catalogue.list_service_kinds)
    return ServiceKindPage.of(page, ServiceKindModel.model_validate)


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
        admitted,
        body=body,
        item=body.command(admitted.community),
        run=catalogue.create_earning_rules,
        render=lambda rule: created(request, rule.id, EarningRuleModel.model_validate(rule)),
    )


@router.get(
    "/earning-rules",
    response_model=EarningRulePage,
    **operation(roles=READERS, summary="List earning rules", problems=["invalid-cursor"]),
)
async def list_earning_rules(listing: ListingDep, admitted: AdmittedDep) -> EarningRulePage:
    """Versions of earning rules, newest first."""
    page = await listing.page("earning-rules", admitted.community, catalogue.list_earning_rules)
    return EarningRulePage.of(page, EarningRuleModel.model_validate)
