"""Stock: pieces received, written off and counted, each movement one transaction of the ledger."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

from app.goods.service import NewStockMovement, move_stock
from app.kernel.errors import Refusal
from app.reports.service import audit_community
from tests.bank import done, refused
from tests.hours.counting import statements

if TYPE_CHECKING:
    import httpx

    from tests.bank import Bank


async def move(bank: Bank, article: dict[str, Any], kind: str, quantity: int, **fields: Any) -> httpx.Response:
    """Move stock."""
    return await bank.manager.post(
        f"goods/{article['id']}/stock-movements", {"kind": kind, "quantity": quantity, **fields}
    )


async def stock(bank: Bank, article: dict[str, Any]) -> tuple[int, int, int, int]:
    """Pieces on the shelf, reserved, handed out, written off."""
    held = done(await bank.desk.get(f"goods/{article['id']}"), 200)["stock"]
    return held["shelf"], held["reserved"], held["handed_out"], held["written_off"]


async def test_pieces_are_received_and_written_off(bank: Bank) -> None:
    article = await bank.goods(pieces=0)
    answer = await move(bank, article, "received", 160, note="年初进货")
    received = done(answer, 201)
    assert (received["quantity"], received["change"], received["note"]) == (160, 160, "年初进货")
    assert (received["goods_id"], received["moved_by"]) == (article["id"], bank.manager.client_id)
    assert answer.headers["location"].rsplit("/", 1)[1] == received["id"]
    broken = done(await move(bank, article, "written_off", 3, note="破损"), 201)
    assert broken["change"] == -3
    assert await stock(bank, article) == (157, 0, 0, 3)
    posted = done(await bank.auditor.get(f"ledger/transactions/{broken['transaction_id']}"), 200)
    assert {entry["account"]: (entry["unit"], entry["amount"]) for entry in posted["entries"]} == {
        f"goods/{article['id']}/shelf": (f"goods/{article['id']}", -3),
        f"goods/{article['id']}/written_off": (f"goods/{article['id']}", 3),
    }
    assert posted["reference"] == f"goods/{article['id']}/stock-movements/{broken['id']}"


async def test_a_count_posts_the_difference_to_the_pieces_found(bank: Bank) -> None:
    article = await bank.goods(pieces=10)
    more = done(await move(bank, article, "counted", 12), 201)
    assert (more["change"], await stock(bank, article)) == (2, (12, 0, 0, 0))
    fewer = done(await move(bank, article, "counted", 7), 201)
    assert (fewer["change"], await stock(bank, article)) == (-5, (7, 0, 0, 5))
    # A count that finds what is there is kept, and moves nothing.
    same = done(await move(bank, article, "counted", 7, note="年终盘点"), 201)
    assert (same["change"], same["transaction_id"], await stock(bank, article)) == (0, None, (7, 0, 0, 5))
    none = done(await move(bank, article, "counted", 0), 201)
    assert (none["change"], await stock(bank, article)) == (-7, (0, 0, 0, 12))
    listed = done(await bank.desk.get(f"goods/{article['id']}/stock-movements"), 200)["items"]
    assert listed[:4] == [none, same, fewer, more]
    assert [one["change"] for one in listed] == [-7, 0, -5, 2, 10]
    types = [event["type"] for event in done(await bank.integrator.get("events", limit=200), 200)["items"]]
    assert types[-5:] == ["stock.received", *["stock.counted"] * 4]
    async with bank.database.read(bank.number) as session:
        assert await audit_community(session, bank.number) == []


async def test_no_more_is_written_off_than_lies_on_the_shelf(bank: Bank) -> None:
    article = await bank.goods(pieces=5, price=1)
    await bank.kind(points_per_hour=60)
    volunteer = await bank.volunteer()
    await bank.hours(volunteer["id"], minutes=60)
    await bank.reserve(volunteer["id"], article["id"], 2)
    # Two of the five are held for someone.
    answer = await move(bank, article, "written_off", 4)
    refused(answer, "out-of-stock", status=409, goods=article["code"], available=3, needed=4)
    assert await stock(bank, article) == (3, 2, 0, 0)
    done(await move(bank, article, "written_off", 3), 201)
    assert await stock(bank, article) == (0, 2, 0, 3)
    refused(await move(bank, article, "written_off", 1), "out-of-stock", available=0)


async def test_what_is_no_movement_is_refused(bank: Bank) -> None:
    article = await bank.goods(pieces=5)
    for kind, quantity, pointer in [
        ("received", 0, ""),
        ("written_off", 0, ""),
        ("received", -1, "/quantity"),
        ("counted", -1, "/quantity"),
        ("received", 1.5, "/quantity"),
        ("received", 1_000_000_001, "/quantity"),
        ("stolen", 1, "/kind"),
    ]:
        path = f"goods/{article['id']}/stock-movements"
        answer = await bank.manager.post(path, {"kind": kind, "quantity": quantity})
        problem = refused(answer, "invalid-request", status=422)
        assert [fault["pointer"] for fault in problem["errors"]] == [pointer], (kind, quantity)
    refused(await bank.manager.post("goods/17/stock-movements", {"kind": "received", "quantity": 1}), "invalid-request")
    assert await stock(bank, article) == (5, 0, 0, 0)


async def test_movements_are_listed_in_pages_of_their_own_article(bank: Bank) -> None:
    article, other = await bank.goods(pieces=1), await bank.goods(pieces=9)
    for quantity in (2, 3, 4):
        done(await move(bank, article, "received", quantity), 201)
    path = f"goods/{article['id']}/stock-movements"
    page = done(await bank.auditor.get(path, limit=3), 200)
    rest = done(await bank.auditor.get(path, limit=3, cursor=page["next_cursor"]), 200)
    assert [one["quantity"] for one in page["items"] + rest["items"]] == [4, 3, 2, 1]
    answer = await bank.auditor.get(f"goods/{other['id']}/stock-movements", cursor=page["next_cursor"])
    refused(answer, "invalid-cursor", status=422)


async def test_movements_see_each_other_and_take_the_same_statements_however_many(bank: Bank) -> None:
    article = await bank.goods(pieces=0)
    goods_id = UUID(article["id"])
    # The first since the last seal says besides that another is due.
    await bank.goods(pieces=1)
    table = {}
    for size in (1, 10, 200):
        new = [NewStockMovement(bank.number, goods_id, "received", 1, "1-manager") for _ in range(size)]
        async with bank.database.write(bank.number) as session, statements(session) as sent:
            outcomes = await move_stock(session, new)
        assert not [one for one in outcomes if isinstance(one, Refusal)]
        table[size] = len(sent)
    # Articles and shelves are read, and shelves again by the ledger; event, movement and three of the ledger written.
    assert table == dict.fromkeys((1, 10, 200), {"sqlite": 8, "postgresql": 4}[bank.database.dialect])
    assert await stock(bank, article) == (211, 0, 0, 0)
    steps = [("written_off", 200), ("written_off", 12), ("counted", 12), ("written_off", 12), ("written_off", 1)]
    new = [NewStockMovement(bank.number, goods_id, kind, quantity, "1-manager") for kind, quantity in steps]
    async with bank.database.write(bank.number) as session:
        outcomes = await move_stock(session, new)
    changes = [one.code if isinstance(one, Refusal) else one.change for one in outcomes]
    assert changes == [-200, "out-of-stock", 1, -12, "out-of-stock"]
    assert await stock(bank, article) == (0, 0, 0, 212)
