"""The audit of a community finds what was forged or altered in any feature, and nothing in a bank left alone."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa

from app import ledger
from app.communities.rules import POINTS_ISSUED, POINTS_POOL
from app.goods.tables import stock_movements
from app.hours.tables import service_records, verifications
from app.kernel.events import events
from app.kernel.heads import ledger_heads
from app.ledger import Discrepancy, Entry
from app.ledger.tables import ledger_accounts, ledger_balances
from app.ledger.tables import ledger_transactions as transactions
from app.redemptions.rules import Line, Redemption, reservation
from app.redemptions.tables import redemption_lines, redemptions
from app.reports.service import audit_community
from app.volunteers.rules import points_account
from app.worker import run_due
from tests.bank import NOW, done
from tests.conftest import run_cli
from tests.redemptions.acts import cancel, collect, reserve, rich
from tests.tampering import Statement, tampered

if TYPE_CHECKING:
    from app.settings import Settings
    from tests.bank import Bank

Alterations: TypeAlias = dict[str, tuple[set[str], tuple[Statement, ...]]]


@dataclass(frozen=True, slots=True)
class Kept:
    """A bank with a history: ids of a thief and a victim, two articles of one price, and what was done with them."""

    number: int
    thief: UUID
    victim: UUID
    towel: UUID
    soap: UUID
    record: UUID
    got_towel: UUID
    got_soap: UUID
    held: UUID
    cancelled: UUID
    lapsed: UUID

    def at(self, table: sa.Table, **key: object) -> sa.ColumnElement[bool]:
        """The rows of this community with this key."""
        return sa.and_(table.c.community_id == self.number, *(table.c[name] == value for name, value in key.items()))

    def change(self, table: sa.Table, values: dict[str, Any], **key: object) -> Statement:
        """Change rows of this community."""
        return sa.update(table).where(self.at(table, **key)).values(values)

    def redemption(self, redemption_id: UUID, **values: object) -> Statement:
        """Change a redemption."""
        return self.change(redemptions, values, redemption_id=redemption_id)

    def lines(self, redemption_id: UUID, **values: object) -> Statement:
        """Change the lines of a redemption."""
        return self.change(redemption_lines, values, redemption_id=redemption_id)

    def booked(self, values: dict[str, Any], kind: str, reference: str) -> Statement:
        """Change the transaction of a kind that something is the reference of."""
        return self.change(transactions, values, kind=kind, reference=reference)


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


def altered_hours(kept: Kept) -> Alterations:
    """What somebody changes about services, and the checks that have to notice."""
    award = {"service_record_id": kept.record}
    deposit = ("deposit", f"service-records/{kept.record}")
    return {
        "a service on another day": (
            {"evidence-differs", "service-date-wrong"},
            (kept.change(service_records, {"service_date": dt.date(2026, 1, 31)}, **award),),
        ),
        "points of an award": (
            {"evidence-differs", "award-wrong", "posting-wrong"},
            (kept.change(verifications, {"points": 999}, **award),),
        ),
        "minutes of a record": (
            {"evidence-differs", "award-wrong", "posting-wrong"},
            (kept.change(service_records, {"minutes": 60}, **award),),
        ),
        "an approved record rejected": (
            {"status-without-decision"},
            (kept.change(service_records, {"status": "rejected"}, **award),),
        ),
        "a record of another volunteer": (
            {"evidence-differs", "posting-wrong"},
            (kept.change(service_records, {"volunteer_id": kept.thief}, **award),),
        ),
        "a deposit for another record": (
            {"leaf-differs", "posting-wrong"},
            (kept.booked({"reference": f"service-records/{uuid4()}"}, *deposit),),
        ),
        "a deposit of an invented kind": (
            {"leaf-differs", "posting-wrong", "deposit-without-record", "transaction-unclaimed"},
            (kept.booked({"kind": "bonus"}, *deposit),),
        ),
    }


def altered_redemptions(kept: Kept) -> Alterations:
    """What somebody changes about redemptions, and the checks that have to notice."""
    got = f"redemptions/{kept.got_towel}"
    closed = {"status": "collected", "closed_at": NOW, "closed_by": "nobody"}
    return {
        "a collected redemption of another volunteer": (
            {"redemption-wrong"},
            (kept.redemption(kept.got_towel, volunteer_id=kept.thief),),
        ),
        "the goods of two redemptions swapped": (
            {"redemption-wrong"},
            (kept.lines(kept.got_towel, goods_id=kept.soap), kept.lines(kept.got_soap, goods_id=kept.towel)),
        ),
        "a cancelled redemption lapsed": (
            {"redemption-status-wrong", "redemption-without-posting"},
            (kept.redemption(kept.cancelled, status="lapsed"),),
        ),
        "two redemptions with each other's end": (
            {"redemption-status-wrong"},
            (kept.redemption(kept.cancelled, status="lapsed"), kept.redemption(kept.lapsed, status="cancelled")),
        ),
        "a held redemption collected": (
            {"redemptions-wrong", "redemption-without-posting"},
            (kept.redemption(kept.held, **closed),),
        ),
        "pieces of a line": (
            {"redemption-wrong", "redemption-price-wrong"},
            (kept.lines(kept.cancelled, quantity=1),),
        ),
        "the price of a line": (
            {"evidence-differs", "redemption-price-wrong"},
            (kept.lines(kept.got_towel, points_each=9),),
        ),
        "points of a redemption": (
            {"redemption-wrong", "redemption-price-wrong"},
            (kept.redemption(kept.lapsed, points=1),),
        ),
        "the lines of a redemption lost": (
            {"redemption-wrong", "redemption-price-wrong"},
            (sa.delete(redemption_lines).where(kept.at(redemption_lines, redemption_id=kept.lapsed)),),
        ),
        "a redemption lost": (
            {"redemption-missing", "redemption-without-posting"},
            (sa.delete(redemptions).where(kept.at(redemptions, redemption_id=kept.cancelled)),),
        ),
        "a collection of another redemption": (
            {"leaf-differs", "redemption-status-wrong"},
            (kept.booked({"reference": f"redemptions/{kept.held}"}, "collection", got),),
        ),
        "a collection of nothing": (
            {"leaf-differs", "redemption-missing"},
            (kept.booked({"reference": "x"}, "collection", got),),
        ),
    }


def altered_stock(kept: Kept) -> Alterations:
    """What somebody changes about stock and events, and the checks that have to notice."""
    reserved = sa.select(transactions.c.transaction_number).where(
        kept.at(transactions, kind="reservation", reference=f"redemptions/{kept.got_towel}")
    )
    received = {"goods_id": kept.soap, "kind": "received"}
    pool = (
        sa.select(ledger_accounts.c.account_number)
        .where(kept.at(ledger_accounts, address=POINTS_POOL))
        .scalar_subquery()
    )
    stocked = sa.and_(kept.at(transactions, kind="stock_received"), transactions.c.reference.contains(str(kept.soap)))
    return {
        "a movement with another's transaction": (
            {"stock-wrong"},
            (kept.change(stock_movements, {"transaction_number": reserved.scalar_subquery()}, **received),),
        ),
        "a movement of more pieces": ({"stock-wrong"}, (kept.change(stock_movements, {"change": 90}, **received),)),
        "a movement of another kind": (
            {"stock-wrong"},
            (kept.change(stock_movements, {"kind": "counted"}, **received),),
        ),
        "a movement of another article": (
            {"stock-wrong"},
            (kept.change(stock_movements, {"goods_id": kept.towel}, **received),),
        ),
        "stock for another reason": (
            {"leaf-differs", "stock-wrong"},
            (sa.update(transactions).where(stocked).values(reference="x"),),
        ),
        "stock of an invented kind": (
            {"leaf-differs", "stock-wrong", "stock-without-movement", "transaction-unclaimed"},
            (sa.update(transactions).where(stocked).values(kind="stock_found"),),
        ),
        "a movement lost": (
            {"stock-without-movement"},
            (sa.delete(stock_movements).where(kept.at(stock_movements, **received)),),
        ),
        "the head lost": ({"event-gap"}, (sa.delete(ledger_heads).where(kept.at(ledger_heads)),)),
        "the balance of the pool lost": (
            {"balance-missing", "pool-wrong"},
            (sa.delete(ledger_balances).where(kept.at(ledger_balances), ledger_balances.c.account_number == pool),),
        ),
        "an event lost": ({"event-gap"}, (sa.delete(events).where(kept.at(events, number=3)),)),
    }


async def test_every_alteration_is_noticed_by_the_checks_that_it_concerns(
    bank: Bank, kept: Kept, settings: Settings
) -> None:
    assert await audited(bank) == []
    expected, noticed = {}, {}
    for name, (checks, statements) in {
        **altered_hours(kept),
        **altered_redemptions(kept),
        **altered_stock(kept),
    }.items():
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
