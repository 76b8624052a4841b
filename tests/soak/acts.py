"""What a client does at a desk: everything that moves points, and a look at what came of it."""

from __future__ import annotations

import datetime as dt
import time
from typing import TYPE_CHECKING, Any

from tests.bank import record_body
from tests.soak.history import DONE, REFUSED, Act

if TYPE_CHECKING:
    from random import Random

    from tests.soak.clients import Clients
    from tests.soak.world import Town

_first_day = dt.date(2025, 1, 2)
_days = 360
_some = 20


class Desk:
    """One client in one community, with what it made there and may go on with."""

    def __init__(self, clients: Clients, town: Town, random: Random) -> None:
        """Begin with nothing."""
        self._clients, self._town, self._random = clients, town, random
        self._pending: list[str] = []
        self._approved: list[str] = []
        self._reserved: list[Any] = []
        self._collected: list[str] = []

    async def do_something(self) -> None:
        """Do one random thing."""
        ways = {
            self.record: 6,
            self.record_many: 1,
            self.verify: 5,
            self.reserve: 5,
            self.collect: 4,
            self.cancel: 1,
            self.give_back: 1,
            self.transfer: 5,
            self.correct: 1,
            self.look: 8,
        }
        await self._random.choices([*ways], [*ways.values()])[0]()

    def _act(self, kind: str, quantity: int | None = None, *, mark: str = "") -> Act:
        mark = mark or self._clients.history.new_mark()
        return Act(self._town.number, kind, mark, quantity, time.monotonic())

    async def _send(self, role: str, path: str, body: object, *acts: Act) -> Any:
        return await self._clients.send(self._town, role, path, body, self._random, *acts)

    def _service(self, mark: str) -> dict[str, Any]:
        """A service at some time, which may well overlap another."""
        random = self._random
        day = _first_day + dt.timedelta(days=random.randrange(_days))
        start = f"{day}T{random.randrange(6, 20):02}:{random.randrange(60):02}"
        volunteer_id = random.choice(self._town.volunteers)
        return record_body(volunteer_id, start=start, minutes=random.randrange(10, 180), activity_name=mark)

    def _recorded(self, act: Act, record: Any) -> None:
        act.posted = record["transaction_id"] is not None
        (self._approved if act.posted else self._pending).append(record["id"])

    async def record(self) -> None:
        """Record a service."""
        act = self._act("record")
        body = self._service(act.mark)
        act.quantity = body["minutes"]
        record = await self._send("front_desk", "service-records", body, act)
        if record:
            self._recorded(act, record)

    async def record_many(self) -> None:
        """Record services in a batch, each of which is done or refused by itself."""
        acts = [self._act("record") for _ in range(self._random.randrange(2, 6))]
        rows = [{"reference": act.mark, **self._service(act.mark)} for act in acts]
        for act, row in zip(acts, rows, strict=True):
            act.quantity = row["minutes"]
        answer = await self._send("front_desk", "service-record-batches", {"records": rows}, *acts)
        for act, item in zip(acts, answer["items"] if answer else (), strict=False):
            act.fate = DONE if item["outcome"] == "created" else REFUSED
            if act.fate == DONE:
                self._recorded(act, item["service_record"])

    async def verify(self) -> None:
        """Decide about a record, which somebody may have done before."""
        if not self._pending:
            return await self.record()
        act, record_id = self._act("verify"), self._random.choice(self._pending[-_some:])
        decision = "approve" if self._random.random() < 0.9 else "reject"
        role = self._random.choice(("verifier", "manager"))
        body = {"decision": decision, "note": act.mark}
        record = await self._send(role, f"service-records/{record_id}/verification", body, act)
        if record:
            self._pending.remove(record_id)
            act.posted = record["transaction_id"] is not None
            if act.posted:
                self._approved.append(record_id)
        return None

    async def correct(self) -> None:
        """Take a record back, with or without another in its place."""
        if self._approved:
            act, record_id = self._act("correct"), self._random.choice(self._approved[-_some:])
            acts = [act]
            body: dict[str, Any] = {"reason": act.mark}
            if self._random.random() < 0.5:
                replacement = self._act("record")
                acts.append(replacement)
                body["replacement"] = self._service(replacement.mark)
            act.posted = bool(await self._send("manager", f"service-records/{record_id}/correction", body, *acts))

    async def reserve(self) -> None:
        """Reserve goods. What tells this redemption from all others is the moment at which it is said to have been."""
        goods = self._random.sample([*self._town.goods], self._random.randrange(1, 3))
        pieces = {one: self._random.randrange(1, 4) for one in goods}
        lines = [{"goods_id": one, "quantity": quantity} for one, quantity in pieces.items()]
        points = sum(self._town.goods[one] * quantity for one, quantity in pieces.items())
        moment = dt.datetime.now(dt.UTC) - dt.timedelta(hours=3, microseconds=self._random.randrange(3_600_000_000))
        act = self._act("reserve", points, mark=moment.isoformat())
        body = {"volunteer_id": self._random.choice(self._town.volunteers), "lines": lines, "occurred_at": act.mark}
        redemption = await self._send("front_desk", "redemptions", body, act)
        if redemption:
            act.posted = True
            self._reserved.append(redemption)

    async def collect(self) -> None:
        """Hand goods over, once."""
        if self._reserved:
            redemption = self._reserved.pop(self._random.randrange(len(self._reserved)))
            act = self._act("collect", mark=redemption["id"])
            body = {"pickup_code": redemption["pickup_code"]}
            act.posted = bool(await self._send("front_desk", f"redemptions/{redemption['id']}/collection", body, act))
            if act.posted:
                self._collected.append(redemption["id"])

    async def cancel(self) -> None:
        """Cancel a redemption, and leave it among those that may be collected."""
        if self._reserved:
            act, redemption = self._act("cancel"), self._random.choice(self._reserved)
            path = f"redemptions/{redemption['id']}/cancellation"
            act.posted = bool(await self._send("front_desk", path, {"reason": act.mark}, act))

    async def give_back(self) -> None:
        """Take goods back, perhaps for the second time."""
        if self._collected:
            act, redemption_id = self._act("return"), self._random.choice(self._collected[-_some:])
            path = f"redemptions/{redemption_id}/return"
            act.posted = bool(await self._send("front_desk", path, {"reason": act.mark}, act))

    async def transfer(self) -> None:
        """Give points to another volunteer or to the pool."""
        giver, receiver = self._random.sample(self._town.volunteers, 2)
        act = self._act("transfer", self._random.randrange(1, 30))
        to = {"to_pool": True} if self._random.random() < 0.2 else {"to_volunteer_id": receiver}
        body = {"from_volunteer_id": giver, "points": act.quantity, "note": act.mark, **to}
        act.posted = bool(await self._send("front_desk", "transfers", body, act))

    async def look(self) -> None:
        """Read a balance."""
        await self._clients.look(self._town, self._random.choice(self._town.volunteers), self._random)
