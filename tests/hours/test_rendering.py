"""Service records are written from plain data; their documented models say what that has to be."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

import pytest

from app.hours.errors import OverlappingService
from app.hours.rules import Award, Clip, Correction, ServiceFacts, ServiceRecord
from app.hours.schemas import (
    BatchItemModel,
    ServiceRecordBatchModel,
    ServiceRecordModel,
    batch_json,
    item_of,
    record_shown,
)
from app.http.operations import ProblemModel
from app.http.problems import dump, refusal_document
from app.http.rendering import json_of
from app.kernel.errors import Fault, InvalidRequest, Refusal

ID = UUID("01936f5e-7c1a-7bbd-9d2e-0a51b1e0a001")
OTHER = UUID("01936f5e-7c1a-7bbd-9d2e-0a51b1e0a002")
WHOLE, FRACTION = datetime(2026, 3, 1, 1, tzinfo=UTC), datetime(2026, 3, 1, 1, 2, 3, 40, tzinfo=UTC)
ELSEWHERE = datetime(2026, 3, 1, 1, tzinfo=dt.timezone(dt.timedelta(hours=8)))
FACTS = ServiceFacts("home_visit", '入户"探访"\n\t', "\\/\x7f\u2028", "é😀", "居委会", WHOLE, FRACTION, 60)
PENDING = ServiceRecord(ID, 1, 7, ID, FACTS, WHOLE.date(), False, True, "1-a", FRACTION, "pending")  # noqa: FBT003
APPROVED = replace(
    PENDING,
    facts=FACTS._replace(
        recorder_name="张文静",
        external_ids=(("a", "1"), ("b", "2")),
        started_at=ELSEWHERE,
        beneficiary_id=ID,
        shift_id=OTHER,
    ),
    status="approved",
    note="好",
    verified_by="1-b",
    verified_at=WHOLE,
    award=Award(ID, 10, 55, (Clip("minutes_per_day_max", 5),)),
    transaction_id=9,
)
CORRECTED = replace(
    APPROVED, status="corrected", award=Award(None, 0, 0), correction=Correction("x", "1-c", FRACTION, 12, None)
)
REPLACED = replace(CORRECTED, correction=Correction("x", "1-c", FRACTION, 12, ID))
RECORDS = (PENDING, APPROVED, CORRECTED, REPLACED)


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: record.status)
def test_record_is_written_as_its_model_would_be(record: ServiceRecord) -> None:
    assert json_of(record_shown(record)) == ServiceRecordModel.of(record).model_dump_json().encode()


def test_batch_is_written_as_its_model_would_be() -> None:
    refusals: list[Refusal] = [
        InvalidRequest(errors=(Fault("/place", "必填"), Fault("", "x"))),
        OverlappingService(service_record_id=ID),
    ]
    documents = [dump(refusal_document(refusal)) for refusal in refusals]
    items = [
        *(item_of(f"QL-{place}", "created", record=record) for place, record in enumerate(RECORDS)),
        item_of("QL-0", "replayed", record=PENDING),
        *(item_of(None, "refused", problem=document) for document in documents),
        item_of("QL-9", "replayed", problem=documents[1]),
    ]
    models = [
        *(
            BatchItemModel(reference=f"QL-{place}", outcome="created", service_record=ServiceRecordModel.of(record))
            for place, record in enumerate(RECORDS)
        ),
        BatchItemModel(reference="QL-0", outcome="replayed", service_record=ServiceRecordModel.of(PENDING)),
        *(
            BatchItemModel(reference=None, outcome="refused", problem=ProblemModel.model_validate_json(document))
            for document in documents
        ),
        BatchItemModel(reference="QL-9", outcome="replayed", problem=ProblemModel.model_validate_json(documents[1])),
    ]
    model = ServiceRecordBatchModel(items=models, counts={"created": 4, "replayed": 2, "refused": 2})
    assert batch_json(items) == model.model_dump_json(exclude_unset=True).encode()
