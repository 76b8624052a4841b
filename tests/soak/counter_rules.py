"""What holds at the counter: limits, codes, holds, stock, gifts and debts, with expectations worked out here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from app.worker import run_due
from tests.redemptions.acts import cancel, collect, pieces, reserve, rich, status
from tests.soak.promises import answered, books_agree, same
from tests.soak.waiting import in_time

if TYPE_CHECKING:
    from random import Random

    from tests.bank import Bank

Volunteer = dict[str, Any]
Article = dict[str, Any]


@dataclass
class Counter:
    """A counter with a volunteer who has some points, and an article on the shelf."""

    bank: Bank
    who: Volunteer
    article: Article
    earned: int
    stock: int
    price: int

    @classmethod
    async def of(cls, bank: Bank, chance: Random, *, hold_hours: int = 48, **limits: Any) -> Counter:
        """Open a community with a counter."""
        await bank.open_community(redemption_hold_hours=hold_hours)
        earned, stock, price = chance.randint(150, 450), chance.randint(8, 20), chance.randint(1, 7)
        return cls(bank, await rich(bank, earned), await bank.goods(stock, price, **limits), earned, stock, price)

    async def wants(self, quantity: int, expected: str = "201", *, who: Volunteer | None = None) -> Any:
        """Reserve pieces, with what has to become of it."""
        answer = await reserve(self.bank.desk, who or self.who, (self.article, quantity))
        return answered(f"reserving {quantity}", answer, expected)

    async def stands(self, *, spent: int = 0, held: int = 0, handed_out: int = 0, shelf: int | None = None) -> None:
        """See what the volunteer and the shelf have: pieces spent and held cost points."""
        balance = await self.bank.balance(self.who["id"])
        found = balance["points"], balance["points_reserved"]
        same("the points", found, (self.earned - (spent + held) * self.price, held * self.price))
        left = self.stock - held - handed_out if shelf is None else shelf
        same("the pieces", await pieces(self.bank, self.article), (left, held, handed_out))


async def _points_and_pieces_move_together(bank: Bank, chance: Random) -> None:
    counter = await Counter.of(bank, chance)
    some, more = chance.randint(1, 3), chance.randint(1, 3)
    first, second = await counter.wants(some), await counter.wants(more)
    same("the price", (first["points"], second["points"]), (some * counter.price, more * counter.price))
    await counter.stands(held=some + more)
    answered("a collection", await collect(bank.desk, first), "200")
    await counter.stands(spent=some, held=more, handed_out=some)
    answered("a cancellation", await cancel(bank.desk, second), "200")
    await counter.stands(spent=some, handed_out=some)
    path = f"redemptions/{first['id']}/return"
    answered("a return", await bank.desk.post(path, {"reason": "有破损"}), "200")
    await counter.stands()
    answered("a second return", await bank.desk.post(path, {"reason": "有破损"}), "redemption-not-collected")
    await books_agree(bank.database, bank.number)


async def _what_is_closed_stays_closed(bank: Bank, chance: Random) -> None:
    counter = await Counter.of(bank, chance)
    ended = [await counter.wants(1) for _ in range(2)]
    answered("a collection", await collect(bank.desk, ended[0]), "200")
    answered("a cancellation", await cancel(bank.desk, ended[1]), "200")
    for one in ended:
        answered("cancelling what is closed", await cancel(bank.desk, one), "redemption-not-open")
        answered("collecting what is closed", await collect(bank.desk, one), "redemption-not-open")
    path = f"redemptions/{ended[1]['id']}/return"
    answered("returning what was cancelled", await bank.desk.post(path, {"reason": "x"}), "redemption-not-collected")
    await counter.stands(spent=1, handed_out=1)


async def _goods_are_handed_out_against_the_code(bank: Bank, chance: Random) -> None:
    counter = await Counter.of(bank, chance)
    held = await counter.wants(1)
    wrong = f"{(int(held['pickup_code']) + chance.randint(1, 10**6 - 1)) % 10**6:06}"
    answered("collecting with a wrong code", await collect(bank.desk, held, wrong), "wrong-pickup-code")
    await counter.stands(held=1)
    answered("collecting with the code", await collect(bank.desk, held), "200")


async def _limits_hold_per_person_and_household(bank: Bank, chance: Random) -> None:
    limit = chance.randint(2, 4)
    counter = await Counter.of(bank, chance, limit_per_person=limit, limit_per_household=limit + 1, limit_period="year")
    for _ in range(limit):
        last = await counter.wants(1)
    refusal = await counter.wants(1, "limit-reached")
    same("what was taken of the limit", (refusal["limit"], refusal["taken"]), (limit, limit))
    answered("a cancellation", await cancel(bank.desk, last), "200")
    answered("a collection", await collect(bank.desk, await counter.wants(1)), "200")
    await counter.wants(1, "limit-reached")
    mate = await rich(bank, 60)
    members = {"volunteer_ids": [counter.who["id"], mate["id"]]}
    answered("a household", await bank.desk.post("households", members), "201")
    await counter.wants(2, "limit-reached", who=mate)
    await counter.wants(1, who=mate)
    await counter.wants(1, "limit-reached", who=mate)


async def _a_hold_ends(bank: Bank, chance: Random) -> None:
    hours = chance.randint(1, 100)
    counter = await Counter.of(bank, chance, hold_hours=hours)
    kept, lapsing = await counter.wants(1), await counter.wants(2)
    bank.clock.move(hours=hours, seconds=-1)
    settings = bank.app.state.context.settings
    await in_time("a worker with nothing to do yet", run_due(bank.database, settings))
    await counter.stands(held=3)
    answered("a collection in time", await collect(bank.desk, kept), "200")
    bank.clock.move(seconds=1)
    for act in (collect, cancel):
        answered("what comes after the hold", await act(bank.desk, lapsing), "redemption-not-open")
    for _ in range(2):
        await in_time("a worker", run_due(bank.database, settings))
        same("what became of it", await status(bank, lapsing), "lapsed")
        await counter.stands(spent=1, handed_out=1)
    await books_agree(bank.database, bank.number)


async def _nothing_is_given_that_is_not_there(bank: Bank, chance: Random) -> None:
    counter = await Counter.of(bank, chance)
    dear = await bank.goods(pieces=5, price=counter.earned + chance.randint(1, 9))
    refusal = answered("what is too dear", await reserve(bank.desk, counter.who, (dear, 1)), "insufficient-points")
    same("the facts", (refusal["balance"], refusal["needed"]), (counter.earned, dear["points_price"]))
    refusal = await counter.wants(counter.stock + chance.randint(1, 5), "out-of-stock")
    same("what is there", refusal["available"], counter.stock)
    await counter.stands()
    path = f"goods/{counter.article['id']}/stock-movements"
    lost, found = chance.randint(1, 3), chance.randint(0, 4)
    for kind, quantity, expected in (
        ("written_off", counter.stock + 1, "out-of-stock"),
        ("written_off", lost, "201"),
        ("received", lost, "201"),
        ("counted", found, "201"),
    ):
        movement = {"kind": kind, "quantity": quantity, "note": "盘点"}
        answered(f"{kind} {quantity}", await bank.manager.post(path, movement), expected)
    await counter.stands(shelf=found)
    await books_agree(bank.database, bank.number)


async def _gifts_and_donations_are_what_they_are(bank: Bank, chance: Random) -> None:
    counter = await Counter.of(bank, chance)
    giver, friend = counter.who["id"], (await bank.volunteer())["id"]
    some, rest = chance.randint(1, 50), chance.randint(1, 50)

    async def give(points: int, expected: str, **to: Any) -> Any:
        answer = await bank.desk.post("transfers", {"from_volunteer_id": giver, "points": points, **to})
        return answered(f"giving {points}", answer, expected)

    await give(some, "201", to_volunteer_id=friend)
    await give(rest, "201", to_pool=True)
    await give(counter.earned - some - rest + 1, "insufficient-points", to_volunteer_id=friend)
    await give(1, "invalid-request", to_volunteer_id=giver)
    await give(1, "invalid-request", to_pool=True, to_volunteer_id=friend)
    found = [(await bank.balance(one))["points"] for one in (giver, friend)]
    same("what both have", found, [counter.earned - some - rest, some])


async def _what_comes_in_settles_what_is_owed(bank: Bank, chance: Random) -> None:
    """Spend what a correction then takes back; a cancellation or a gift settles the debt before anything else."""
    counter = await Counter.of(bank, chance)
    held = await counter.wants(1)
    free = counter.earned - counter.price
    answered(
        "spending the rest",
        await bank.desk.post("transfers", {"from_volunteer_id": counter.who["id"], "points": free, "to_pool": True}),
        "201",
    )
    page = answered("the records", await bank.desk.get("service-records", volunteer_id=counter.who["id"]), "200")
    (wrong,) = page["items"]
    path = f"service-records/{wrong['id']}/correction"
    answered("a correction", await bank.manager.post(path, {"reason": "记错了"}), "200")
    await _owes(counter, counter.earned)
    answered("a cancellation", await cancel(bank.desk, held), "200")
    await _owes(counter, counter.earned - counter.price)
    friend = await rich(bank, 450)
    gift = {"from_volunteer_id": friend["id"], "to_volunteer_id": counter.who["id"], "points": counter.earned}
    answered("a gift", await bank.desk.post("transfers", gift), "201")
    balance = await bank.balance(counter.who["id"])
    same("what is left", (balance["points"], balance["points_owed"]), (counter.price, 0))
    await books_agree(bank.database, bank.number)


async def _owes(counter: Counter, points: int) -> None:
    balance = await counter.bank.balance(counter.who["id"])
    same("what is owed", (balance["points"], balance["points_owed"]), (0, -points))


RULES_OF_THE_COUNTER = (
    _points_and_pieces_move_together,
    _what_is_closed_stays_closed,
    _goods_are_handed_out_against_the_code,
    _limits_hold_per_person_and_household,
    _a_hold_ends,
    _nothing_is_given_that_is_not_there,
    _gifts_and_donations_are_what_they_are,
    _what_comes_in_settles_what_is_owed,
)
