"""Cancelled sign-ups: their deadline, and who moves up."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import uuid4

from tests.bank import done, refused
from tests.signups.acts import cancel, events, for_people, opened, sign_up, signed_up, state

if TYPE_CHECKING:
    from tests.bank import Bank


async def test_whoever_waited_longest_gets_the_seat_that_falls_free(bank: Bank) -> None:
    visit = await opened(bank)
    first, second, third, fourth = [await signed_up(bank, visit) for _ in range(4)]
    cancelled = done(await cancel(bank.desk, first, reason="生病了"), 200)
    assert (cancelled["status"], cancelled["seat"], cancelled["reason"]) == ("cancelled", None, "生病了")
    assert (cancelled["closed_by"], cancelled["closed_at"]) == (bank.desk.client_id, "2026-03-02T04:00:00Z")
    states = [await state(bank, one) for one in (second, third, fourth)]
    assert states == [("confirmed", 2), ("confirmed", 1), ("waitlisted", None)]
    last = (await events(bank))[-2:]
    assert [(event["type"], event["data"]["signup_id"]) for event in last] == [
        ("signup.cancelled", first["id"]),
        ("signup.promoted", third["id"]),
    ]


async def test_who_leaves_the_waitlist_lets_nobody_up(bank: Bank) -> None:
    visit = await opened(bank, for_people(capacity=1))
    first, second, third = [await signed_up(bank, visit) for _ in range(3)]
    done(await cancel(bank.desk, second), 200)
    assert [await state(bank, one) for one in (first, third)] == [("confirmed", 1), ("waitlisted", None)]
    done(await cancel(bank.desk, first), 200)
    assert await state(bank, third) == ("confirmed", 1)


async def test_who_has_a_seat_elsewhere_at_the_time_is_passed_over_and_moves_up_once_free(bank: Bank) -> None:
    visit, clinic = await opened(bank, for_people(capacity=1)), await opened(bank)
    busy = await bank.volunteer()
    first = await signed_up(bank, visit)
    waits = await signed_up(bank, visit, busy)
    elsewhere = await signed_up(bank, clinic, busy)
    done(await cancel(bank.desk, first), 200)
    # Nobody else waits, so the seat stays free for whoever has time first.
    assert await state(bank, waits) == ("waitlisted", None)
    done(await cancel(bank.desk, elsewhere), 200)
    assert await state(bank, waits) == ("confirmed", 1)
    assert (await events(bank))[-1]["data"]["signup_id"] == waits["id"]


async def test_the_next_in_the_queue_gets_the_seat_of_whom_something_stands_against(bank: Bank) -> None:
    visit, clinic, busy = await opened(bank, for_people(capacity=1)), await opened(bank), await bank.volunteer()
    first = await signed_up(bank, visit)
    waits = await signed_up(bank, visit, busy)
    await signed_up(bank, clinic, busy)
    gone = await bank.volunteer()
    of_gone = await signed_up(bank, visit, gone)
    done(await bank.manager.post(f"volunteers/{gone['id']}/erasure", {"reason": "本人要求"}), 200)
    last = await signed_up(bank, visit)
    done(await cancel(bank.desk, first), 200)
    states = [await state(bank, one) for one in (waits, of_gone, last)]
    assert states == [("waitlisted", None), ("released", None), ("confirmed", 1)]


async def test_free_seat_goes_to_a_new_one_when_nobody_who_waits_can_have_it(bank: Bank) -> None:
    visit, clinic, busy = await opened(bank, for_people(capacity=1)), await opened(bank), await bank.volunteer()
    first = await signed_up(bank, visit)
    waits = await signed_up(bank, visit, busy)
    await signed_up(bank, clinic, busy)
    done(await cancel(bank.desk, first), 200)
    assert ((await signed_up(bank, visit))["status"], await state(bank, waits)) == ("confirmed", ("waitlisted", None))


async def test_a_sign_up_ends_once(bank: Bank) -> None:
    signup = await signed_up(bank, await opened(bank))
    done(await cancel(bank.desk, signup), 200)
    refused(await cancel(bank.desk, signup), "signup-not-open", signup_status="cancelled")
    refused(await cancel(bank.desk, {"id": str(uuid4())}), "not-found", resource="signup")


async def test_desk_cancels_after_the_deadline_until_the_shift_begins(bank: Bank) -> None:
    visit = await opened(bank, for_people(capacity=2))
    first, second = await signed_up(bank, visit), await signed_up(bank, visit)
    # An hour before it begins, at 01:00 UTC on 5 March.
    bank.clock.move(days=2, hours=20)
    done(await cancel(bank.desk, first), 200)
    bank.clock.move(hours=1)
    # From here on the attendance says who came.
    refused(await cancel(bank.desk, second), "shift-over", until="2026-03-05T01:00:00+00:00")
    assert await state(bank, second) == ("confirmed", 2)


async def test_volunteer_gives_a_seat_back_until_the_deadline_alone(bank: Bank) -> None:
    visit = await opened(bank, cancellation_hours=48)
    who, late = await bank.volunteer(), await bank.volunteer()
    signup, too_late = await signed_up(bank, visit, who), await signed_up(bank, visit, late)
    waits = await bank.volunteer()
    waiting = await signed_up(bank, visit, waits)
    # The shift begins at 01:00 UTC on 5 March; two days before that is the last moment.
    bank.clock.move(hours=21)
    own = await bank.volunteer_api(who["id"])
    assert done(await cancel(own, signup, reason="出差"), 200)["status"] == "cancelled"
    assert await state(bank, waiting) == ("confirmed", 1)
    bank.clock.move(seconds=1)
    api = await bank.volunteer_api(late["id"])
    refused(await cancel(api, too_late), "cancellation-too-late", until="2026-03-03T01:00:00+00:00")
    done(await cancel(bank.desk, too_late), 200)


async def test_volunteer_leaves_a_waitlist_at_any_time(bank: Bank) -> None:
    visit, who = await opened(bank, for_people(capacity=1)), await bank.volunteer()
    await signed_up(bank, visit)
    waiting = await signed_up(bank, visit, who)
    bank.clock.move(days=2, hours=20)
    assert done(await cancel(await bank.volunteer_api(who["id"]), waiting), 200)["status"] == "cancelled"


async def test_volunteers_cancel_their_own_alone(bank: Bank) -> None:
    visit, who, other = await opened(bank), await bank.volunteer(), await bank.volunteer()
    signup = await signed_up(bank, visit, who)
    stranger = await bank.volunteer_api(other["id"])
    refused(await cancel(stranger, signup), "not-found", resource="signup")
    refused(await stranger.get(f"signups/{signup['id']}"), "not-found")
    own = await bank.volunteer_api(who["id"])
    done(await cancel(own, signup), 200)
    refused(await cancel(own, signup), "signup-not-open", signup_status="cancelled")


async def test_cancelled_and_signed_up_again_stands_at_the_end_of_the_queue(bank: Bank) -> None:
    visit, who = await opened(bank, for_people(capacity=1)), await bank.volunteer()
    first = await signed_up(bank, visit)
    early = await signed_up(bank, visit, who)
    second = await signed_up(bank, visit)
    done(await cancel(bank.desk, early), 200)
    again = done(await sign_up(bank.desk, visit, who), 201)
    done(await cancel(bank.desk, first), 200)
    assert [await state(bank, one) for one in (second, again)] == [("confirmed", 1), ("waitlisted", None)]
