"""Redemptions, pure: periods of limits, whether an order holds, and what each step moves in the ledger."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from app.communities.rules import POINTS_REDEEMED
from app.goods import rules as goods_rules
from app.goods.errors import OutOfStock
from app.kernel.canonical import canonical
from app.redemptions.errors import HOUSEHOLD, PERSON, LimitReached
from app.volunteers.errors import InsufficientPoints
from app.volunteers.rules import points_account, reserved_account

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime
    from uuid import UUID

    from app.goods.rules import Goods
    from app.kernel.errors import Refusal

RESERVED = "reserved"
COLLECTED = "collected"
CANCELLED = "cancelled"
LAPSED = "lapsed"
RETURNED = "returned"

_months_of = {"month": 1, "quarter": 3, "year": 12}
_december = 12


@dataclass(frozen=True, slots=True)
class Line:
    """Pieces of one article, at the price of the day."""

    goods_id: UUID
    quantity: int
    points_each: int


@dataclass(frozen=True, slots=True)
class Redemption:
    """Points for goods. `points` is the price of all lines; `lapses_at` is when the hold ends.

    `reason` is why it was cancelled or returned; of a returned one `closed_at` is still when it was collected.
    """

    id: UUID
    community: int
    number: int
    volunteer_id: UUID
    lines: tuple[Line, ...]
    points: int
    status: str
    pickup_code: str
    occurred_at: datetime
    occurred_on: dt.date
    reserved_by: str
    reserved_at: datetime
    lapses_at: datetime
    closed_at: datetime | None = None
    closed_by: str | None = None
    reason: str | None = None
    returned_at: datetime | None = None
    returned_by: str | None = None
    return_transaction_id: int | None = None

    def status_at(self, moment: datetime) -> str:
        """The status at a moment: once the hold is over a reserved one has lapsed, whether or not the job ran."""
        return LAPSED if self.status == RESERVED and self.lapses_at <= moment else self.status


def evidence_of(redemption: Redemption, kind: str) -> bytes:
    """Write what a redemption says of a step of it: the step's transaction is bound to that."""
    if kind == "reservation":
        return canonical(
            {
                "lapses_at": redemption.lapses_at,
                "lines": [[line.goods_id, line.quantity, line.points_each] for line in redemption.lines],
                "number": redemption.number,
                "occurred_at": redemption.occurred_at,
                "occurred_on": redemption.occurred_on,
                "points": redemption.points,
                "redemption_id": redemption.id,
                "reserved_at": redemption.reserved_at,
                "reserved_by": redemption.reserved_by,
                "volunteer_id": redemption.volunteer_id,
            }
        )
    if kind == "return":
        return canonical({"returned_at": redemption.returned_at, "returned_by": redemption.returned_by})
    return canonical({"closed_at": redemption.closed_at, "closed_by": redemption.closed_by})


Taken: TypeAlias = "dict[UUID, list[tuple[dt.date, int]]]"
"""The pieces that a volunteer took of each article, by the day on which they were redeemed."""


@dataclass(slots=True)
class Counter:
    """What a volunteer's next order rests on; it goes on as orders are decided.

    `taken` has what the volunteer took, `household` what each member of the household took: one of them is `taken`.
    """

    points: int
    taken: Taken
    household: Sequence[Taken]


def period_of(day: dt.date, period: str) -> tuple[dt.date, dt.date]:
    """The first and last day of the calendar period (day, month, quarter, year) that a day lies in."""
    if period == "day":
        return day, day
    months = _months_of[period]
    first_month = (day.month - 1) // months * months + 1
    last_month = first_month + months - 1
    first = day.replace(month=first_month, day=1)
    after = dt.date(day.year + 1, 1, 1) if last_month == _december else day.replace(month=last_month + 1, day=1)
    return first, after - dt.timedelta(days=1)


def order_refusal(
    order: Sequence[tuple[Goods, int]], on: dt.date, counter: Counter, shelves: Mapping[UUID, int]
) -> Refusal | None:
    """Why an order does not hold, in this sequence: a limit is reached, the shelf is short, points are short."""
    for article, quantity in order:
        for per, limit, takers in (
            (PERSON, article.limit_per_person, (counter.taken,)),
            (HOUSEHOLD, article.limit_per_household, counter.household),
        ):
            first, last = period_of(on, article.limit_period)
            taken = sum(pieces for one in takers for day, pieces in one.get(article.id, []) if first <= day <= last)
            if limit is not None and taken + quantity > limit:
                return LimitReached(article.code, per, limit, taken, quantity, first, last)
    for article, quantity in order:
        if shelves[article.id] < quantity:
            return OutOfStock(goods=article.code, available=shelves[article.id], needed=quantity)
    price = sum(article.points_price * quantity for article, quantity in order)
    if counter.points < price:
        return InsufficientPoints(balance=counter.points, needed=price)
    return None


def reservation(redemption: Redemption) -> tuple[tuple[str, int], ...]:
    """What reserving moves: points and pieces are held."""
    who, points = redemption.volunteer_id, redemption.points
    movements = [(points_account(who), -points), (reserved_account(who), points)]
    for line in redemption.lines:
        movements.append((goods_rules.shelf_account(line.goods_id), -line.quantity))
        movements.append((goods_rules.reserved_account(line.goods_id), line.quantity))
    return tuple(movements)


def release(redemption: Redemption) -> tuple[tuple[str, int], ...]:
    """What cancelling and lapsing move: everything that was held is free again."""
    return tuple((account, -amount) for account, amount in reservation(redemption))


def collection(redemption: Redemption) -> tuple[tuple[str, int], ...]:
    """What collecting moves: held points are redeemed, held pieces handed out."""
    movements = [(reserved_account(redemption.volunteer_id), -redemption.points), (POINTS_REDEEMED, redemption.points)]
    for line in redemption.lines:
        movements.append((goods_rules.reserved_account(line.goods_id), -line.quantity))
        movements.append((goods_rules.handed_out_account(line.goods_id), line.quantity))
    return tuple(movements)


def takeback(redemption: Redemption) -> tuple[tuple[str, int], ...]:
    """What returning moves: redeemed points are the volunteer's again, pieces lie on the shelf again."""
    movements = [(POINTS_REDEEMED, -redemption.points), (points_account(redemption.volunteer_id), redemption.points)]
    for line in redemption.lines:
        movements.append((goods_rules.handed_out_account(line.goods_id), -line.quantity))
        movements.append((goods_rules.shelf_account(line.goods_id), line.quantity))
    return tuple(movements)
