"""A love bank in memory, as plain as can be: what the real one has to agree with after every step."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

POINTS_PER_HOUR = 17
MINUTES_PER_RECORD_MAX = 100
MINUTES_PER_DAY_MAX = 150
HOLD_HOURS = 5

Span = tuple[int, int, int]
"""A day and two minutes of it: from the first up to the second."""


@dataclass
class Purse:
    """What a volunteer holds."""

    minutes: int = 0
    points: int = 0
    held: int = 0


@dataclass
class Shelf:
    """Where an article's pieces are."""

    price: int
    limit: int | None
    free: int = 0
    held: int = 0
    handed_out: int = 0
    written_off: int = 0


@dataclass
class Service:
    """A service record."""

    who: int
    span: Span
    recorder: str
    manager_required: bool
    status: str = "pending"
    counted: int = 0

    @property
    def minutes(self) -> int:
        return self.span[2] - self.span[1]


@dataclass
class Order:
    """A redemption."""

    who: int
    wanted: dict[int, int]
    price: int
    lapses_at: datetime
    status: str = "reserved"


@dataclass
class Model:
    """The whole bank. A step gives the outcome that the API has to give: a code, or None when it is done."""

    purses: list[Purse]
    shelves: list[Shelf]
    services: list[Service] = field(default_factory=list)
    orders: list[Order] = field(default_factory=list)
    pool: int = 0

    def record(self, who: int, span: Span, recorder: str) -> str | None:
        """Record a service: refused when it shares a minute with a live one."""
        day, start, end = span
        live = [one for one in self.services if one.who == who and one.status != "rejected" and one.span[0] == day]
        given = {minute for one in live for minute in range(*one.span[1:])}
        if given & set(range(start, end)):
            return "overlapping-service"
        # No two live records share a minute, so the minutes of the day are as many as there are in the set.
        over = len(given) + end - start > 8 * 60
        self.services.append(Service(who, span, recorder, over))
        return None

    def verify(self, one: Service, verifier: str, *, approve: bool) -> str | None:
        """Decide about a record, and count what it earns."""
        if one.status != "pending":
            return "already-verified"
        if one.recorder == verifier:
            return "self-verification"
        if one.manager_required and verifier != "manager":
            return "manager-required"
        if not approve:
            one.status = "rejected"
            return None
        same_day = [other for other in self.services if (other.who, other.span[0]) == (one.who, one.span[0])]
        left = MINUTES_PER_DAY_MAX - sum(other.counted for other in same_day)
        one.status, one.counted = "approved", min(one.minutes, MINUTES_PER_RECORD_MAX, left)
        self.purses[one.who].minutes += one.minutes
        self.purses[one.who].points += self.earned(one)
        return None

    def earned(self, one: Service) -> int:
        """The points of an approved record."""
        return one.counted * POINTS_PER_HOUR // 60

    def reserve(self, who: int, wanted: dict[int, int], lapses_at: datetime) -> str | None:
        """Hold pieces and points. All orders of a run lie in one month, so a limit counts over all of them."""
        for article, quantity in wanted.items():
            taken = sum(
                order.wanted.get(article, 0)
                for order in self.orders
                if order.who == who and order.status in {"reserved", "collected"}
            )
            limit = self.shelves[article].limit
            if limit is not None and taken + quantity > limit:
                return "limit-reached"
        if any(self.shelves[article].free < quantity for article, quantity in wanted.items()):
            return "out-of-stock"
        price = sum(self.shelves[article].price * quantity for article, quantity in wanted.items())
        if self.purses[who].points < price:
            return "insufficient-points"
        self.orders.append(Order(who, wanted, price, lapses_at))
        self.purses[who].points -= price
        self.purses[who].held += price
        for article, quantity in wanted.items():
            self.shelves[article].free -= quantity
            self.shelves[article].held += quantity
        return None

    def close(self, order: Order, status: str, now: datetime) -> str | None:
        """Collect, cancel or lapse an order."""
        is_due = order.lapses_at <= now
        if order.status != "reserved" or is_due != (status == "lapsed"):
            return "redemption-not-open"
        order.status = status
        self.purses[order.who].held -= order.price
        if status != "collected":
            self.purses[order.who].points += order.price
        for article, quantity in order.wanted.items():
            shelf = self.shelves[article]
            shelf.held -= quantity
            if status == "collected":
                shelf.handed_out += quantity
            else:
                shelf.free += quantity
        return None

    def lapse(self, now: datetime) -> None:
        """What the worker does."""
        for order in self.orders:
            self.close(order, "lapsed", now)

    def transfer(self, giver: int, receiver: int | None, points: int) -> str | None:
        """Give points to another, or to the pool."""
        if self.purses[giver].points < points:
            return "insufficient-points"
        self.purses[giver].points -= points
        if receiver is None:
            self.pool += points
        else:
            self.purses[receiver].points += points
        return None

    def move_stock(self, article: int, kind: str, quantity: int) -> str | None:
        """Receive, write off or count pieces."""
        shelf = self.shelves[article]
        change = {"received": quantity, "written_off": -quantity, "counted": quantity - shelf.free}[kind]
        if shelf.free + change < 0:
            return "out-of-stock"
        shelf.free += change
        if change < 0:
            shelf.written_off -= change
        return None
