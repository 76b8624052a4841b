"""A community of the real bank beside a model in memory: random batches for the services, and what has to come of them.

Batches of a community may meet; the model takes them in the order in which they had the community's head.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from app.communities.rules import MINUTES_GIVEN, POINTS_ISSUED, POINTS_POOL, POINTS_REDEEMED
from app.goods.service import NewStockMovement, move_stock
from app.hours.rules import ServiceFacts
from app.hours.service import NewServiceRecord, Verification, record_services, verify_records
from app.kernel.errors import Refusal
from app.redemptions.service import Closing, NewRedemption, Wanted, close_redemptions, reserve_unreferenced
from app.transfers.service import NewTransfer, transfer_points
from tests.journeys.model import HOLD_HOURS, Model
from tests.soak.parts import ViolationError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence
    from random import Random
    from uuid import UUID

    from app.kernel.database import Session

DAYS = 12
"""Days on which services are given, the first of them `_day_one`: few enough for services to overlap."""

_day_one = datetime(2026, 1, 4, 16, tzinfo=UTC)
_manager, _desk, _verifier = "manager", "front_desk", "verifier"


class Step(NamedTuple):
    """An item for a service, what the model says of it, and the list that what it makes belongs to."""

    item: Any
    foretell: Callable[[], str | None]
    made: list[Any] | None = None


class Batch(NamedTuple):
    """Steps that one service takes together."""

    run: Callable[[Session, Sequence[Any]], Awaitable[Sequence[Any]]]
    steps: list[Step]


@dataclass
class Community:
    """A community, its model, and the records and redemptions that were made in it, in the model's order."""

    number: int
    volunteers: list[UUID]
    goods: list[UUID]
    model: Model
    now: datetime
    chance: Random
    records: list[Any] = field(default_factory=list)
    redemptions: list[Any] = field(default_factory=list)

    def batch(self, steps_max: int) -> Batch:
        """Some steps of a kind that is possible by now."""
        chance = self.chance
        kinds: list[tuple[int, Any, Callable[[Random], Step]]] = [
            (4, record_services, self._record),
            (2, transfer_points, self._transfer),
            (1, move_stock, self._move_stock),
            (4, reserve_unreferenced, self._reserve),
        ]
        if self.records:
            kinds.append((6, verify_records, self._verify))
        if self.redemptions:
            kinds.append((4, close_redemptions, self._close))
        ((_, run, step),) = chance.choices(kinds, weights=[weight for weight, *_ in kinds])
        return Batch(run, [step(chance) for _ in range(chance.randint(1, steps_max))])

    def take(self, batch: Batch, outcomes: Sequence[Any]) -> None:
        """Hold what came of a batch against the model. Raises `ViolationError`."""
        for step, outcome in zip(batch.steps, outcomes, strict=True):
            expected = step.foretell()
            code = outcome.code if isinstance(outcome, Refusal) else None
            if code != expected:
                message = f"{step.item} ended as {outcome}, and had to as {expected or 'done'}"
                raise ViolationError(message)
            if code is None and step.made is not None:
                step.made.append(outcome)

    def _record(self, chance: Random) -> Step:
        who, recorder = chance.randrange(len(self.volunteers)), chance.choice((_desk, _manager))
        day, start, minutes = chance.randrange(DAYS), chance.randrange(22 * 60), chance.randint(5, 100)
        begins = _day_one + timedelta(days=day, minutes=start)
        ends = begins + timedelta(minutes=minutes)
        facts = ServiceFacts("home_visit", "入户探访", "祁连家园", "陪伴", "居委会", begins, ends, minutes)
        item = NewServiceRecord(self.number, self.volunteers[who], facts, recorder)
        return Step(item, partial(self.model.record, who, (day, start, start + minutes), recorder), self.records)

    def _verify(self, chance: Random) -> Step:
        # The latest first: of most that are older something is known already.
        place = max(chance.randrange(len(self.records)) for _ in range(3))
        verifier, approve = chance.choice((_verifier, _verifier, _manager)), chance.random() < 0.9
        item = Verification(self.number, self.records[place].id, approve, verifier, verifier == _manager)
        return Step(item, partial(self.model.verify, self.model.services[place], verifier, approve=approve))

    def _transfer(self, chance: Random) -> Step:
        giver, receiver = chance.sample(range(len(self.volunteers)), 2)
        to, points = chance.choice((receiver, receiver, None)), chance.randint(1, 15)
        receiver_id = None if to is None else self.volunteers[to]
        item = NewTransfer(self.number, self.volunteers[giver], receiver_id, to is None, points, _desk)
        return Step(item, partial(self.model.transfer, giver, to, points))

    def _move_stock(self, chance: Random) -> Step:
        article, kind = (
            chance.randrange(len(self.goods)),
            chance.choice(("received", "received", "written_off", "counted")),
        )
        quantity = chance.randrange(12) + (kind != "counted")
        item = NewStockMovement(self.number, self.goods[article], kind, quantity, _manager)
        return Step(item, partial(self.model.move_stock, article, kind, quantity))

    def _reserve(self, chance: Random) -> Step:
        who = chance.randrange(len(self.volunteers))
        articles = chance.sample(range(len(self.goods)), chance.randint(1, 2))
        wanted = {article: chance.randint(1, 3) for article in articles}
        lines = tuple(Wanted(self.goods[article], pieces) for article, pieces in wanted.items())
        item = NewRedemption(self.number, self.volunteers[who], lines, _desk)
        lapses_at = self.now + timedelta(hours=HOLD_HOURS)
        return Step(item, partial(self.model.reserve, who, wanted, lapses_at), self.redemptions)

    def _close(self, chance: Random) -> Step:
        place = max(chance.randrange(len(self.redemptions)) for _ in range(3))
        redemption, order = self.redemptions[place], self.model.orders[place]
        status, right = chance.choice(("collected", "collected", "cancelled")), chance.random() < 0.9
        code = redemption.pickup_code if right else f"{(int(redemption.pickup_code) + 1) % 10**6:06}"
        item = Closing(self.number, redemption.id, status, _desk, pickup_code=code)
        now = self.now

        def foretell() -> str | None:
            is_open = order.status == "reserved" and order.lapses_at > now
            if is_open and status == "collected" and not right:
                return "wrong-pickup-code"
            return self.model.close(order, status, now)

        return Step(item, foretell)

    def holdings(self) -> dict[str, int]:
        """What every account has to hold, by address, as the model has it."""
        model = self.model
        held = {POINTS_POOL: model.pool}
        for volunteer, purse in zip(self.volunteers, model.purses, strict=True):
            held |= {f"volunteer/{volunteer}/minutes": purse.minutes, f"volunteer/{volunteer}/points": purse.points}
            held |= {f"volunteer/{volunteer}/points_reserved": purse.held}
        held[POINTS_REDEEMED] = sum(order.price for order in model.orders if order.status == "collected")
        held[POINTS_ISSUED] = -sum(purse.points + purse.held for purse in model.purses) - model.pool
        held[POINTS_ISSUED] -= held[POINTS_REDEEMED]
        held[MINUTES_GIVEN] = -sum(purse.minutes for purse in model.purses)
        for article, shelf in zip(self.goods, model.shelves, strict=True):
            pieces = {"shelf": shelf.free, "reserved": shelf.held}
            pieces |= {"handed_out": shelf.handed_out, "written_off": shelf.written_off}
            pieces["supplied"] = -sum(pieces.values())
            held |= {f"goods/{article}/{where}": count for where, count in pieces.items()}
        return held
