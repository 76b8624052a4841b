"""Transfers over HTTP: what a gift and a donation move, what is refused, and that no point comes or goes."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

from app import ledger
from app.ledger import Account, Entry
from app.reports.service import audit_community
from app.transfers.rules import Transfer
from app.transfers.service import NewTransfer, transfer_points
from tests.bank import done, refused
from tests.hours.counting import statements
from tests.redemptions.acts import points, rich

if TYPE_CHECKING:
    import httpx

    from tests.bank import Api, Bank


async def give(api: Api, giver: dict[str, Any], receiver: dict[str, Any], amount: int, **fields: Any) -> httpx.Response:
    """Give points to another volunteer."""
    ids = {"from_volunteer_id": giver["id"], "to_volunteer_id": receiver["id"]}
    return await api.post("transfers", {**ids, "points": amount, **fields})


async def donate(api: Api, giver: dict[str, Any], amount: int) -> httpx.Response:
    """Give points to the pool."""
    return await api.post("transfers", {"from_volunteer_id": giver["id"], "to_pool": True, "points": amount})


async def pool(bank: Bank) -> int:
    """The points donated."""
    accounts = done(await bank.auditor.get("ledger/accounts", limit=200), 200)["items"]
    return int(next(one["balance"] for one in accounts if one["account"] == "community/points_pool"))


async def assert_books_agree(bank: Bank) -> None:
    """Audit the community from its postings."""
    async with bank.database.read(bank.number) as session:
        assert await audit_community(session, bank.number) == []


async def test_gift_moves_points_from_one_volunteer_to_another(bank: Bank) -> None:
    giver, receiver = await rich(bank, 100), await bank.volunteer()
    answer = await give(bank.desk, giver, receiver, 30, note="生日快乐")
    made = done(answer, 201)
    assert (made["kind"], made["points"], made["note"], made["to_pool"]) == ("gift", 30, "生日快乐", False)
    assert (made["from_volunteer_id"], made["to_volunteer_id"]) == (giver["id"], receiver["id"])
    assert (made["transferred_by"], made["transferred_at"]) == (bank.desk.client_id, "2026-03-02T04:00:00Z")
    assert answer.headers["location"].rsplit("/", 1)[1] == made["id"]
    for role in ("manager", "front_desk", "auditor", "integrator"):
        assert done(await bank.roles[role].get(answer.headers["location"]), 200) == made
    assert (await points(bank, giver), await points(bank, receiver)) == ((70, 0), (30, 0))
    transaction = done(await bank.auditor.get(f"ledger/transactions/{made['transaction_id']}"), 200)
    assert (transaction["kind"], transaction["reference"]) == ("gift", f"transfers/{made['id']}")
    for volunteer, amount in ((giver, -30), (receiver, 30)):
        line = done(await bank.desk.get(f"volunteers/{volunteer['id']}/statement"), 200)["items"][0]
        assert (line["kind"], line["amount"], line["transaction_id"]) == ("gift", amount, made["transaction_id"])
    event = done(await bank.auditor.get("events", limit=200), 200)["items"][-1]
    ids = {"transfer_id": made["id"], "from_volunteer_id": giver["id"], "to_volunteer_id": receiver["id"]}
    assert (event["type"], event["data"]) == ("transfer.made", ids)
    await assert_books_agree(bank)


async def test_donation_goes_to_the_pool(bank: Bank) -> None:
    giver = await rich(bank, 100)
    made = done(await donate(bank.manager, giver, 100), 201)
    assert (made["kind"], made["to_volunteer_id"], made["to_pool"], made["note"]) == ("donation", None, True, None)
    assert (await points(bank, giver), await pool(bank)) == ((0, 0), 100)
    refused(await donate(bank.desk, giver, 1), "insufficient-points", status=409, balance=0, needed=1)
    await assert_books_agree(bank)


async def test_gift_settles_what_the_receiver_owes_first(bank: Bank) -> None:
    giver, receiver = await rich(bank, 100), await bank.volunteer()
    address = f"volunteer/{receiver['id']}/points"
    async with bank.database.write(bank.number) as session:
        owing = ((address, -40), ("community/points_issued", 40))
        debts = ((address, f"{address}_owed"),)
        await ledger.post_decided(session, [Entry(bank.number, "reversal", owing, "x", "test", debts=debts)])
    # In one batch as one after the other: what settled the debt cannot be given on.
    first, second = (
        NewTransfer(bank.number, UUID(giver["id"]), UUID(receiver["id"]), to_pool=False, points=25, transferred_by="x")
        for _ in range(2)
    )
    onward = NewTransfer(bank.number, UUID(receiver["id"]), None, to_pool=True, points=11, transferred_by="x")
    async with bank.database.write(bank.number) as session:
        outcomes = await transfer_points(session, [first, second, onward])
        held = await ledger.balances(session, [Account(bank.number, address), Account(bank.number, f"{address}_owed")])
    assert [isinstance(one, Transfer) for one in outcomes] == [True, True, False]
    assert list(held.values()) == [10, 0]
    assert (await bank.balance(receiver["id"]))["points_owed"] == 0
    refused(await donate(bank.desk, receiver, 11), "insufficient-points", balance=10, needed=11)
    done(await donate(bank.desk, receiver, 10), 201)


async def test_transfer_that_leads_nowhere_or_is_no_whole_number_is_pointed_to(bank: Bank) -> None:
    giver, receiver = await rich(bank, 100), await bank.volunteer()
    body = {"from_volunteer_id": giver["id"], "to_volunteer_id": receiver["id"], "points": 1}
    wrong: list[tuple[dict[str, Any], str]] = [
        ({"to_pool": True}, "/to_pool"),
        ({"to_volunteer_id": None}, "/to_volunteer_id"),
        ({"to_volunteer_id": None, "to_pool": False}, "/to_volunteer_id"),
        ({"to_volunteer_id": giver["id"]}, "/to_volunteer_id"),
        ({"to_volunteer_id": None, "to_pool": 1}, "/to_pool"),
        ({"to_volunteer_id": None, "to_pool": "true"}, "/to_pool"),
        ({"from_volunteer_id": None}, "/from_volunteer_id"),
        ({"points": 0}, "/points"),
        ({"points": -1}, "/points"),
        ({"points": 1.5}, "/points"),
        ({"points": "1"}, "/points"),
        ({"points": True}, "/points"),
        ({"points": 10**10}, "/points"),
        ({"note": ""}, "/note"),
        ({"reason": "x"}, "/reason"),
    ]
    for change, pointer in wrong:
        problem = refused(await bank.desk.post("transfers", {**body, **change}), "invalid-request", status=422)
        assert [fault["pointer"] for fault in problem["errors"]] == [pointer], change
    for name in ("from_volunteer_id", "to_volunteer_id"):
        unknown = str(uuid4())
        answer = await bank.desk.post("transfers", {**body, name: unknown})
        refused(answer, "unknown-volunteer", status=422, volunteer_id=unknown)
    assert (await points(bank, giver), await points(bank, receiver)) == ((100, 0), (0, 0))
    assert done(await bank.desk.get("transfers"), 200)["items"] == []


async def test_volunteer_of_another_community_gets_and_gives_nothing(bank: Bank) -> None:
    here, giver = bank.desk, await rich(bank, 100)
    transfer = done(await donate(bank.desk, giver, 1), 201)
    await bank.open_community()
    stranger = await rich(bank, 100)
    refused(await give(here, giver, stranger, 1), "unknown-volunteer", volunteer_id=stranger["id"])
    refused(await give(bank.desk, giver, stranger, 1), "unknown-volunteer", volunteer_id=giver["id"])
    refused(await bank.desk.get(f"transfers/{transfer['id']}"), "not-found", status=404)
    assert done(await bank.desk.get("transfers"), 200)["items"] == []


async def test_points_held_for_a_redemption_cannot_be_given_away(bank: Bank) -> None:
    giver, receiver, article = await rich(bank, 100), await bank.volunteer(), await bank.goods(price=60)
    await bank.reserve(giver["id"], article["id"])
    refused(await give(bank.desk, giver, receiver, 41), "insufficient-points", balance=40, needed=41)
    done(await give(bank.desk, giver, receiver, 40), 201)
    await assert_books_agree(bank)


async def test_key_sent_again_gives_the_first_answer_also_for_a_refusal(bank: Bank) -> None:
    giver, receiver = await rich(bank, 100), await bank.volunteer()
    first = await bank.desk.post("transfers", body := transfer_body(giver, receiver, 60), key="t-1")
    again = await bank.desk.post("transfers", body, key="t-1")
    assert (again.status_code, again.content) == (first.status_code, first.content)
    assert again.headers["idempotency-replayed"] == "true"
    refused(await bank.desk.post("transfers", {**body, "points": 50}, key="t-1"), "idempotency-key-reused")
    refused(await bank.desk.post("transfers", body, key="t-2"), "insufficient-points", balance=40)
    done(await give(bank.desk, receiver, giver, 60), 201)
    refused(await bank.desk.post("transfers", body, key="t-2"), "insufficient-points", balance=40)
    assert await points(bank, giver) == (100, 0)


def transfer_body(giver: dict[str, Any], receiver: dict[str, Any], amount: int) -> dict[str, Any]:
    """The body of a gift."""
    return {"from_volunteer_id": giver["id"], "to_volunteer_id": receiver["id"], "points": amount}


async def test_list_is_of_the_giver_or_the_receiver_asked_for(bank: Bank) -> None:
    one, other = await rich(bank, 100), await rich(bank, 100)
    there = done(await give(bank.desk, one, other, 1), 201)
    back = done(await give(bank.desk, other, one, 2), 201)
    given = done(await donate(bank.desk, one, 3), 201)
    for query, expected in (
        ({}, [given, back, there]),
        ({"from_volunteer_id": one["id"]}, [given, there]),
        ({"to_volunteer_id": one["id"]}, [back]),
        ({"from_volunteer_id": other["id"], "to_volunteer_id": other["id"]}, []),
    ):
        assert done(await bank.integrator.get("transfers", **query), 200)["items"] == expected, query
    page = done(await bank.desk.get("transfers", limit=1, from_volunteer_id=one["id"]), 200)
    rest = done(await bank.desk.get("transfers", limit=1, cursor=page["next_cursor"]), 200)
    assert page["items"] + rest["items"] == [given, there]


async def test_of_two_who_spend_the_same_points_at_once_one_is_refused(bank: Bank) -> None:
    giver, receiver, article = await rich(bank, 30), await bank.volunteer(), await bank.goods(price=30)
    order = {"volunteer_id": giver["id"], "lines": [{"goods_id": article["id"], "quantity": 1}]}
    answers = await asyncio.gather(
        *(give(bank.desk, giver, receiver, 30) for _ in range(4)),
        *(donate(bank.manager, giver, 30) for _ in range(4)),
        *(bank.desk.post("redemptions", order) for _ in range(4)),
    )
    codes = sorted(answer.json().get("code", str(answer.status_code)) for answer in answers)
    assert codes == ["201", *["insufficient-points"] * 11]
    free, held = await points(bank, giver)
    assert (free, held + (await points(bank, receiver))[0] + await pool(bank)) == (0, 30)
    await assert_books_agree(bank)


async def test_gifts_in_a_circle_at_once_keep_the_total(bank: Bank) -> None:
    circle = [await rich(bank, 100) for _ in range(4)]
    answers = await asyncio.gather(
        *(give(bank.desk, circle[n % 4], circle[(n + 1 + n // 4 % 3) % 4], 10 + 7 * n) for n in range(16))
    )
    assert {answer.status_code for answer in answers} <= {201, 409}
    held = [(await points(bank, one))[0] for one in circle]
    assert sum(held) == 400
    assert min(held) >= 0
    await assert_books_agree(bank)


async def test_one_transfer_takes_as_many_statements_as_a_hundred(bank: Bank) -> None:
    giver, receiver = await rich(bank, 450), await bank.volunteer()
    counts = {}
    for size in (1, 10, 100):
        gift = NewTransfer(
            bank.number, UUID(giver["id"]), UUID(receiver["id"]), to_pool=False, points=2, transferred_by="x"
        )
        async with bank.database.write(bank.number) as session, statements(session) as sent:
            outcomes = await transfer_points(session, [gift] * size)
        assert all(isinstance(one, Transfer) for one in outcomes)
        counts[size] = len(sent)
    # Volunteers, balances, and balances again for the ledger are read; events, three tables of the
    # ledger and transfers are written, by PostgreSQL in one statement.
    assert counts == dict.fromkeys((1, 10, 100), {"sqlite": 8, "postgresql": 4}[bank.database.dialect])
    assert (await points(bank, receiver))[0] == 222


async def test_audit_finds_a_gift_that_no_transfer_accounts_for_and_a_pool_that_was_filled_otherwise(
    bank: Bank,
) -> None:
    giver, receiver = await rich(bank, 100), await bank.volunteer()
    made = done(await donate(bank.desk, giver, 10), 201)
    mine, theirs = (f"volunteer/{one['id']}/points" for one in (giver, receiver))
    async with bank.database.write(bank.number) as session:
        (forged,) = await ledger.post_decided(
            session, [Entry(bank.number, "gift", ((mine, -1), (theirs, 1)), "transfers/x", "test")]
        )
        await ledger.reverse(session, bank.number, [made["transaction_id"]], reason="test", posted_by="test")
    async with bank.database.read(bank.number) as session:
        found = {(one.check, one.subject) for one in await audit_community(session, bank.number)}
    named = f"transaction/{forged.transaction_id}"
    assert {("posting-without-transfer", named), ("pool-wrong", "community/points_pool")} <= found
