"""Returns: points and pieces go back, what is owed settled first, and the limit is free again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import uuid4

from tests.bank import done, refused
from tests.races.books import assert_books_agree
from tests.redemptions.acts import cancel, collect, pieces, points, reserve, rich

if TYPE_CHECKING:
    import httpx

    from tests.bank import Api, Bank


async def take_back(api: Api, redemption: dict[str, Any], *, key: str | None = None) -> httpx.Response:
    """Return a redemption."""
    return await api.post(f"redemptions/{redemption['id']}/return", {"reason": "有破损"}, key=key)


async def test_a_returned_redemption_gives_points_and_pieces_back_and_keeps_its_history(bank: Bank) -> None:
    volunteer, article = await rich(bank, 100), await bank.goods(pieces=9, price=10)
    reserved = done(await reserve(bank.desk, volunteer, (article, 3)), 201)
    collected = done(await collect(bank.desk, reserved), 200)
    bank.clock.move(days=1)
    returned = done(await take_back(bank.desk, collected), 200)
    number = returned["return_transaction_id"]
    assert returned == {
        **collected,
        "status": "returned",
        "reason": "有破损",
        "returned_at": "2026-03-03T04:00:00Z",
        "returned_by": bank.desk.client_id,
        "return_transaction_id": number,
    }
    assert done(await bank.desk.get(f"redemptions/{reserved['id']}"), 200) == returned
    assert await points(bank, volunteer) == (100, 0)
    assert await pieces(bank, article) == (9, 0, 0)
    transaction = done(await bank.auditor.get(f"ledger/transactions/{number}"), 200)
    assert (transaction["kind"], transaction["reference"]) == ("return", f"redemptions/{reserved['id']}")
    line, *_ = done(await bank.desk.get(f"volunteers/{volunteer['id']}/statement"), 200)["items"]
    assert (line["kind"], line["amount"], line["balance_after"]) == ("return", 30, 100)
    assert done(await bank.auditor.get("events"), 200)["items"][-1]["type"] == "redemption.returned"
    await assert_books_agree(bank.database, bank.number)


async def test_only_what_was_collected_is_returned_and_only_once(bank: Bank) -> None:
    volunteer, article = await rich(bank, 100), await bank.goods(pieces=9, price=10)
    held = done(await reserve(bank.desk, volunteer, (article, 1)), 201)
    cancelled = done(await cancel(bank.desk, done(await reserve(bank.desk, volunteer, (article, 1)), 201)), 200)
    refused(await take_back(bank.desk, held), "redemption-not-collected", status=409, redemption_status="reserved")
    refused(await take_back(bank.desk, cancelled), "redemption-not-collected", redemption_status="cancelled")
    refused(await take_back(bank.desk, {"id": str(uuid4())}), "not-found")
    refused(await take_back(bank.verifier, held), "role-missing")
    done(await collect(bank.desk, held), 200)
    first = await take_back(bank.desk, held, key="k")
    again = await take_back(bank.desk, held, key="k")
    assert (first.content, again.headers["idempotency-replayed"]) == (again.content, "true")
    done(first, 200)
    refused(await take_back(bank.manager, held), "redemption-not-collected", redemption_status="returned")
    refused(await collect(bank.desk, held), "redemption-not-open", redemption_status="returned")
    assert await points(bank, volunteer) == (100, 0)
    await assert_books_agree(bank.database, bank.number)


async def test_what_comes_back_settles_what_is_owed_first(bank: Bank) -> None:
    await bank.kind(points_per_hour=60)
    volunteer, article = await bank.volunteer(), await bank.goods(pieces=9, price=50)
    wrong = await bank.hours(volunteer["id"], minutes=60)
    redemption = done(await reserve(bank.desk, volunteer, (article, 1)), 201)
    done(await collect(bank.desk, redemption), 200)
    done(await bank.manager.post(f"service-records/{wrong['id']}/correction", {"reason": "记错了"}), 200)
    assert (await bank.balance(volunteer["id"]))["points_owed"] == -50
    done(await take_back(bank.desk, redemption), 200)
    balance = await bank.balance(volunteer["id"])
    assert (balance["points"], balance["points_owed"]) == (0, 0)
    await assert_books_agree(bank.database, bank.number)


async def test_what_was_returned_counts_for_no_limit(bank: Bank) -> None:
    volunteer, article = await rich(bank, 100), await bank.goods(pieces=9, price=10, limit_per_person=1)
    redemption = done(await reserve(bank.desk, volunteer, (article, 1)), 201)
    done(await collect(bank.desk, redemption), 200)
    refused(await reserve(bank.desk, volunteer, (article, 1)), "limit-reached", per="person", limit=1)
    done(await take_back(bank.desk, redemption), 200)
    done(await reserve(bank.desk, volunteer, (article, 1)), 201)


async def test_a_household_shares_its_limit_as_it_lives_together_now(bank: Bank) -> None:
    one, two, three = await rich(bank, 100), await rich(bank, 100), await rich(bank, 100)
    article = await bank.goods(pieces=9, price=10, limit_per_household=2)
    home = done(await bank.desk.post("households", {"volunteer_ids": [one["id"], two["id"]]}), 201)
    done(await reserve(bank.desk, one, (article, 1)), 201)
    done(await reserve(bank.desk, two, (article, 1)), 201)
    refused(await reserve(bank.desk, one, (article, 1)), "limit-reached", per="household", limit=2, taken=2, needed=1)
    done(await reserve(bank.desk, three, (article, 2)), 201)
    refused(await reserve(bank.desk, three, (article, 1)), "limit-reached", per="household", taken=2)
    # Whoever moves out takes along what was theirs.
    done(await bank.desk.patch(f"volunteers/{two['id']}", {"household_id": None}), 200)
    done(await reserve(bank.desk, one, (article, 1)), 201)
    done(await bank.desk.patch(f"volunteers/{three['id']}", {"household_id": home["id"]}), 200)
    refused(await reserve(bank.desk, one, (article, 1)), "limit-reached", per="household", taken=4)


async def test_volunteers_reserve_and_cancel_for_themselves_alone(bank: Bank) -> None:
    volunteer, other = await rich(bank, 100), await rich(bank, 100)
    article = await bank.goods(pieces=9, price=10)
    own, stranger = await bank.volunteer_api(volunteer["id"]), await bank.volunteer_api(other["id"])
    answer = await own.post("redemptions", {"lines": [{"goods_id": article["id"], "quantity": 2}]})
    mine = done(answer, 201)
    assert answer.headers["location"] == f"/v1/me/redemptions/{mine['id']}"
    assert (mine["volunteer_id"], mine["reserved_by"]) == (volunteer["id"], own.client_id)
    assert len(mine["pickup_code"]) == 6
    assert done(await own.get(answer.headers["location"]), 200) == mine
    theirs = done(await reserve(bank.desk, other, (article, 1)), 201)
    assert [one["id"] for one in done(await own.get("redemptions"), 200)["items"]] == [mine["id"]]
    page = done(await own.get("redemptions", status="reserved", limit=1), 200)
    assert [one["id"] for one in page["items"]] == [mine["id"]]
    refused(await own.get(f"redemptions/{theirs['id']}"), "not-found")
    refused(await own.post(f"redemptions/{theirs['id']}/cancellation"), "not-found")
    refused(await stranger.post(f"redemptions/{mine['id']}/cancellation"), "not-found")
    body = {"volunteer_id": other["id"], "lines": [{"goods_id": article["id"], "quantity": 1}]}
    refused(await own.post("redemptions", body), "invalid-request")
    late = {"lines": body["lines"], "occurred_at": "2026-01-01T09:00:00+08:00"}
    refused(await own.post("redemptions", late), "invalid-request")
    refused(await bank.desk.get("/v1/me/redemptions"), "role-missing")
    done(await own.post(f"redemptions/{mine['id']}/cancellation", {"reason": "不需要了"}), 200)
    assert await points(bank, volunteer) == (100, 0)
    assert await points(bank, other) == (90, 10)


async def test_a_cancellation_needs_no_body(bank: Bank) -> None:
    volunteer, article = await rich(bank, 100), await bank.goods(pieces=9, price=10)
    own = await bank.volunteer_api(volunteer["id"])
    for api, url in ((bank.desk, f"{bank.desk.base}/redemptions"), (own, "/v1/me/redemptions")):
        held = done(await reserve(bank.desk, volunteer, (article, 1)), 201)
        headers = {"Authorization": f"Bearer {api.token}", "Idempotency-Key": held["id"]}
        cancelled = done(await bank.http.post(f"{url}/{held['id']}/cancellation", headers=headers), 200)
        assert (cancelled["status"], cancelled["reason"]) == ("cancelled", None)
