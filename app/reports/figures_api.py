"""Routes of reports."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query

from app.access.guard import AdmittedDep
from app.http.context import ContextDep
from app.http.fields import Day
from app.http.operations import READERS, operation
from app.http.routes import Router
from app.kernel.heads import CITY
from app.reports import figures
from app.reports.figures_schemas import ClinicsReport, DutyReport, HoursReport, StallsReport, VisitsReport

router = Router(prefix="/v1/communities/{community_id}/reports", tags=["reports"])

First = Annotated[Day | None, Query(alias="from", description="the first day; else that of the year of the last day")]
Last = Annotated[Day | None, Query(alias="to", description="the last day; else today")]


@router.get(
    "/service-hours",
    response_model=HoursReport,
    **operation(roles=READERS, summary="Report hours served"),
)
async def get_service_hours_report(
    context: ContextDep, admitted: AdmittedDep, first: First = None, last: Last = None
) -> HoursReport:
    """Records, minutes, points and volunteers by month and service kind, of approved records; 366 days at most."""
    async with context.database.read(admitted.community) as session:
        period = await figures.period_of(session, admitted.community, first, last)
        return HoursReport.of(period, await figures.report_hours(session, period))


@router.get(
    "/visits",
    response_model=VisitsReport,
    **operation(roles=READERS, summary="Report visits"),
)
async def get_visits_report(
    context: ContextDep, admitted: AdmittedDep, first: First = None, last: Last = None
) -> VisitsReport:
    """Visits due, done, in vain, refused and overdue by month, without those that were skipped; 366 days at most."""
    async with context.database.read(admitted.community) as session:
        period = await figures.period_of(session, admitted.community, first, last)
        return VisitsReport.of(period, await figures.report_visits(session, period))


@router.get(
    "/clinics",
    response_model=ClinicsReport,
    **operation(roles=READERS, summary="Report free clinics"),
)
async def get_clinics_report(
    context: ContextDep, admitted: AdmittedDep, first: First = None, last: Last = None
) -> ClinicsReport:
    """Head-counts by month, clinic and code, of which the last of each shift stands; 366 days at most."""
    async with context.database.read(admitted.community) as session:
        period = await figures.period_of(session, admitted.community, first, last)
        return ClinicsReport.of(period, await figures.report_clinics(session, period))


@router.get(
    "/team-duty",
    response_model=DutyReport,
    **operation(roles=READERS, summary="Report the duty of embedded teams"),
)
async def get_team_duty_report(
    context: ContextDep, admitted: AdmittedDep, first: First = None, last: Last = None
) -> DutyReport:
    """Members, attendances and minutes by month, team and department, once submitted; 366 days at most."""
    async with context.database.read(admitted.community, CITY) as session:
        period = await figures.period_of(session, admitted.community, first, last)
        return DutyReport.of(period, await figures.report_duty(session, period))


@router.get(
    "/stalls",
    response_model=StallsReport,
    **operation(roles=READERS, summary="Report the use of tide stalls"),
)
async def get_stalls_report(
    context: ContextDep, admitted: AdmittedDep, first: First = None, last: Last = None
) -> StallsReport:
    """Pitches offered, taken and attended by month and site, and complaints around the opening; 366 days at most."""
    async with context.database.read(admitted.community) as session:
        period = await figures.period_of(session, admitted.community, first, last)
        rows, complaints = await figures.report_stalls(session, period)
        return StallsReport.of(period, rows, complaints=complaints)
