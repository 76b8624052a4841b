"""The audit of a community finds what was forged or altered in any feature, and nothing in a bank left alone."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from uuid import UUID

import pytest
import sqlalchemy as sa

from app import ledger
from app.communities.rules import POINTS_EXPIRED, POINTS_ISSUED, POINTS_POOL
from app.hours.tables import verifications
from app.kernel.events import events
from app.ledger import Discrepancy, Entry
from app.ledger.tables import ledger_accounts
from app.ledger.tables import ledger_transactions as transactions
from app.redemptions.rules import Line, Redemption, reservation
from app.redemptions.tables import redemptions
from app.reports.service import audit_community
from app.volunteers.rules import points_account
from app.worker import run_due
from tests.bank import done
from tests.conftest import run_cli
from tests.redemptions.acts import cancel, collect, reserve, rich
from tests.reports.alterations import Kept, alterations
from tests.tampering import tampered

if TYPE_CHECKING:
    from app.settings import Settings
    from tests.bank import Bank


@pytest.fixture
async def kept(bank: Bank) -> Kept:
    """Volunteers who served and redeemed; of their redemptions there is one in every status, two collected."""
    await bank.open_community(redemption_hold_hours=2)
    victim, thief = await rich(bank, 100), await rich(bank, 100)
    record = await bank.hours(victim["id"], start="2026-02-01T00:30")
    towel, soap = await bank.goods(pieces=9, price=10), await bank.goods(pieces=9, price=10)
    for stock in ({"kind": "written_off", "quantity": 1}, {"kind": "counted", "quantity": 8}):
        done(await bank.manager.post(f"goods/{towel['id']}/stock-movements", {**stock, "note": "盘点"}), 201)
    lapsed = done(await reserve(bank.desk, victim, (towel, 1), (soap, 1)), 201)
    bank.clock.move(hours=3)
    await run_due(bank.database, bank.app.state.context.settings)
    got_towel = done(await reserve(bank.desk, victim, (towel, 1)), 201)
    got_soap = done(await reserve(bank.desk, victim, (soap, 1)), 201)
    for one in (got_towel, got_soap):
        done(await collect(bank.desk, one), 200)
    cancelled = done(await reserve(bank.desk, victim, (towel, 2)), 201)
    done(await cancel(bank.desk, cancelled), 200)
    held = done(await reserve(bank.desk, thief, (towel, 1)), 201)
    named = (thief, victim, towel, soap, record, got_towel, got_soap, held, cancelled, lapsed)
    return Kept(bank.number, *(UUID(one["id"]) for one in named))


async def audited(bank: Bank) -> list[Discrepancy]:
    """What the audit of the bank's community finds."""
    async with bank.database.read(bank.number) as session:
        return await audit_community(session, bank.number)


async def forge(bank: Bank, kind: str, reference: str, *movements: tuple[str, int]) -> int:
    """Post a balanced transaction as no feature would; give its number."""
    async with bank.database.write(bank.number) as session:
        (posted,) = await ledger.post_decided(session, [Entry(bank.number, kind, movements, reference, "nobody")])
    return posted.transaction_id


async def test_every_alteration_is_noticed_by_the_checks_that_it_concerns(
    bank: Bank, kept: Kept, settings: Settings
) -> None:
    assert await audited(bank) == []
    expected, noticed = {}, {}
    for name, (checks, statements) in alterations(kept).items():
        expected[name] = checks
        async with tampered(bank.database, settings, *statements) as session:
            noticed[name] = {found.check for found in await audit_community(session, bank.number)}
    assert noticed == expected
    assert await audited(bank) == []


async def test_a_transaction_that_no_feature_answers_for_is_named(bank: Bank, kept: Kept) -> None:
    thief = points_account(kept.thief)
    number = await forge(bank, "forged", "community", (POINTS_ISSUED, -99_999), (thief, 99_999))
    assert await audited(bank) == [Discrepancy("transaction-unclaimed", f"transaction/{number}", "kind forged")]


async def test_a_reversal_belongs_only_with_what_it_reverses(bank: Bank, kept: Kept) -> None:
    number = await forge(bank, "reversal", "community", (POINTS_ISSUED, -5), (points_account(kept.victim), 5))
    unclaimed = Discrepancy("transaction-unclaimed", f"transaction/{number}", "kind reversal")
    assert await audited(bank) == [unclaimed]
    async with bank.database.write(bank.number) as session:
        await ledger.reverse(session, bank.number, [number], reason="forged", posted_by="manager")
    assert await audited(bank) == [unclaimed]


