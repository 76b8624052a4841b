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

POINTS_PER_HOUR = 60
"""What the rule of a soak's communities gives."""

_first_day = dt.date(2025, 1, 2)
_days = 360
_some = 20


class Desk:
    """One client in one community, with what it made there and may go on with."""

    def __init__(self, clients: Clients, town: Town, random: Random) -> None:
        """Begin with nothing."""
        self._clients, self._town, self._random = clients, town, random
        self._pending: list[Any] = []
        self._approved: list[Any] = []
        self._reserved: list[Any] = []
        self._collected: list[Any] = []

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

    def _record_act(self) -> tuple[Act, dict[str, Any]]:
        """A service to be recorded: its act, and the body that asks for it."""
        act = self._act("record")
        body = self._service(act.mark)
        act.quantity, act.about = body["minutes"], {"volunteer": body["volunteer_id"]}
        act.moves = {body["volunteer_id"]: _points_of(body)}
        return act, body

    def _recorded(self, act: Act, record: Any) -> None:
        act.answered(f"service-records/{record['id']}", record["transaction_id"])
        (self._approved if act.posted else self._pending).append(record)

    async def record(self) -> None:
        """Record a service."""
        act, body = self._record_act()
        record = await self._send("front_desk", "service-records", body, act)
        if record:
            self._recorded(act, record)

    async def record_many(self) -> None:
        """Record services in a batch, each of which is done or refused by itself."""
        recorded = [self._record_act() for _ in range(self._random.randrange(2, 6))]
        acts = [act for act, _ in recorded]
        rows = [{"reference": act.mark, **body} for act, body in recorded]
        answer = await self._send("front_desk", "service-record-batches", {"records": rows}, *acts)
        for act, item in zip(acts, answer["items"] if answer else (), strict=False):
            act.fate = DONE if item["outcome"] == "created" else REFUSED
            if act.fate == DONE:
                self._recorded(act, item["service_record"])

    async def verify(self) -> None:
        """Decide about a record, which somebody may have done before."""
        if not self._pending:
            return await self.record()
        act, pending = self._act("verify"), self._random.choice(self._pending[-_some:])
        decision = "approve" if self._random.random() < 0.9 else "reject"
        role = self._random.choice(("verifier", "manager"))
        body = {"decision": decision, "note": act.mark}
        act.about = {"record": pending["id"], "decision": decision}
        act.moves = {pending["volunteer_id"]: _points_of(pending)}
        record = await self._send(role, f"service-records/{pending['id']}/verification", body, act)
        if record:
            self._pending.remove(pending)
            act.answered(f"service-records/{record['id']}", record["transaction_id"])
            if act.posted:
                self._approved.append(record)
        return None

    async def correct(self) -> None:
        """Take a record back, with or without another in its place."""
        if self._approved:
            act, record = self._act("correct"), self._random.choice(self._approved[-_some:])
            body: dict[str, Any] = {"reason": act.mark}
            replacements = [self._record_act() for _ in range(self._random.randrange(2))]
            for _, replacement in replacements:
                body["replacement"] = replacement
            act.about = {"record": record["id"], "replaced": bool(replacements)}
            act.moves = {record["volunteer_id"]: -_points_of(record)}
            acts = [act, *(one for one, _ in replacements)]
            answer = await self._send("manager", f"service-records/{record['id']}/correction", body, *acts)
            if answer:
                act.answered(f"service-records/{answer['id']}", answer["correction"]["transaction_id"])
            for one, _ in replacements if answer else ():
                one.answered(f"service-records/{answer['correction']['replacement_id']}")

    async def reserve(self) -> None:
        """Reserve goods. What tells this redemption from all others is the moment at which it is said to have been."""
        goods = self._random.sample([*self._town.goods], self._random.randrange(1, 3))
        pieces = {one: self._random.randrange(1, 4) for one in goods}
        lines = [{"goods_id": one, "quantity": quantity} for one, quantity in pieces.items()]
        points = sum(self._town.goods[one] * quantity for one, quantity in pieces.items())
        moment = dt.datetime.now(dt.UTC) - dt.timedelta(hours=3, microseconds=self._random.randrange(3_600_000_000))
        act = self._act("reserve", points, mark=moment.isoformat())
        volunteer_id = self._random.choice(self._town.volunteers)
        act.about, act.moves = {"volunteer": volunteer_id, "lines": pieces}, {volunteer_id: -points}
        body = {"volunteer_id": volunteer_id, "lines": lines, "occurred_at": act.mark}
        redemption = await self._send("front_desk", "redemptions", body, act)
        if redemption:
            act.posted = True
            act.answered(f"redemptions/{redemption['id']}")
            self._reserved.append(redemption)

    async def collect(self) -> None:
        """Hand goods over, once."""
        if self._reserved:
            redemption = self._reserved.pop(self._random.randrange(len(self._reserved)))
            act = self._act("collect", mark=redemption["id"])
            if await self._close(act, redemption, "collection", {"pickup_code": redemption["pickup_code"]}):
                self._collected.append(redemption)

    async def cancel(self) -> None:
        """Cancel a redemption, and leave it among those that may be collected."""
        if self._reserved:
            act, redemption = self._act("cancel"), self._random.choice(self._reserved)
            act.moves = {redemption["volunteer_id"]: redemption["points"]}
            await self._close(act, redemption, "cancellation", {"reason": act.mark})

    async def give_back(self) -> None:
        """Take goods back, perhaps for the second time."""
        if self._collected:
            act, redemption = self._act("return"), self._random.choice(self._collected[-_some:])
            act.moves = {redemption["volunteer_id"]: redemption["points"]}
            await self._close(act, redemption, "return", {"reason": act.mark})

    async def _close(self, act: Act, redemption: Any, end: str, body: object) -> bool:
        """Bring a redemption to an end, or what was handed out back; gives whether that was done."""
        act.about = {"redemption": redemption["id"]}
        answer = await self._send("front_desk", f"redemptions/{redemption['id']}/{end}", body, act)
        if answer:
            act.posted = True
            act.answered(f"redemptions/{answer['id']}", answer["return_transaction_id"])
        return bool(answer)

    async def transfer(self) -> None:
        """Give points to another volunteer or to the pool."""
        giver, receiver = self._random.sample(self._town.volunteers, 2)
        points, is_gift = self._random.randrange(1, 30), self._random.random() < 0.8
        act = self._act("transfer", points)
        act.about = {"giver": giver, "receiver": receiver if is_gift else None}
        act.moves = {giver: -points, receiver: points} if is_gift else {giver: -points}
        to = {"to_volunteer_id": receiver} if is_gift else {"to_pool": True}
        body = {"from_volunteer_id": giver, "points": points, "note": act.mark, **to}
        transfer = await self._send("front_desk", "transfers", body, act)
        if transfer:
            act.answered(f"transfers/{transfer['id']}", transfer["transaction_id"])

    async def look(self) -> None:
        """Read a balance."""
        await self._clients.look(self._town, self._random.choice(self._town.volunteers), self._random)


def _points_of(service: Any) -> int:
    points: int = service["minutes"] * POINTS_PER_HOUR // 60
    return points
