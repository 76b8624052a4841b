"""However many records a batch has, recording and verifying them takes the same few SQL statements."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID

import pytest

from app.hours.rules import APPROVED, PENDING, REJECTED, ServiceFacts, ServiceRecord
from app.hours.service import NewServiceRecord, Verification, record_hours, record_services, verify_records
from tests.hours.counting import statements

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.bank import Bank

SIZES = (1, 10, 200)


def services(bank: Bank, volunteer_ids: list[UUID]) -> Iterator[NewServiceRecord]:
    """Services without end that overlap no other: an hour a day, of each volunteer in turn, from 2025 on."""
    start = datetime(2025, 1, 2, 2, 0, tzinfo=UTC)
    number = 0
    while True:
        began = start + timedelta(days=number // len(volunteer_ids))
        end = began + timedelta(hours=1)
        facts = ServiceFacts("home_visit", "入户探访", "祁连家园", "打扫卫生", "居委会", began, end, 60)
        volunteer_id = volunteer_ids[number % len(volunteer_ids)]
        yield NewServiceRecord(bank.number, volunteer_id, facts, bank.desk.client_id, f"QL-{number}")
        number += 1


@pytest.mark.parametrize(
    ("verification", "recording"),
    [
        # Communities, kinds, rules, consents and days are read in one; events and records are written.
        pytest.param("four_eyes", {"sqlite": 3, "postgresql": 2}, id="four eyes"),
        # And accounts read, transactions, postings, balances and decisions written, where they are approved at once.
        pytest.param("recorder", {"sqlite": 8, "postgresql": 3}, id="trusted recorders"),
    ],
)
async def test_one_record_takes_as_many_statements_as_two_hundred(
    bank: Bank, verification: str, recording: dict[str, int]
) -> None:
    await bank.open_community(verification=verification)
    await bank.kind(minutes_per_day_max=30)
    source = services(bank, [UUID((await bank.volunteer())["id"]) for _ in range(4)])
    # The first transaction since the last seal says besides that another is due.
    await bank.goods(pieces=1)
    table = {}
    for size in SIZES:
        for referenced in (True, False):
            new = [next(source) for _ in range(size)]
            if not referenced:
                new = [one._replace(reference=None) for one in new]
            async with bank.database.write(bank.number) as session, statements(session) as sent:
                recorded = [one.outcome for one in await record_hours(session, new)]
            records = [one for one in recorded if isinstance(one, ServiceRecord)]
            assert [one.status for one in records] == [PENDING if verification == "four_eyes" else APPROVED] * size
            table[referenced, size] = len(sent)
    # References are read and written besides; PostgreSQL gets all that is written as one statement.
    engine = bank.database.dialect
    extra = {True: {"sqlite": 2, "postgresql": 1}[engine], False: 0}
    assert table == {
        (referenced, size): recording[engine] + extra[referenced] for referenced in extra for size in SIZES
    }


async def test_one_decision_takes_as_many_statements_as_two_hundred(bank: Bank) -> None:
    await bank.kind(minutes_per_day_max=30)
    source = services(bank, [UUID((await bank.volunteer())["id"]) for _ in range(4)])
    # The first transaction since the last seal says besides that another is due.
    await bank.goods(pieces=1)
    table = {}
    for size in SIZES:
        for approve in (True, False):
            async with bank.database.write(bank.number) as session:
                recorded = await record_services(session, [next(source) for _ in range(size)])
            records = [one for one in recorded if isinstance(one, ServiceRecord)]
            async with bank.database.write(bank.number) as session, statements(session) as sent:
                decided = await verify_records(session, decisions(bank, records, approve=approve))
            status = APPROVED if approve else REJECTED
            assert [isinstance(one, ServiceRecord) and one.status for one in decided] == [status] * size
            table[approve, size] = len(sent)
    # Records are read, then rules and days; events, the new status and decisions are written, by PostgreSQL in one
    # statement. An approval has the ledger read balances and write three tables.
    counts = {"sqlite": {True: 9, False: 5}, "postgresql": {True: 4, False: 3}}[bank.database.dialect]
    assert table == {(approve, size): counts[approve] for approve in counts for size in SIZES}


def decisions(bank: Bank, records: list[ServiceRecord], *, approve: bool) -> list[Verification]:
    return [
        Verification(bank.number, record.id, approve=approve, verifier=bank.verifier.client_id, manager=False)
        for record in records
    ]


async def test_refused_rows_take_no_statement_of_their_own_either(bank: Bank) -> None:
    await bank.kind()
    volunteer_id = UUID((await bank.volunteer())["id"])
    source = services(bank, [volunteer_id])
    first = next(source)._replace(reference=None)
    table = {}
    for size in SIZES:
        async with bank.database.write(bank.number) as session, statements(session) as sent:
            await record_services(session, [first] * size)
        table[size] = len(sent)
    # The first record is written; from then on everything overlaps it, and nothing but reading is left.
    assert table == {1: {"sqlite": 3, "postgresql": 2}[bank.database.dialect], 10: 1, 200: 1}
