"""Routes of service records, their batches and their verification."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Annotated
from uuid import UUID

from fastapi import Query, Request, Response
from pydantic import ValidationError

from app.access.guard import Admitted, AdmittedDep
from app.hours import correcting, service
from app.hours.rules import ServiceRecord
from app.hours.schemas import (
    CorrectionNew,
    Item,
    ReferencedServiceRecord,
    ServiceRecordBatchModel,
    ServiceRecordBatchNew,
    ServiceRecordModel,
    ServiceRecordNew,
    ServiceRecordPage,
    Status,
    VerificationNew,
    batch_json,
    item_of,
    record_shown,
)
from app.http.commands import Hot, answered, created, submit
from app.http.context import ContextDep
from app.http.lists import ListingDep
from app.http.operations import DESK, MANAGERS, NAMELESS, READERS, VERIFIERS, hot, operation
from app.http.problems import dump, faults_of, problem_document, refusal_document
from app.http.rendering import json_of
from app.http.routes import Router
from app.kernel.database import Session
from app.kernel.deciding import Decided
from app.kernel.errors import InvalidRequest
from app.kernel.references import Told

router = Router(prefix="/v1/communities/{community_id}", tags=["service records"])

_record_example = {
    "volunteer_id": "01936f5e-7c1a-7bbd-9d2e-0a51b1e0a001",
    "service_kind": "home_visit",
    "activity_name": "入户探访",
    "place": "祁连家园",
    "content": "量血压、打扫卫生、陪老人聊天",
    "organiser": "祁连路西社区居委会",
    "started_at": "2025-03-08T14:00:00+08:00",
    "ended_at": "2025-03-08T15:30:00+08:00",
    "minutes": 90,
    "recorder_name": "张文静",
}
_record_problems = ("unknown-volunteer", "unknown-service-kind", "unknown-beneficiary", "overlapping-service")


@router.post(
    "/service-records",
    status_code=201,
    response_model=ServiceRecordModel,
    **operation(roles=DESK, summary="Record a service", keyed=True, problems=_record_problems, example=_record_example),
)
@hot
async def create_service_record(request: Request, body: ServiceRecordNew, admitted: AdmittedDep) -> Response:
    """Record a service. It is approved at once where the community trusts its recorders, else it waits."""
    return await submit(
        request,
        admitted,
        body=body,
        item=service.NewServiceRecord(admitted.community, body.volunteer_id, body.facts(), admitted.caller_id),
        run=service.record_services,
        hot=Hot(service.reads_of_services),
        render=lambda record: created(
            request, record.id, json_of(record_shown(record)), posted=(_reference(record.id),)
        ),
    )


@router.get(
    "/service-records",
    response_model=ServiceRecordPage,
    **operation(roles=READERS, summary="List service records", problems=["invalid-cursor"]),
)
async def list_service_records(
    listing: ListingDep,
    admitted: AdmittedDep,
    status: Annotated[Status | None, Query()] = None,
    volunteer_id: Annotated[UUID | None, Query()] = None,
) -> ServiceRecordPage:
    """Service records, newest first."""
    filters = {"status": status, "volunteer_id": volunteer_id and str(volunteer_id)}
    page = await listing.page("service-records", admitted.community, service.list_records, filters=filters)
    return ServiceRecordPage.of(page, partial(_shown, admitted))


def _shown(admitted: Admitted, record: ServiceRecord) -> ServiceRecordModel:
    return ServiceRecordModel.of(record, names=admitted.role not in NAMELESS)


@router.get(
    "/service-records/{service_record_id}",
    response_model=ServiceRecordModel,
    **operation(roles=READERS, summary="Read a service record"),
)
async def get_service_record(service_record_id: UUID, context: ContextDep, admitted: AdmittedDep) -> ServiceRecordModel:
    """One service record with its decision and award."""
    async with context.database.read(admitted.community) as session:
        record = await service.get_record(session, admitted.community, service_record_id)
    return _shown(admitted, record)


@router.post(
    "/service-records/{service_record_id}/verification",
    response_model=ServiceRecordModel,
    **operation(
        roles=VERIFIERS,
        summary="Verify a service record",
        keyed=True,
        problems=["already-verified", "self-verification", "manager-required"],
        example={"decision": "approve"},
    ),
)
@hot
async def verify_service_record(
    service_record_id: UUID, request: Request, body: VerificationNew, admitted: AdmittedDep
) -> Response:
    """Approve or reject a pending record; an approval posts its minutes and points."""
    return await submit(
        request,
        admitted,
        body=body,
        item=service.Verification(
            community=admitted.community,
            service_record_id=service_record_id,
            approve=body.decision == "approve",
            verifier=admitted.caller_id,
            manager=admitted.role in MANAGERS,
            note=body.note,
        ),
        run=service.verify_records,
        hot=Hot(),
        render=lambda record: answered(json_of(record_shown(record)), posted=(_reference(record.id),)),
    )


@router.post(
    "/service-records/{service_record_id}/correction",
    response_model=ServiceRecordModel,
    **operation(
        roles=MANAGERS,
        summary="Correct a service record",
        keyed=True,
        problems=["record-not-approved", "already-reversed", *_record_problems],
        example={"reason": "张文静和张文婧记混了", "replacement": _record_example},
    ),
)
async def correct_service_record(
    service_record_id: UUID, request: Request, body: CorrectionNew, admitted: AdmittedDep
) -> Response:
    """Take an approved record back: minutes and points are reversed, and what was spent of them is owed."""
    replacement = None
    if body.replacement is not None:
        new = body.replacement
        replacement = service.NewServiceRecord(admitted.community, new.volunteer_id, new.facts(), admitted.caller_id)
    return await submit(
        request,
        admitted,
        body=body,
        item=correcting.NewCorrection(
            admitted.community, service_record_id, body.reason, admitted.caller_id, replacement
        ),
        run=correcting.correct_records,
        render=lambda record: answered(json_of(record_shown(record)), posted=_posted_by_correction(record)),
    )


@router.post(
    "/service-record-batches",
    response_model=ServiceRecordBatchModel,
    **operation(
        roles=DESK,
        summary="Record many services",
        keyed=True,
        problems=[*_record_problems, "reference-reused"],
        example={"dry_run": False, "records": [{"reference": "QL202503-00017", **_record_example}]},
    ),
)
async def create_service_record_batch(request: Request, body: ServiceRecordBatchNew, admitted: AdmittedDep) -> Response:
    """Record up to 500 services in order; each row is created, replayed or refused by itself."""

    async def run(session: Session, batches: Sequence[ServiceRecordBatchNew]) -> list[list[Item]]:
        return [await _run_batch(session, admitted, batch) for batch in batches]

    return await submit(
        request,
        admitted,
        body=body,
        item=body,
        run=run,
        render=lambda items: answered(batch_json(items), posted=tuple(map(_reference, _created(items)))),
        dry_run=body.dry_run,
    )


def _reference(record_id: UUID) -> str:
    return f"service-records/{record_id}"


def _posted_by_correction(record: ServiceRecord) -> tuple[str, ...]:
    replacement = record.correction and record.correction.replacement_id
    return tuple(map(_reference, (record.id, replacement) if replacement else (record.id,)))


def _created(items: Sequence[Item]) -> list[UUID]:
    return [item["service_record"]["id"] for item in items if item["outcome"] == "created"]


async def _run_batch(session: Session, admitted: Admitted, batch: ServiceRecordBatchNew) -> list[Item]:
    """Check rows one by one, record the good ones in one go, and put the answers back in the rows' order."""
    items: list[Item | None] = []
    good: list[ReferencedServiceRecord] = []
    for row in batch.records:
        try:
            good.append(ReferencedServiceRecord.taken(row))
            items.append(None)
        except ValidationError as error:
            given = row.get("reference") if isinstance(row, dict) else None
            reference = given if isinstance(given, str) else None
            invalid = InvalidRequest(errors=faults_of(error.errors()))
            items.append(item_of(reference, "refused", problem=dump(refusal_document(invalid))))
    recorded = await service.record_hours(session, [_new(admitted, row) for row in good])
    answers = iter([_item(row.reference, outcome) for row, outcome in zip(good, recorded, strict=True)])
    return [item or next(answers) for item in items]


def _new(admitted: Admitted, row: ReferencedServiceRecord) -> service.NewServiceRecord:
    return service.NewServiceRecord(
        admitted.community, row.volunteer_id, row.facts(), admitted.caller_id, row.reference
    )


def _item(reference: str, recorded: Decided[ServiceRecord]) -> Item:
    outcome = recorded.outcome
    if isinstance(outcome, ServiceRecord):
        return item_of(reference, "replayed" if recorded.replayed else "created", record=outcome)
    document = problem_document(*outcome) if isinstance(outcome, Told) else refusal_document(outcome)
    return item_of(reference, "replayed" if recorded.replayed else "refused", problem=dump(document))
