"""Clients that do whatever can be done to a bank, at random and at once, and what their answers add up to."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, Self
from uuid import uuid4

from app import ledger
from app.kernel.paging import Paging
from app.worker import run_due
from tests.bank import done

if TYPE_CHECKING:
    from random import Random

    import httpx

    from tests.bank import Bank

HOLD_HOURS = 5
EXPECTED = {
    "200",
    "201",
    "already-reversed",
    "already-verified",
    "insufficient-points",
    "limit-reached",
    "manager-required",
    "out-of-stock",
    "overlapping-service",
    "record-not-approved",
    "redemption-not-collected",
    "redemption-not-open",
    "wrong-pickup-code",
}
_first_day = date(2026, 1, 5)
_limits = (None, None, None, 20, 5)


class Hammer:
    """What the clients know together, and what their answers add up to.

    `days` are few enough for records to overlap, and more for a longer run, so that there are always points to earn.
    """

    def __init__(
        self, bank: Bank, volunteers: list[dict[str, Any]], goods: list[dict[str, Any]], *, days: int, chance: Random
    ) -> None:
        self.bank, self.volunteers, self.goods = bank, volunteers, goods
        self.days, self.random = days, chance
        self.pending: list[dict[str, Any]] = []
        self.decided: list[dict[str, Any]] = []
        self.reserved: list[dict[str, Any]] = []
        self.collected: list[dict[str, Any]] = []
        self.outcomes: Counter[str] = Counter()
        self.slowest = 0.0
        self.minutes = self.issued = self.redeemed = self.donated = self.replays = 0

    @classmethod
    async def of(cls, bank: Bank, *, volunteers: int, days: int, chance: Random) -> Self:
        """Open a community to be hammered, with so many volunteers and five articles."""
        await bank.open_community(redemption_hold_hours=HOLD_HOURS)
        await bank.kind(points_per_hour=11, minutes_per_record_max=150, minutes_per_day_max=200)
        people = [await bank.volunteer() for _ in range(volunteers)]
        goods = [
            await bank.goods(pieces=30, price=3 + 2 * number, limit_per_person=limit)
            for number, limit in enumerate(_limits)
        ]
        return cls(bank, people, goods, days=days, chance=chance)

    async def send(self, role: str, path: str, body: Any) -> dict[str, Any]:
        """Send a request, now and then twice under its key, and keep count of the outcome."""
        api, key = self.bank.roles[role], uuid4().hex
        began = time.perf_counter()
        answer = await api.post(path, body, key=key)
        self.slowest = max(self.slowest, time.perf_counter() - began)
        if self.random.random() < 0.05:
            again = await api.post(path, body, key=key)
            assert (again.status_code, again.content) == (answer.status_code, answer.content)
            self.replays += 1
        return self.counted(path, answer)

    def counted(self, path: str, answer: httpx.Response) -> dict[str, Any]:
        """Keep count of an answer, and of the units that it says were moved."""
        body: dict[str, Any] = answer.json()
        self.outcomes[body.get("code", str(answer.status_code))] += 1
        if answer.status_code == 200 and path.endswith("/verification") and body["award"]:
            self.minutes += body["minutes"]
            self.issued += body["award"]["points"]
        if answer.status_code == 200 and path.endswith("/correction"):
            self.minutes -= body["minutes"]
            self.issued -= body["award"]["points"]
        if answer.status_code == 200 and path.endswith("/collection"):
            self.redeemed += body["points"]
        if answer.status_code == 200 and path.endswith("/return"):
            self.redeemed -= body["points"]
        if answer.status_code == 201 and body.get("to_pool"):
            self.donated += body["points"]
        return body

    async def record(self) -> None:
        day = _first_day + timedelta(days=self.random.randrange(self.days))
        start = f"{day}T{self.random.randrange(6, 21):02}:{self.random.randrange(60):02}"
        minutes = self.random.randrange(10, 180)
        body = self.bank.record(self.random.choice(self.volunteers)["id"], start=start, minutes=minutes)
        made = await self.send("front_desk", "service-records", body)
        if "id" in made:
            self.pending.append(made)

    async def verify(self) -> None:
        if not self.pending:
            return
        one = self.random.choice(self.pending[-30:])
        role = self.random.choice(["verifier", "manager"])
        decision = "approve" if self.random.random() < 0.9 else "reject"
        decided = await self.send(role, f"service-records/{one['id']}/verification", {"decision": decision})
        if "id" in decided and one in self.pending:
            self.pending.remove(one)
            self.decided.append(decided)

    async def correct(self) -> None:
        if self.decided:
            one = self.random.choice(self.decided[-10:])
            await self.send("manager", f"service-records/{one['id']}/correction", {"reason": "记错了"})

    async def transfer(self) -> None:
        giver, receiver = self.random.sample(self.volunteers, 2)
        to = {"to_pool": True} if self.random.random() < 0.2 else {"to_volunteer_id": receiver["id"]}
        body = {"from_volunteer_id": giver["id"], "points": self.random.randrange(1, 8), **to}
        await self.send("front_desk", "transfers", body)

    async def reserve(self) -> None:
        articles = self.random.sample(self.goods, self.random.randrange(1, 4))
        lines = [{"goods_id": article["id"], "quantity": self.random.randrange(1, 3)} for article in articles]
        body = {"volunteer_id": self.random.choice(self.volunteers)["id"], "lines": lines}
        made = await self.send("front_desk", "redemptions", body)
        if "id" in made:
            self.reserved.append(made)

    async def close(self) -> None:
        if not self.reserved:
            return
        one = self.random.choice(self.reserved[-30:])
        path = f"redemptions/{one['id']}"
        if self.random.random() < 0.6:
            code = one["pickup_code"] if self.random.random() < 0.9 else "000000"
            closed = await self.send("front_desk", f"{path}/collection", {"pickup_code": code})
            if "id" in closed:
                self.collected.append(closed)
        else:
            await self.send("front_desk", f"{path}/cancellation", {})

    async def give_back(self) -> None:
        if self.collected:
            one = self.random.choice(self.collected[-10:])
            await self.send("front_desk", f"redemptions/{one['id']}/return", {"reason": "破损"})

    async def restock(self) -> None:
        path = f"goods/{self.random.choice(self.goods)['id']}/stock-movements"
        kind = self.random.choice(["received", "received", "written_off", "counted"])
        await self.send("manager", path, {"kind": kind, "quantity": self.random.randrange(1, 20)})

    async def act(self) -> None:
        """Do one random thing."""
        acts = [self.record, self.verify, self.verify, self.reserve, self.close, self.restock]
        acts += [self.correct, self.transfer, self.give_back]
        await self.random.choices(acts, weights=[6, 4, 4, 6, 6, 1, 1, 3, 1])[0]()

    async def client(self, until: float) -> None:
        """Do one random thing after the other."""
        while time.perf_counter() < until:
            await self.act()

    async def worker(self, until: float) -> None:
        """Let an hour pass a few times a second, and lapse what is due."""
        while time.perf_counter() < until:
            await asyncio.sleep(0.2)
            await self.pass_an_hour()

    async def pass_an_hour(self) -> None:
        """Move the clock, and lapse what is due."""
        self.bank.clock.move(hours=1)
        await run_due(self.bank.database, self.bank.app.state.context.settings)


async def check_sums(hammer: Hammer) -> None:
    """Hold what the answers said against what the accounts hold."""
    bank = hammer.bank
    async with bank.database.read(bank.number) as session:
        rows = await ledger.accounts(session, bank.number, Paging())
    held = {row["address"]: row["balance"] for row in rows}
    assert (held["community/points_issued"], held["community/minutes_given"]) == (-hammer.issued, -hammer.minutes)
    assert held["community/points_redeemed"] == hammer.redeemed
    people = {address: balance for address, balance in held.items() if address.startswith("volunteer/")}
    minutes = sum(balance for address, balance in people.items() if address.endswith("/minutes"))
    points = sum(balance for address, balance in people.items() if not address.endswith("/minutes"))
    assert (minutes, points) == (hammer.minutes, hammer.issued - hammer.redeemed - hammer.donated)
    assert held["community/points_pool"] == hammer.donated
    overdrawn = {address for address, balance in held.items() if balance < 0 and not address.endswith("/points_owed")}
    assert overdrawn <= {"community/points_issued", "community/minutes_given"} | {
        f"goods/{article['id']}/supplied" for article in hammer.goods
    }
    for article in hammer.goods:
        stock = done(await bank.desk.get(f"goods/{article['id']}"), 200)["stock"]
        assert sum(stock.values()) == -held[f"goods/{article['id']}/supplied"]
