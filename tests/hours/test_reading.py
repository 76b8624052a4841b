"""Reading service records: lists by filter and page, and whose names are shown to whom."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa

from app.hours.store import page_of_records
from app.kernel.paging import Paging
from tests.bank import done, refused
from tests.hours.acts import record, verify

if TYPE_CHECKING:
    from app.settings import Settings
    from tests.bank import Api, Bank


async def ids(api: Api, **filters: Any) -> list[str]:
    """The ids that a list gives with these filters, on one page."""
    return [one["id"] for one in done(await api.get("service-records", **filters), 200)["items"]]


async def pages(api: Api, *, limit: int, **filters: Any) -> list[list[str]]:
    """The ids of a list, page by page; the filters are sent with the first alone, as a cursor carries them."""
    page = done(await api.get("service-records", limit=limit, **filters), 200)
    found = [[one["id"] for one in page["items"]]]
    while page["next_cursor"]:
        page = done(await api.get("service-records", limit=limit, cursor=page["next_cursor"]), 200)
        found.append([one["id"] for one in page["items"]])
    return found


async def test_records_are_listed_newest_first_by_status_and_volunteer(bank: Bank) -> None:
    await bank.kind()
    one, two = await bank.volunteer(), await bank.volunteer()
    made = [
        await record(bank, volunteer, start=f"2026-02-{day}T09:00")
        for day, volunteer in [(20, one), (21, two), (22, one), (23, two), (24, one)]
    ]
    first, second, third, fourth, fifth = (record["id"] for record in made)
    done(await verify(bank.verifier, made[0]), 200)
    done(await verify(bank.verifier, made[1]), 200)
    done(await verify(bank.verifier, made[2], "reject"), 200)
    for api in bank.roles.values():
        assert await ids(api) == [fifth, fourth, third, second, first]
    assert await ids(bank.desk, status="pending") == [fifth, fourth]
    assert await ids(bank.desk, status="approved") == [second, first]
    assert await ids(bank.desk, status="rejected") == [third]
    assert await ids(bank.desk, status="corrected") == []
    assert await ids(bank.desk, volunteer_id=one["id"]) == [fifth, third, first]
    assert await ids(bank.desk, volunteer_id=one["id"], status="approved") == [first]
    refused(await bank.desk.get("service-records", status="lost"), "invalid-request", status=422)
    refused(await bank.desk.get("service-records", limit=0), "invalid-request")
    refused(await bank.desk.get("service-records", limit=201), "invalid-request")

    assert await pages(bank.desk, limit=2) == [[fifth, fourth], [third, second], [first]]
    assert await pages(bank.desk, limit=5) == [[fifth, fourth, third, second, first]]
    assert await pages(bank.desk, limit=1, volunteer_id=one["id"]) == [[fifth], [third], [first]]
    assert await pages(bank.desk, limit=1, status="approved", volunteer_id=two["id"]) == [[second]]


async def test_pages_stay_as_they_were_while_records_come_in(bank: Bank) -> None:
    await bank.kind()
    volunteer = await bank.volunteer()
    old = [(await record(bank, volunteer, start=f"2026-02-{day}T09:00"))["id"] for day in range(10, 14)]
    page = done(await bank.desk.get("service-records", limit=2), 200)
    new = (await record(bank, volunteer, start="2026-02-20T09:00"))["id"]
    rest = done(await bank.desk.get("service-records", limit=2, cursor=page["next_cursor"]), 200)
    assert [one["id"] for one in page["items"] + rest["items"]] == old[::-1]
    assert await ids(bank.desk, limit=1) == [new]


async def test_a_cursor_holds_for_its_own_list_and_filters_alone(bank: Bank) -> None:
    await bank.kind()
    volunteer = await bank.volunteer()
    for day in range(10, 13):
        await record(bank, volunteer, start=f"2026-02-{day}T09:00")
    cursor = done(await bank.desk.get("service-records", limit=1, status="pending"), 200)["next_cursor"]
    done(await bank.desk.get("service-records", limit=1, status="pending", cursor=cursor), 200)
    bad = [
        ("service-records", {"cursor": cursor, "status": "approved"}),
        ("service-records", {"cursor": cursor, "volunteer_id": volunteer["id"]}),
        ("service-records", {"cursor": cursor[:-1]}),
        ("service-records", {"cursor": "x" + cursor}),
        ("service-records", {"cursor": "nonsense"}),
        ("service-records", {"cursor": "."}),
        ("service-kinds", {"cursor": cursor}),
    ]
    for path, parameters in bad:
        refused(await bank.desk.get(path, **parameters), "invalid-cursor", status=422)
    await bank.open_community()
    refused(await bank.desk.get("service-records", cursor=cursor), "invalid-cursor")


async def test_the_recorders_name_is_shown_to_those_who_may_see_names(bank: Bank) -> None:
    await bank.kind()
    volunteer = await bank.volunteer()
    named = await record(bank, volunteer, recorder_name="张文静")
    nameless = await record(bank, volunteer, start="2026-02-20T09:00")
    shown, listed = {}, {}
    for role, api in bank.roles.items():
        one = done(await api.get(f"service-records/{named['id']}"), 200)
        shown[role] = one["recorder_name"]
        items = done(await api.get("service-records"), 200)["items"]
        listed[role] = [item["recorder_name"] for item in items]
        # Nothing else differs.
        assert {**one, "recorder_name": "张文静"} == named
        assert items[0] == nameless
    assert shown == {
        "manager": "张文静",
        "front_desk": "张文静",
        "verifier": "张文静",
        "auditor": "张**",
        "integrator": "张**",
    }
    assert listed == {role: [None, name] for role, name in shown.items()}


@pytest.mark.parametrize("status", ["pending", "rejected", "corrected"])
async def test_records_that_are_not_approved_are_found_without_going_through_those_that_are(
    bank: Bank, settings: Settings, status: str
) -> None:
    sent: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        sent.append((statement, parameters))

    async with bank.database.read(bank.number) as session:
        await session.execute(sa.select(1))
        sa.event.listen(sa.Engine, "before_cursor_execute", note)
        try:
            await page_of_records(session, bank.number, Paging(limit=50, filters={"status": status}))
        finally:
            sa.event.remove(sa.Engine, "before_cursor_execute", note)
        ((statement, parameters),) = sent
        explain = "EXPLAIN QUERY PLAN" if settings.on_sqlite else "EXPLAIN"
        plan = list(await session.connection.exec_driver_sql(f"{explain} {statement}", parameters))
    assert "service_records_status_idx" in str(plan)
