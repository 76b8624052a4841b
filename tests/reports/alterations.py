"""What somebody changes in a bank behind the service's back, and the checks of the audit that have to notice."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any, TypeAlias
from uuid import UUID, uuid4

import sqlalchemy as sa

from app.communities.rules import POINTS_EXPIRED, POINTS_POOL
from app.goods.tables import stock_movements
from app.hours.tables import corrections, service_records, verifications
from app.kernel.events import events
from app.kernel.heads import ledger_heads
from app.ledger.tables import ledger_accounts, ledger_balances
from app.ledger.tables import ledger_transactions as transactions
from app.redemptions.tables import redemption_lines, redemption_returns, redemptions
from tests.bank import NOW
from tests.tampering import Statement

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
        "whom a service was for": (
            {"evidence-differs"},
            (kept.change(service_records, {"beneficiary_id": kept.victim}, **award),),
        ),
        "the shift of a service": (
            {"evidence-differs"},
            (kept.change(service_records, {"shift_id": uuid4()}, **award),),
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
            {"redemption-missing", "redemption-without-posting", "reference-broken"},
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
            {"stock-wrong", "stock-without-movement"},
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
        "the head lost": ({"event-gap", "head-wrong"}, (sa.delete(ledger_heads).where(kept.at(ledger_heads)),)),
        "the balance of the pool lost": (
            {"balance-missing", "pool-wrong"},
            (sa.delete(ledger_balances).where(kept.at(ledger_balances), ledger_balances.c.account_number == pool),),
        ),
        "an event lost": ({"event-gap"}, (sa.delete(events).where(kept.at(events, number=3)),)),
        "an event moved below the first": (
            {"event-gap"},
            (sa.update(events).where(kept.at(events, number=3)).values(number=-3),),
        ),
    }


def altered_accounts(kept: Kept) -> Alterations:
    """What somebody changes about accounts that nothing ever moved, and the checks that have to notice."""
    idle = kept.at(ledger_accounts, address=POINTS_EXPIRED)
    number = sa.select(ledger_accounts.c.account_number).where(idle).scalar_subquery()
    return {
        "an idle account of another address": (
            {"account-wrong", "account-missing"},
            (sa.update(ledger_accounts).where(idle).values(address="community/mine"),),
        ),
        "an idle account of another unit": (
            {"account-wrong"},
            (sa.update(ledger_accounts).where(idle).values(unit="MINUTE"),),
        ),
        "an idle account lost": (
            {"account-missing", "account-gap"},
            (
                sa.delete(ledger_balances).where(kept.at(ledger_balances), ledger_balances.c.account_number == number),
                sa.delete(ledger_accounts).where(idle),
            ),
        ),
        "an account that nobody opened": (
            {"account-wrong", "account-gap", "balance-missing"},
            (
                sa.insert(ledger_accounts).values(
                    community_id=kept.number, account_number=99, address="volunteer/x/points", unit="POINT", bound=1
                ),
            ),
        ),
        "a balance of no account": (
            {"reference-broken"},
            (
                sa.insert(ledger_balances).values(
                    community_id=kept.number, account_number=99, bound=1, version=0, balance=0
                ),
            ),
        ),
    }


def altered_decisions(kept: Kept) -> Alterations:
    """What somebody changes about decisions, events and the head, and the checks that have to notice."""
    award, nothing = {"service_record_id": kept.record}, UUID(int=7)
    decided = {"decision": "reject", "verified_by": "nobody", "verified_at": NOW}
    ours = {"community_id": kept.number}
    return {
        "clipped minutes of another shape": (
            {"award-wrong"},
            (kept.change(verifications, {"clipped": ["forged"]}, **award),),
        ),
        "the time of a decision": (
            {"decision-differs"},
            (kept.change(verifications, {"verified_at": NOW - dt.timedelta(days=1)}, **award),),
        ),
        "a decision about nothing": (
            {"reference-broken"},
            (sa.insert(verifications).values(**ours, service_record_id=nothing, **decided),),
        ),
        "a correction of nothing": (
            {"reference-broken"},
            (
                sa.insert(corrections).values(
                    **ours,
                    service_record_id=nothing,
                    reason="x",
                    corrected_by="nobody",
                    corrected_at=NOW,
                    transaction_number=1,
                ),
            ),
        ),
        "a return of what is held": (
            {"redemption-status-wrong"},
            (
                sa.insert(redemption_returns).values(
                    **ours,
                    redemption_id=kept.held,
                    transaction_number=1,
                    return_reason="x",
                    returned_by="nobody",
                    returned_at=NOW,
                ),
            ),
        ),
        "why a redemption was cancelled": (
            {"decision-differs"},
            (kept.redemption(kept.cancelled, reason="forged"),),
        ),
        "who closed what is held": ({"redemption-status-wrong"}, (kept.redemption(kept.held, closed_by="nobody"),)),
    }


def altered_heads(kept: Kept) -> Alterations:
    """What somebody changes about events and the head, and the checks that have to notice."""
    award = {"service_record_id": kept.record}
    return {
        "an event with another's number": (
            {"event-differs", "event-gap", "event-runs-back"},
            (
                kept.change(
                    events,
                    {"number": 999},
                    number=sa.select(service_records.c.number)
                    .where(kept.at(service_records, **award))
                    .scalar_subquery(),
                ),
            ),
        ),
        "an event of before": (
            {"event-runs-back"},
            (kept.change(events, {"occurred_at": NOW - dt.timedelta(days=9)}, number=2),),
        ),
        "the time of the head": (
            {"head-time-wrong"},
            (kept.change(ledger_heads, {"last_at": NOW + dt.timedelta(days=9)}),),
        ),
        "what the head says is sealed": (
            {"checkpoint-missing", "sealed-number-wrong"},
            (kept.change(ledger_heads, {"sealed_number": 2}),),
        ),
    }


def alterations(kept: Kept) -> Alterations:
    """Everything that somebody changes, by name."""
    parts = (
        altered_hours,
        altered_redemptions,
        altered_stock,
        altered_accounts,
        altered_decisions,
        altered_heads,
    )
    return {name: alteration for part in parts for name, alteration in part(kept).items()}
