"""Whoever writes past the app is kept from rows of a deposit that refer to nothing, by the database itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from app.hours.tables import service_records, verifications
from app.kernel.idempotency import idempotency_answers
from tests.ledger.books import owner

if TYPE_CHECKING:
    from collections.abc import Callable

    from app.settings import Settings
    from tests.bank import Bank

Row = dict[str, Any]

ANOTHER: dict[str, Callable[[Row], Row]] = {
    "a record": lambda row: {**row, "service_record_id": uuid4(), "number": 1_000},
    "a decision": lambda row: {**row, "decision": "reject", "transaction_number": None, "earning_rule_id": None},
}
"""What could stand beside a row that is there."""

REFUSED: list[tuple[str, sa.Table, Row]] = [
    ("a record", service_records, {"service_kind": "unheard_of"}),
    ("a record", service_records, {"volunteer_id": uuid4()}),
    ("a decision", verifications, {"service_record_id": uuid4()}),
    ("a decision", verifications, {"earning_rule_id": uuid4()}),
    ("a decision", verifications, {"decision": "approve", "transaction_number": 999}),
]


@pytest.mark.parametrize(("what", "table", "forged"), REFUSED, ids=[f"{one[0]}: {[*one[2]][-1]}" for one in REFUSED])
async def test_what_refers_to_nothing_is_refused(
    bank: Bank, settings: Settings, what: str, table: sa.Table, forged: Row
) -> None:
    await bank.kind()
    volunteer = await bank.volunteer()
    approved = await bank.hours(volunteer["id"])
    pending = bank.record(volunteer["id"], start="2025-03-01T09:00")
    waiting = (await bank.desk.post("service-records", pending)).json()
    with owner(settings) as connection:
        found = connection.execute(sa.select(table).where(table.c.service_record_id == approved["id"])).mappings().one()
    good = ANOTHER[what](dict(found))
    if table is verifications:
        good["service_record_id"] = waiting["id"]
    with pytest.raises(IntegrityError), owner(settings) as connection:
        connection.execute(sa.insert(table).values({**good, **forged}))
    with owner(settings) as connection:
        connection.execute(sa.insert(table).values(good))


async def test_an_answer_to_no_key_is_refused(bank: Bank, settings: Settings) -> None:
    with owner(settings) as connection:
        query = sa.select(idempotency_answers).where(idempotency_answers.c.community_id == 0).limit(1)
        good = dict(connection.execute(query).mappings().one())
    for forged in ({"key": "unheard of"}, {"caller": "nobody"}, {"community_id": bank.number}):
        with pytest.raises(IntegrityError), owner(settings) as connection:
            connection.execute(sa.insert(idempotency_answers).values({**good, **forged}))
    with owner(settings) as connection:
        connection.execute(sa.delete(idempotency_answers).where(idempotency_answers.c.key == good["key"]))
        connection.execute(sa.insert(idempotency_answers).values(good))
