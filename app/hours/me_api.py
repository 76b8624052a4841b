"""What volunteers see of their own hours."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query

from app.access.guard import AdmittedDep
from app.hours import service
from app.hours.schemas import ServiceRecordModel, ServiceRecordPage, Status
from app.http.lists import ListingDep
from app.http.operations import OWN, operation
from app.http.routes import Router

router = Router(prefix="/v1/me", tags=["own data"])


@router.get(
    "/service-records",
    response_model=ServiceRecordPage,
    **operation(roles=OWN, summary="List one's own service records", problems=["invalid-cursor"]),
)
async def list_own_service_records(
    listing: ListingDep, admitted: AdmittedDep, status: Annotated[Status | None, Query()] = None
) -> ServiceRecordPage:
    """The caller's service records, newest first."""
    filters = {"status": status, "volunteer_id": str(admitted.volunteer_id)}
    # A list of its own for each volunteer, so that no cursor leads into another's.
    name = f"service-records/{admitted.volunteer_id}"
    page = await listing.page(name, admitted.community, service.list_records, filters=filters)
    return ServiceRecordPage.of(page, ServiceRecordModel.of)