@pytest.mark.parametrize(
    ("kind", "check"), [("deposit", "deposit-without-record"), ("stock_received", "stock-without-movement")]
)
async def test_a_forged_transaction_of_a_known_kind_is_one_too_many(
    bank: Bank, kept: Kept, kind: str, check: str
) -> None:
    movements = (POINTS_ISSUED, -5), (points_account(kept.thief), 5)
    await forge(bank, kind, f"service-records/{kept.record}", *movements)
    assert [found.check for found in await audited(bank)] == [check]


async def test_what_is_missing_is_named(bank: Bank, kept: Kept, settings: Settings) -> None:
    lost = kept.at(verifications, service_record_id=kept.record)
    deposited = await _number(bank, kept, "deposit", f"service-records/{kept.record}")
    cancelled = kept.at(redemptions, redemption_id=kept.cancelled)
    expected = {
        ("deposit-without-record", f"transaction/{deposited}"): sa.delete(verifications).where(lost),
        ("redemption-without-posting", f"redemption/{kept.cancelled}"): kept.booked(
            {"kind": "lapse"}, "cancellation", f"redemptions/{kept.cancelled}"
        ),
        ("reference-broken", f"redemption/{kept.cancelled}"): sa.delete(redemptions).where(cancelled),
        ("event-gap", "event/3"): sa.delete(events).where(kept.at(events, number=3)),
        ("account-missing", POINTS_EXPIRED): kept.change(ledger_accounts, {"address": "x"}, address=POINTS_EXPIRED),
    }
    for named, statement in expected.items():
        async with tampered(bank.database, settings, statement) as session:
            assert named in {(one.check, one.subject) for one in await audit_community(session, bank.number)}


async def _number(bank: Bank, kept: Kept, kind: str, reference: str) -> int:
    async with bank.database.read(bank.number) as session:
        found = await session.execute(
            sa.select(transactions.c.transaction_number).where(kept.at(transactions, kind=kind, reference=reference))
        )
        return int(found.scalar_one())


async def test_a_reservation_posted_again_is_found_with_its_redemption(bank: Bank, kept: Kept) -> None:
    async with bank.database.read(bank.number) as session:
        found = await session.execute(sa.select(redemptions).where(redemptions.c.redemption_id == kept.held))
        values = dict(found.one()._mapping)
    values.pop("community_id")
    values.pop("redemption_id")
    held = Redemption(id=kept.held, community=bank.number, lines=(Line(kept.towel, 1, 10),), **values)
    await forge(bank, "reservation", f"redemptions/{kept.held}", *reservation(held))
    found_again = {(one.check, one.subject) for one in await audited(bank)}
    assert ("redemption-posted-twice", f"redemptions/{kept.held}") in found_again
    assert ("redemption-without-posting", "reservation") in found_again


async def test_a_forged_collection_that_names_nobody_is_found(bank: Bank, kept: Kept) -> None:
    number = await forge(
        bank, "collection", "redemptions/x", (POINTS_ISSUED, -5), (points_account(kept.thief), 3), (POINTS_POOL, 2)
    )
    detail = "kind collection, reference redemptions/x"
    assert Discrepancy("redemption-missing", f"transaction/{number}", detail) in await audited(bank)


async def test_the_command_prints_what_it_finds_and_fails(bank: Bank, kept: Kept, settings: Settings) -> None:
    environment = {"LOVEBANK_DATABASE_URL": settings.database_url, "LOVEBANK_SECRET_PEPPER": "p" * 40}
    code = bank.community["code"]
    async with tampered(bank.database, settings, kept.redemption(kept.got_towel, volunteer_id=kept.thief)) as session:
        await session.connection.commit()
    answer = run_cli("audit", "--community", code, **environment)
    assert (answer.returncode, answer.stderr) == (1, "")
    printed = [json.loads(line) for line in answer.stdout.splitlines()]
    assert {(line["community"], line["check"], line["subject"]) for line in printed} == {
        (code, "redemption-wrong", f"redemption/{kept.got_towel}")
    }
