"""Reserve, then collect, cancel or lapse: points and pieces after every step, and what a step refuses."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from app.reports.service import audit_community
from app.worker import run_due
from tests.bank import done, refused
from tests.redemptions.acts import cancel, collect, pieces, points, reserve, rich, status

if TYPE_CHECKING:
    from tests.bank import Bank


async def test_reserving_holds_points_and_pieces_until_the_hold_is_over(bank: Bank) -> None:
    volunteer, article = await rich(bank, 100), await bank.goods(pieces=5, price=30)
    answer = await reserve(bank.desk, volunteer, (article, 2))
    made = done(answer, 201)
    assert (made["status"], made["points"], made["volunteer_id"]) == ("reserved", 60, volunteer["id"])
    assert made["lines"] == [{"goods_id": article["id"], "quantity": 2, "points_each": 30}]
    assert (made["reserved_by"], made["closed_by"], made["closed_at"]) == (bank.desk.client_id, None, None)
    # Seventy-two hours are a community's default.
    assert (made["reserved_at"], made["lapses_at"]) == ("2026-03-02T04:00:00Z", "2026-03-05T04:00:00Z")
    assert made["occurred_at"] == made["reserved_at"]
    assert len(made["pickup_code"]) == 6
    assert made["pickup_code"].isdecimal()
    assert answer.headers["location"].rsplit("/", 1)[1] == made["id"]
    assert done(await bank.desk.get(answer.headers["location"]), 200) == made
    assert await points(bank, volunteer) == (40, 60)
    assert await pieces(bank, article) == (3, 2, 0)


async def test_collecting_spends_what_was_held(bank: Bank) -> None:
    volunteer, article = await rich(bank, 100), await bank.goods(pieces=5, price=30)
    made = done(await reserve(bank.desk, volunteer, (article, 2)), 201)
    bank.clock.move(hours=1)
    collected = done(await collect(bank.manager, made), 200)
    assert (collected["status"], collected["closed_by"]) == ("collected", bank.manager.client_id)
    assert collected["closed_at"] == "2026-03-02T05:00:00Z"
    assert await points(bank, volunteer) == (40, 0)
    assert await pieces(bank, article) == (3, 0, 2)
    accounts = done(await bank.auditor.get("ledger/accounts", limit=200), 200)["items"]
    assert {one["account"]: one["balance"] for one in accounts}["community/points_redeemed"] == 60
    for answer in (await collect(bank.desk, made), await cancel(bank.desk, made)):
        refused(answer, "redemption-not-open", status=409, redemption_status="collected")


async def test_cancelling_gives_every_point_and_piece_back(bank: Bank) -> None:
    volunteer, article = await rich(bank, 100), await bank.goods(pieces=5, price=30)
    made = done(await reserve(bank.desk, volunteer, (article, 2)), 201)
    cancelled = done(await cancel(bank.desk, made, reason="不需要了"), 200)
    assert (cancelled["status"], cancelled["reason"]) == ("cancelled", "不需要了")
    assert await points(bank, volunteer) == (100, 0)
    assert await pieces(bank, article) == (5, 0, 0)
    for answer in (await collect(bank.desk, made), await cancel(bank.desk, made)):
        refused(answer, "redemption-not-open", status=409, redemption_status="cancelled")
    assert await points(bank, volunteer) == (100, 0)
    lines = done(await bank.desk.get(f"volunteers/{volunteer['id']}/statement"), 200)["items"]
    assert [(line["amount"], line["balance_after"], line["kind"]) for line in lines if line["unit"] == "POINT"] == [
        (60, 100, "cancellation"),
        (-60, 40, "reservation"),
        (100, 100, "deposit"),
    ]


@pytest.mark.usefixtures("own_database")
async def test_a_hold_that_is_over_is_over_at_once_even_before_the_job_has_run(bank: Bank) -> None:
    await bank.open_community(redemption_hold_hours=2)
    volunteer, article = await rich(bank, 100), await bank.goods(pieces=5, price=30)
    made = done(await reserve(bank.desk, volunteer, (article, 2)), 201)
    in_time = done(await reserve(bank.desk, volunteer, (article, 1)), 201)
    bank.clock.move(hours=2, microseconds=-1)
    assert done(await collect(bank.desk, in_time), 200)["status"] == "collected"
    bank.clock.move(microseconds=1)
    for answer in (await collect(bank.desk, made), await cancel(bank.desk, made)):
        refused(answer, "redemption-not-open", status=409, redemption_status="lapsed")
    # What was held comes back with the job, not before.
    assert await points(bank, volunteer) == (10, 60)
    # The job of the one that was collected has nothing left to do.
    assert await run_due(bank.database, bank.app.state.context.settings) == 2
    lapsed = done(await bank.desk.get(f"redemptions/{made['id']}"), 200)
    assert (lapsed["status"], lapsed["closed_by"], lapsed["closed_at"]) == (
        "lapsed",
        "worker",
        "2026-03-02T06:00:00Z",
    )
    assert await points(bank, volunteer) == (70, 0)
    assert await pieces(bank, article) == (4, 0, 1)
    for answer in (await collect(bank.desk, made), await cancel(bank.desk, made)):
        refused(answer, "redemption-not-open", status=409, redemption_status="lapsed")


async def test_a_wrong_pickup_code_changes_nothing(bank: Bank) -> None:
    volunteer, article = await rich(bank, 100), await bank.goods(pieces=5, price=30)
    made = done(await reserve(bank.desk, volunteer, (article, 1)), 201)
    wrong = f"{(int(made['pickup_code']) + 1) % 1_000_000:06}"
    answer = await collect(bank.desk, made, wrong)
    refused(answer, "wrong-pickup-code", status=409)
    # The answer does not help to guess.
    assert made["pickup_code"] not in answer.text
    for code in ("", "12345", "1234567", "12345a", "\uff11" * 6):
        problem = refused(await collect(bank.desk, made, code), "invalid-request", status=422)
        assert problem["errors"][0]["pointer"] == "/pickup_code"
    assert done(await bank.desk.get(f"redemptions/{made['id']}"), 200) == made
    assert (await points(bank, volunteer), await pieces(bank, article)) == ((70, 30), (4, 1, 0))
    assert done(await collect(bank.desk, made), 200)["status"] == "collected"


async def test_several_articles_are_held_and_given_back_together(bank: Bank) -> None:
    volunteer = await rich(bank, 100)
    towel, rice, oil = await bank.goods(price=5), await bank.goods(price=20), await bank.goods(price=7, pieces=1)
    made = done(await reserve(bank.desk, volunteer, (oil, 1), (towel, 3), (rice, 2)), 201)
    assert made["points"] == 62
    assert {(line["goods_id"], line["quantity"], line["points_each"]) for line in made["lines"]} == {
        (towel["id"], 3, 5),
        (rice["id"], 2, 20),
        (oil["id"], 1, 7),
    }
    assert await points(bank, volunteer) == (38, 62)
    assert [await pieces(bank, one) for one in (towel, rice, oil)] == [(7, 3, 0), (8, 2, 0), (0, 1, 0)]
    # One article missing is enough: nothing of the order is held.
    refused(await reserve(bank.desk, volunteer, (towel, 1), (oil, 1)), "out-of-stock", goods=oil["code"])
    assert await pieces(bank, towel) == (7, 3, 0)
    done(await cancel(bank.desk, made), 200)
    assert [await pieces(bank, one) for one in (towel, rice, oil)] == [(10, 0, 0), (10, 0, 0), (1, 0, 0)]
    again = done(await reserve(bank.desk, volunteer, (towel, 3), (rice, 2), (oil, 1)), 201)
    done(await collect(bank.desk, again), 200)
    assert [await pieces(bank, one) for one in (towel, rice, oil)] == [(7, 0, 3), (8, 0, 2), (0, 0, 1)]
    async with bank.database.read(bank.number) as session:
        assert await audit_community(session, bank.number) == []


async def test_a_redemption_of_nobody_or_of_another_community_is_not_found(bank: Bank) -> None:
    volunteer, article = await rich(bank, 100), await bank.goods(price=30)
    made = done(await reserve(bank.desk, volunteer, (article, 1)), 201)
    nobodys = {"id": str(uuid4()), "pickup_code": "123456"}
    for answer in (await collect(bank.desk, nobodys), await cancel(bank.desk, nobodys)):
        refused(answer, "not-found", status=404)
    refused(await bank.desk.get(f"redemptions/{nobodys['id']}"), "not-found")
    here = bank.desk
    await bank.open_community()
    for answer in (await collect(bank.desk, made), await cancel(bank.desk, made)):
        refused(answer, "not-found")
    done(await collect(here, made), 200)


async def test_who_may_not_hand_over_neither_reserves_nor_collects_nor_cancels(bank: Bank) -> None:
    volunteer, article = await rich(bank, 100), await bank.goods(price=30)
    made = done(await reserve(bank.desk, volunteer, (article, 1)), 201)
    for api in (bank.verifier, bank.auditor, bank.integrator):
        refused(await reserve(api, volunteer, (article, 1)), "role-missing", status=403)
        refused(await collect(api, made), "role-missing")
        refused(await cancel(api, made), "role-missing")
    assert await status(bank, made) == "reserved"


async def test_the_pickup_code_is_for_those_who_hand_over_and_the_rest_for_all_who_read_accounts(bank: Bank) -> None:
    volunteer, article = await rich(bank, 100), await bank.goods(price=30)
    made = done(await reserve(bank.desk, volunteer, (article, 1)), 201)
    shown = {}
    for role in ("manager", "front_desk", "auditor", "integrator"):
        one = done(await bank.roles[role].get(f"redemptions/{made['id']}"), 200)
        (listed,) = done(await bank.roles[role].get("redemptions"), 200)["items"]
        assert one == listed
        assert {**one, "pickup_code": None} == {**made, "pickup_code": None}
        shown[role] = one["pickup_code"] == made["pickup_code"]
        assert one["pickup_code"] in {made["pickup_code"], None}
    assert shown == {"manager": True, "front_desk": True, "auditor": False, "integrator": False}
    refused(await bank.verifier.get("redemptions"), "role-missing", status=403)


async def test_redemptions_are_listed_newest_first_by_status_and_volunteer(bank: Bank) -> None:
    one, two, article = await rich(bank, 100), await rich(bank, 100), await bank.goods(price=10)
    made = [done(await reserve(bank.desk, who, (article, 1)), 201) for who in (one, two, one, one)]
    first, second, third, fourth = (redemption["id"] for redemption in made)
    done(await cancel(bank.desk, made[0]), 200)
    done(await collect(bank.desk, made[1]), 200)

    async def ids(**filters: object) -> list[str]:
        return [item["id"] for item in done(await bank.desk.get("redemptions", **filters), 200)["items"]]

    assert await ids() == [fourth, third, second, first]
    assert await ids(volunteer_id=one["id"]) == [fourth, third, first]
    assert await ids(status="reserved") == [fourth, third]
    assert await ids(status="cancelled", volunteer_id=one["id"]) == [first]
    assert await ids(status="cancelled", volunteer_id=two["id"]) == []
    page = done(await bank.desk.get("redemptions", limit=2, volunteer_id=one["id"]), 200)
    rest = done(await bank.desk.get("redemptions", limit=2, cursor=page["next_cursor"]), 200)
    assert [item["id"] for item in page["items"] + rest["items"]] == [fourth, third, first]
    answer = await bank.desk.get("redemptions", cursor=page["next_cursor"], volunteer_id=two["id"])
    refused(answer, "invalid-cursor", status=422)
