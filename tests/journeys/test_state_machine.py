"""Whatever is done in whatever order: the bank agrees with a model in memory after every step, and audits clean."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import uuid4

import hypothesis
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from app import ledger
from app.ledger import Account
from app.main import create_app
from app.worker import run_due
from tests.bank import Api, Bank, TestClock, done
from tests.journeys.model import (
    HOLD_HOURS,
    MINUTES_PER_DAY_MAX,
    MINUTES_PER_RECORD_MAX,
    POINTS_PER_HOUR,
    Model,
    Purse,
    Shelf,
    Span,
)
from tests.races.books import assert_books_agree

if TYPE_CHECKING:
    from collections.abc import Coroutine

    import httpx

    from app.settings import Settings

EXAMPLES, STEPS = 8, 30
_days = ("2026-02-24", "2026-02-25", "2026-02-20")

people = st.integers(0, 1)
articles = st.integers(0, 1)
spans = st.tuples(st.integers(0, 1), st.integers(0, 12 * 60), st.integers(15, 500)).map(
    lambda span: (span[0], span[1], span[1] + span[2])
)
orders = st.dictionaries(articles, st.integers(1, 3), min_size=1, max_size=2)
anywhere = st.integers(0, 1000)


class Sent(NamedTuple):
    """A request that was answered, to be sent again."""

    api: Api
    path: str
    body: Any
    key: str
    answer: httpx.Response


class LoveBank(RuleBasedStateMachine):
    """Drives one community of the real app and the model side by side."""

    runner: asyncio.Runner
    bank: Bank

    def __init__(self) -> None:
        super().__init__()
        self.model = Model([Purse(), Purse()], [Shelf(price=3, limit=4), Shelf(price=5, limit=None)])
        self.records: list[dict[str, Any]] = []
        self.redemptions: list[dict[str, Any]] = []
        self.sent: list[Sent] = []
        self.run(self.open())
        # Everyone has something to spend, and something to spend it on: the runs are too short to wait for luck.
        for number in range(2):
            self.record(who=number, span=(2, 540, 640), recorder="front_desk")
            self.verify(place=number, verifier="verifier", approve=True)
            self.move_stock(article=number, kind="received", few=5)

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return self.runner.run(work)

    async def open(self) -> None:
        """A community of its own for this run."""
        await self.bank.open_community(redemption_hold_hours=HOLD_HOURS)
        await self.bank.kind(
            points_per_hour=POINTS_PER_HOUR,
            minutes_per_record_max=MINUTES_PER_RECORD_MAX,
            minutes_per_day_max=MINUTES_PER_DAY_MAX,
        )
        self.volunteers = [await self.bank.volunteer() for _ in self.model.purses]
        self.goods = [
            await self.bank.goods(pieces=0, price=shelf.price, limit_per_person=shelf.limit, limit_period="year")
            for shelf in self.model.shelves
        ]

    def post(self, role: str, path: str, body: Any, expected: str | None) -> dict[str, Any]:
        """Send a request, and compare its outcome with the model's."""
        api, key = self.bank.roles[role], uuid4().hex
        answer = self.run(api.post(path, body, key=key))
        self.sent.append(Sent(api, path, body, key, answer))
        problem: dict[str, Any] = answer.json()
        assert (problem.get("code"), answer.is_success) == (expected, expected is None), problem
        return problem

    @rule(who=people, span=spans, recorder=st.sampled_from(["front_desk", "manager"]))
    def record(self, who: int, span: Span, recorder: str) -> None:
        day, start, end = span
        began = f"{_days[day]}T{start // 60:02}:{start % 60:02}"
        body = self.bank.record(self.volunteers[who]["id"], start=began, minutes=end - start)
        expected = self.model.record(who, span, recorder)
        made = self.post(recorder, "service-records", body, expected)
        if expected is None:
            self.records.append(made)
            assert made["manager_required"] is self.model.services[-1].manager_required

    @precondition(lambda self: self.records)
    @rule(place=anywhere, verifier=st.sampled_from(["verifier", "verifier", "manager"]), approve=st.booleans())
    def verify(self, place: int, verifier: str, *, approve: bool) -> None:
        place %= len(self.records)
        service = self.model.services[place]
        expected = self.model.verify(service, verifier, approve=approve)
        path = f"service-records/{self.records[place]['id']}/verification"
        decided = self.post(verifier, path, {"decision": "approve" if approve else "reject"}, expected)
        if expected is None and approve:
            award = decided["award"]
            assert (award["minutes_counted"], award["points"]) == (service.counted, self.model.earned(service))

    @rule(who=people, wanted=orders)
    def reserve(self, who: int, wanted: dict[int, int]) -> None:
        lines = [{"goods_id": self.goods[article]["id"], "quantity": pieces} for article, pieces in wanted.items()]
        expected = self.model.reserve(who, wanted, self.bank.clock.moment + timedelta(hours=HOLD_HOURS))
        body = {"volunteer_id": self.volunteers[who]["id"], "lines": lines}
        made = self.post("front_desk", "redemptions", body, expected)
        if expected is None:
            self.redemptions.append(made)

    @precondition(lambda self: self.redemptions)
    @rule(place=anywhere, right=st.sampled_from([True, True, False]))
    def collect(self, place: int, *, right: bool) -> None:
        place %= len(self.redemptions)
        redemption, order = self.redemptions[place], self.model.orders[place]
        code = redemption["pickup_code"] if right else f"{(int(redemption['pickup_code']) + 1) % 10**6:06}"
        is_open = order.status == "reserved" and order.lapses_at > self.bank.clock.moment
        expected = "wrong-pickup-code" if is_open and not right else None
        expected = expected or self.model.close(order, "collected", self.bank.clock.moment)
        self.post("front_desk", f"redemptions/{redemption['id']}/collection", {"pickup_code": code}, expected)

    @precondition(lambda self: self.redemptions)
    @rule(place=anywhere)
    def cancel(self, place: int) -> None:
        place %= len(self.redemptions)
        expected = self.model.close(self.model.orders[place], "cancelled", self.bank.clock.moment)
        self.post("front_desk", f"redemptions/{self.redemptions[place]['id']}/cancellation", {}, expected)

    @rule(article=articles, kind=st.sampled_from(["received", "received", "written_off", "counted"]), few=anywhere)
    def move_stock(self, article: int, kind: str, few: int) -> None:
        quantity = few % 12 + (kind != "counted")
        expected = self.model.move_stock(article, kind, quantity)
        path = f"goods/{self.goods[article]['id']}/stock-movements"
        self.post("manager", path, {"kind": kind, "quantity": quantity}, expected)

    @rule(hours=st.integers(1, 3))
    def move_the_clock(self, hours: int) -> None:
        self.bank.clock.move(hours=hours)

    @rule()
    def let_the_worker_run(self) -> None:
        self.run(run_due(self.bank.database, self.bank.app.state.context.settings))
        self.model.lapse(self.bank.clock.moment)

    @precondition(lambda self: self.sent)
    @rule(place=anywhere)
    def send_again(self, place: int) -> None:
        before = self.sent[place % len(self.sent)]
        again = self.run(before.api.post(before.path, before.body, key=before.key))
        assert (again.status_code, again.content) == (before.answer.status_code, before.answer.content)
        assert again.headers["idempotency-replayed"] == "true"

    @invariant()
    def holdings_agree(self) -> None:
        self.run(self.compare_holdings())

    async def compare_holdings(self) -> None:
        """Read all balances in one go, as this happens after every step."""
        expected: dict[str, int] = {}
        for volunteer, purse in zip(self.volunteers, self.model.purses, strict=True):
            address = f"volunteer/{volunteer['id']}"
            expected |= {f"{address}/minutes": purse.minutes, f"{address}/points": purse.points}
            expected |= {f"{address}/points_reserved": purse.held, f"{address}/points_owed": 0}
        for article, shelf in zip(self.goods, self.model.shelves, strict=True):
            address = f"goods/{article['id']}"
            expected |= {f"{address}/shelf": shelf.free, f"{address}/reserved": shelf.held}
            expected |= {f"{address}/handed_out": shelf.handed_out, f"{address}/written_off": shelf.written_off}
        accounts = [Account(self.bank.number, address) for address in expected]
        async with self.bank.database.read(self.bank.number) as session:
            held = await ledger.balances(session, accounts)
        assert {account.address: balance for account, balance in held.items()} == expected

    def teardown(self) -> None:
        self.run(self.compare_statuses())
        self.run(assert_books_agree(self.bank.database, self.bank.number))

    async def compare_statuses(self) -> None:
        records = done(await self.bank.desk.get("service-records", limit=200), 200)["items"]
        assert [one["status"] for one in reversed(records)] == [one.status for one in self.model.services]
        redemptions = done(await self.bank.desk.get("redemptions", limit=200), 200)["items"]
        assert [one["status"] for one in reversed(redemptions)] == [one.status for one in self.model.orders]


def test_the_bank_agrees_with_a_model_whatever_is_done_to_it(settings: Settings, clock: TestClock) -> None:
    app = create_app(settings, clock=clock)
    bank = Bank(app, clock)
    with asyncio.Runner() as runner:
        runner.run(bank.__aenter__())
        try:
            run_state_machine_as_test(
                type("Machine", (LoveBank,), {"runner": runner, "bank": bank}),
                settings=hypothesis.settings(
                    max_examples=EXAMPLES,
                    stateful_step_count=STEPS,
                    deadline=None,
                    suppress_health_check=list(hypothesis.HealthCheck),
                ),
            )
        finally:
            runner.run(bank.__aexit__())
            runner.run(app.state.context.database.close())
