"""Lists in pages: bounded, complete and stable while rows are added, and no cursor works where it was not made."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from app.seals.service import Sealer
from tests.bank import done, refused
from tests.contract import (
    making_activities,
    making_attendance,
    making_clinics,
    making_feeds,
    making_people,
    making_signups,
    making_stalls,
    making_teams,
    making_visits,
)
from tests.contract.furnished import Furnished, send
from tests.contract.spec import named, operations_of
from tests.contract.test_contract import SHORT

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    import httpx

    from tests.bank import Bank
    from tests.contract.spec import Operation

on_one_engine = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
OLDEST_FIRST = {"list_accounts", "list_attendance", "list_shift_signups", "list_standing_signups", "list_open_shifts"}


def paged(operations: list[Operation]) -> list[Operation]:
    """The operations that give a list in pages."""
    return [one for one in operations if {"limit", "cursor"} <= {parameter["name"] for parameter in one.parameters}]


class Lists:
    """Every list of a community: how to read a page of it, and how to add to it."""

    def __init__(self, bank: Bank, own: Furnished) -> None:
        self.bank, self.own = bank, own
        self._rules = 0

    async def page(self, operation: Operation, **query: Any) -> httpx.Response:
        """A page of a list, read by a caller whom it admits."""
        path, _ = await self.own.path_and_body(operation)
        return await self.bank.http.get(path, params=query, headers=self.own.admitted(operation))

    async def everything(self, operation: Operation) -> list[Any]:
        """All items, in pages as large as they may be."""
        return await self.walk(operation, limit=SHORT.get(operation.id, 200))

    async def walk(
        self, operation: Operation, *, limit: int, between: Callable[[], Awaitable[object]] | None = None
    ) -> list[Any]:
        """All items, page after page; something may happen between pages."""
        found: list[Any] = []
        cursor: dict[str, str] = {}
        while True:
            page = done(await self.page(operation, limit=limit, **cursor), 200)
            assert len(page["items"]) == limit or page["next_cursor"] is None
            found += page["items"]
            if page["next_cursor"] is None:
                return found
            cursor = {"cursor": page["next_cursor"]}
            if between:
                await between()

    def adders(self) -> dict[str, Callable[[], Awaitable[object]]]:
        """By list, what adds to it."""
        bank, own = self.bank, self.own
        served = lambda: bank.hours(own.volunteer_id, start=f"{own.next_day()}T09:00")  # noqa: E731  one of many below
        received = {"kind": "received", "quantity": 1, "note": "进货"}
        donation = {"from_volunteer_id": own.volunteer_id, "to_pool": True, "points": 1}
        community = {"code": "x", "name": "社区", "district": "城北区", "subdistrict": "朝阳街道"}
        return {
            "list_clients": lambda: bank.manager.post("clients", {"name": "窗口", "role": "auditor"}),
            "list_communities": lambda: bank.city.post("/v1/communities", {**community, "code": uuid4().hex}),
            "list_volunteers": bank.volunteer,
            "list_households": lambda: bank.desk.post("households", {}),
            "get_statement": served,
            "get_own_statement": served,
            "list_own_service_records": served,
            "list_own_redemptions": lambda: bank.reserve(own.volunteer_id, own.goods_id),
            "list_disputes": self._another_dispute,
            "list_own_disputes": self._another_dispute,
            "list_service_kinds": lambda: bank.kind(uuid4().hex, None),
            "list_earning_rules": self._another_rule,
            "list_service_records": served,
            "list_goods": lambda: bank.goods(pieces=0),
            "list_stock_movements": lambda: bank.manager.post(f"goods/{own.goods_id}/stock-movements", received),
            "list_redemptions": lambda: bank.reserve(own.volunteer_id, own.goods_id),
            "list_transfers": lambda: bank.desk.post("transfers", donation),
            "list_transactions": lambda: bank.manager.post(f"goods/{own.goods_id}/stock-movements", received),
            "list_accounts": lambda: bank.goods(pieces=0),
            "list_checkpoints": self._another_checkpoint,
            "list_city_checkpoints": self._another_of_city,
            "list_witnesses": lambda: self._another_witness("create_witness"),
            "list_city_witnesses": lambda: self._another_witness("create_city_witness"),
            "list_own_receipts": served,
            **making_activities.adders(self),
            **making_attendance.adders(self),
            **making_clinics.adders(self),
            **making_feeds.adders(self),
            **making_signups.adders(self),
            **making_teams.adders(self),
            **making_people.adders(self),
            **making_stalls.adders(self),
            **making_visits.adders(self),
        }

    async def _another_checkpoint(self) -> None:
        await self.bank.goods(pieces=1)
        await Sealer(self.bank.database).seal_due()

    async def _another_of_city(self) -> None:
        await self._another_checkpoint()
        self.bank.clock.move(minutes=1)
        assert await Sealer(self.bank.database).seal_city()

    async def _another_witness(self, operation_id: str) -> None:
        operation = named(operations_of(self.bank.app), operation_id)
        path, body = await self.own.path_and_body(operation, fresh=True)
        done(await send(self.bank.http, operation, path, body, self.own.admitted(operation)), 201)

    async def _another_dispute(self) -> None:
        await self.own.fresh({"dispute_id"})

    async def _another_rule(self) -> None:
        self._rules += 1
        rule = {"service_kind": "home_visit", "points_per_hour": 1, "effective_from": f"2020-01-{self._rules:02}"}
        done(await self.bank.manager.post("earning-rules", rule), 201)


async def test_walk_through_any_list_meets_every_row_once_while_rows_are_added(
    bank: Bank, operations: list[Operation]
) -> None:
    lists = Lists(bank, await Furnished.of(bank))
    adders = lists.adders()
    assert {operation.id for operation in paged(operations)} == set(adders), "tell this test how to add to the list"
    for operation in paged(operations):
        add = adders[operation.id]
        for _ in range(3):
            await add()
        before = await lists.everything(operation)
        assert len(before) > 3, operation.id
        walked = await lists.walk(operation, limit=2 if len(before) < 15 else 7, between=add)
        added = len(await lists.everything(operation)) - len(before)
        assert added > 0, operation.id
        if operation.id in OLDEST_FIRST:
            assert walked[: len(before)] == before, operation.id
        else:
            assert walked == before, operation.id
            assert (await lists.everything(operation))[added:] == before, operation.id


@on_one_engine
async def test_limit_is_bounded(bank: Bank, operations: list[Operation]) -> None:
    lists = Lists(bank, await Furnished.of(bank))
    for operation in [*paged(operations), named(operations, "list_events")]:
        most = SHORT.get(operation.id, 200)
        for limit in (1, most):
            assert (await lists.page(operation, limit=limit)).status_code == 200, operation.id
        for wrong in (0, most + 1, -1, "x", "", "1.5", "1e2", 2**70):
            problem = refused(await lists.page(operation, limit=wrong), "invalid-request")
            assert [error["pointer"] for error in problem["errors"]] == ["/query/limit"], operation.id


@on_one_engine
async def test_cursor_works_for_the_list_it_was_made_for_and_no_other(bank: Bank, operations: list[Operation]) -> None:
    elsewhere = Lists(bank, await Furnished.of(bank))
    await bank.open_community()
    lists = Lists(bank, await Furnished.of(bank))
    cursors: dict[str, str] = {}
    for operation in paged(operations):
        for _ in range(2):
            await lists.adders()[operation.id]()
        cursors[operation.id] = done(await lists.page(operation, limit=1), 200)["next_cursor"]
    for operation in paged(operations):
        good = cursors[operation.id]
        assert (await lists.page(operation, cursor=good)).status_code == 200
        assert "+" not in good + "".join(cursors.values()), "a cursor needs no escape in a URL"
        foreign = [cursor for name, cursor in cursors.items() if name != operation.id]
        tampered = [good[1:], good[:-1], good + "A", "A" + good, good.swapcase(), good.partition(".")[0], "", ".", "é"]
        for cursor in (*foreign, *tampered):
            refused(await lists.page(operation, cursor=cursor), "invalid-cursor")
        if operation.of_community:
            refused(await elsewhere.page(operation, cursor=good), "invalid-cursor")


async def test_cursor_carries_its_filters(bank: Bank, operations: list[Operation]) -> None:
    own = await Furnished.of(bank)
    lists, records = Lists(bank, own), named(operations, "list_service_records")
    for _ in range(2):
        await own.fresh({"service_record_id"})
    pending = [record for record in await lists.everything(records) if record["status"] == "pending"]
    first = done(await lists.page(records, limit=1, status="pending", volunteer_id=own.volunteer_id), 200)
    second = done(await lists.page(records, limit=1, cursor=first["next_cursor"]), 200)
    third = done(await lists.page(records, limit=1, cursor=second["next_cursor"], status="pending"), 200)
    assert [*first["items"], *second["items"], *third["items"]] == pending[:3]
    for other in ({"status": "approved"}, {"volunteer_id": str(uuid4())}):
        refused(await lists.page(records, cursor=first["next_cursor"], **other), "invalid-cursor")
    unfiltered = done(await lists.page(records, limit=1), 200)["next_cursor"]
    refused(await lists.page(records, cursor=unfiltered, status="pending"), "invalid-cursor")


async def test_events_are_read_on_from_the_last_number(bank: Bank) -> None:
    await Furnished.of(bank)
    everything = done(await bank.auditor.get("events", limit=200), 200)["items"]
    assert [event["number"] for event in everything] == list(range(1, len(everything) + 1))
    read: list[Any] = []
    while page := done(await bank.auditor.get("events", limit=4, after=len(read)), 200)["items"]:
        read += page
        if len(read) == 4:
            await bank.volunteer()
    assert read[:-1] == everything
    assert read[-1]["type"] == "volunteer.registered"
    assert done(await bank.auditor.get("events", after=2**53 - 1), 200)["items"] == []
