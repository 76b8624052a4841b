"""A volunteer's balance and statement (爱心存折): minutes and points together, newest first, page after page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.bank import done

if TYPE_CHECKING:
    from tests.bank import Bank


async def lines_in_pages(bank: Bank, volunteer_id: str, limit: int) -> list[dict[str, Any]]:
    """The whole statement, read in pages."""
    lines: list[dict[str, Any]] = []
    query: dict[str, Any] = {"limit": limit}
    while True:
        page = done(await bank.desk.get(f"volunteers/{volunteer_id}/statement", **query), 200)
        assert 0 < len(page["items"]) <= limit
        lines += page["items"]
        if page["next_cursor"] is None:
            return lines
        query = {"limit": limit, "cursor": page["next_cursor"]}


async def test_statement_has_both_units_in_the_order_of_posting_however_it_is_cut(bank: Bank) -> None:
    await bank.kind(points_per_hour=60)
    await bank.kind("patrol", None)
    volunteer, article = await bank.volunteer(), await bank.goods(price=10)
    # One line of minutes alone, then minutes with points, then points alone.
    await bank.hours(volunteer["id"], start="2026-02-01T09:00", minutes=30, service_kind="patrol")
    await bank.hours(volunteer["id"], start="2026-02-02T09:00", minutes=30)
    redemption = await bank.reserve(volunteer["id"], article["id"])
    done(await bank.desk.post(f"redemptions/{redemption['id']}/cancellation"), 200)
    await bank.hours(volunteer["id"], start="2026-02-03T09:00", minutes=15)
    whole = done(await bank.desk.get(f"volunteers/{volunteer['id']}/statement"), 200)
    assert whole["next_cursor"] is None
    assert [(line["unit"], line["amount"], line["balance_after"]) for line in whole["items"]] == [
        ("MINUTE", 15, 75),
        ("POINT", 15, 45),
        ("POINT", 10, 30),
        ("POINT", -10, 20),
        ("MINUTE", 30, 60),
        ("POINT", 30, 30),
        ("MINUTE", 30, 30),
    ]
    ids = [line["transaction_id"] for line in whole["items"]]
    assert ids == sorted(ids, reverse=True)
    for limit in range(1, 8):
        assert await lines_in_pages(bank, volunteer["id"], limit) == whole["items"], limit


async def test_statement_says_what_each_line_stands_for(bank: Bank) -> None:
    await bank.kind()
    volunteer = await bank.volunteer()
    record = await bank.hours(volunteer["id"])
    minutes, points = done(await bank.auditor.get(f"volunteers/{volunteer['id']}/statement"), 200)["items"]
    assert minutes["reference"] == points["reference"] == f"service-records/{record['id']}"
    assert (minutes["amount"], points["amount"]) == (90, 15)
    assert minutes["transaction_id"] == points["transaction_id"] == record["transaction_id"]
    assert minutes["posted_at"] == "2026-03-02T04:00:00Z"
    transaction = done(await bank.auditor.get(f"ledger/transactions/{record['transaction_id']}"), 200)
    assert transaction["kind"] == minutes["kind"]


async def test_statement_of_somebody_new_is_empty(bank: Bank) -> None:
    volunteer = await bank.volunteer()
    page = done(await bank.desk.get(f"volunteers/{volunteer['id']}/statement"), 200)
    assert page == {"items": [], "next_cursor": None}


async def test_balance_counts_what_is_held_free_and_reserved(bank: Bank) -> None:
    await bank.kind(points_per_hour=60)
    volunteer, article = await bank.volunteer(), await bank.goods(price=10)

    async def held() -> tuple[int, ...]:
        balance = await bank.balance(volunteer["id"])
        assert balance["as_of"] == bank.clock.moment.isoformat().replace("+00:00", "Z")
        return tuple(balance[name] for name in ("minutes", "points", "points_reserved", "points_owed", "version"))

    assert await held() == (0, 0, 0, 0, 0)
    await bank.hours(volunteer["id"], minutes=30)
    assert await held() == (30, 30, 0, 0, 1)
    bank.clock.move(minutes=1)
    first = await bank.reserve(volunteer["id"], article["id"], 2)
    assert await held() == (30, 10, 20, 0, 2)
    done(await bank.desk.post(f"redemptions/{first['id']}/collection", {"pickup_code": first["pickup_code"]}), 200)
    assert await held() == (30, 10, 0, 0, 2)
    second = await bank.reserve(volunteer["id"], article["id"])
    done(await bank.desk.post(f"redemptions/{second['id']}/cancellation"), 200)
    assert await held() == (30, 10, 0, 0, 4)
