"""Draws settled: seats in the order drawn, and a waitlist behind them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

from app.kernel.errors import NotFound
from app.signups.errors import SignupNotOpen
from app.signups.service import Drawn, settle_draws
from tests.bank import done
from tests.signups.acts import cancel, events, for_people, opened, signed_up, state

if TYPE_CHECKING:
    from tests.bank import Bank


async def settle(bank: Bank, *signups: dict[str, Any]) -> Any:
    """Settle a draw in which these were drawn in this order."""
    async with bank.database.write(bank.number) as session:
        drawn = Drawn(bank.number, tuple(UUID(one["id"]) for one in signups))
        (outcome,) = await settle_draws(session, [drawn])
    return outcome


async def test_seats_go_to_who_was_drawn_first_and_the_others_wait_in_the_order_drawn(bank: Bank) -> None:
    stall = await opened(bank, for_people(allocation="draw", capacity=2))
    first, second, third, fourth = [await signed_up(bank, stall) for _ in range(4)]
    await settle(bank, fourth, second, third, first)
    drawn = [await state(bank, one) for one in (fourth, second, third, first)]
    assert drawn == [("confirmed", 1), ("confirmed", 2), ("waitlisted", None), ("waitlisted", None)]
    types = [event["type"] for event in await events(bank)]
    assert types[-4:] == ["signup.confirmed"] * 2 + ["signup.waitlisted"] * 2
    for gone, next_one in ((fourth, third), (second, first)):
        done(await cancel(bank.desk, gone), 200)
        assert (await state(bank, next_one))[0] == "confirmed"


async def test_who_has_a_seat_elsewhere_at_the_time_waits_though_drawn(bank: Bank) -> None:
    stall, visit = await opened(bank, for_people(allocation="draw")), await opened(bank)
    who = await bank.volunteer()
    applied = await signed_up(bank, stall, who)
    elsewhere = await signed_up(bank, visit, who)
    await settle(bank, applied)
    assert await state(bank, applied) == ("waitlisted", None)
    done(await cancel(bank.desk, elsewhere), 200)
    assert await state(bank, applied) == ("confirmed", 1)


async def test_a_draw_is_settled_once_and_among_who_applied(bank: Bank) -> None:
    stall = await opened(bank, for_people(allocation="draw"))
    applied = await signed_up(bank, stall)
    assert await settle(bank, applied, {"id": str(uuid4())}) == NotFound(resource="signup")
    assert await state(bank, applied) == ("applied", None)
    await settle(bank, applied)
    assert await settle(bank, applied) == SignupNotOpen(signup_status="confirmed")
