"""Keyed deposits and transfers, sent by many clients through the app's own services, and what they have to come to.

Each act follows from a seed and its number, so that whoever checks knows it without being told. It leaves its key in
what it made, so that its effect can be counted apart from the keys that the service keeps.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from hashlib import sha256
from random import Random
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar
from uuid import UUID

from app.communities.rules import MINUTES_GIVEN, POINTS_ISSUED, POINTS_POOL
from app.hours.rules import ServiceFacts
from app.hours.service import NewServiceRecord, reads_of_services, record_services
from app.kernel.coalesce import Commands
from app.kernel.errors import Unavailable
from app.kernel.idempotency import Answer, Keyed
from app.kernel.submission import Command, Outcome, Submission
from app.seals.service import Sealer
from app.transfers.service import NewTransfer, transfer_points
from app.volunteers.rules import minutes_account, points_account
from tests.kernel.grounds import Desk

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterable

    from app.kernel.database import Database
    from app.kernel.errors import Refusal
    from tests.bench.world import Target

DONE, REFUSED = 201, 409
"""Statuses of answers."""

CLIENTS = 8
POINTS_PER_HOUR = 10
"""What `tests.bench.world` pays for an hour."""

_desk = "desk"
_services_a_day = 8
# The day after the consents of `tests.bank`.
_day_one = datetime(2025, 1, 2, tzinfo=UTC)
_queue_length_max = 1000
_seal_seconds = 0.02
_patience_seconds = 60.0

ResultT = TypeVar("ResultT")


@dataclass(frozen=True, slots=True)
class Home:
    """The community in which acts take place, and their seed."""

    number: int
    volunteers: tuple[UUID, ...]
    seed: str

    @classmethod
    def of(cls, target: Target, seed: str) -> Home:
        """The community of a furnished database."""
        return cls(target.number, tuple(UUID(one) for one in target.volunteers), seed)

    def act(self, number: int) -> Act:
        """The act of a number, the same each time."""
        chance = Random(f"{self.seed}/{number}")  # noqa: S311  the point is that it can be repeated
        giver, receiver = chance.sample(self.volunteers, 2)
        if chance.random() < 0.6:
            return Act(number, self, None, self.volunteers[number % len(self.volunteers)], chance.randint(1, 10))
        return Act(number, self, giver, receiver if chance.random() < 0.7 else None, chance.randint(1, 12))


class Act(NamedTuple):
    """Points for a service (nobody gives them), or from a volunteer to another or to the pool."""

    number: int
    home: Home
    giver: UUID | None
    receiver: UUID | None
    points: int

    @property
    def key(self) -> str:
        """The key that it is sent with, and that it leaves in its effect."""
        return f"act-{self.number}"

    @property
    def movements(self) -> dict[str, int]:
        """What it does to accounts by address."""
        if self.giver is None and self.receiver is not None:
            minutes = self.points * 60 // POINTS_PER_HOUR
            return {
                MINUTES_GIVEN: -minutes,
                minutes_account(self.receiver): minutes,
                POINTS_ISSUED: -self.points,
                points_account(self.receiver): self.points,
            }
        to = POINTS_POOL if self.receiver is None else points_account(self.receiver)
        assert self.giver is not None
        return {points_account(self.giver): -self.points, to: self.points}

    def sent(self) -> tuple[Command[Any, Any], Submission[Any, Any]]:
        """The command and its submission by a client."""
        community = self.home.number
        keyed = Keyed(community, _desk, self.key, sha256(repr(self).encode()).hexdigest())
        desk = Desk(_desk, community)
        if self.giver is None:
            return _deposit, Submission(desk, keyed, self._service(), _rendered)
        points, to_pool = self.points, self.receiver is None
        gift = NewTransfer(community, self.giver, self.receiver, to_pool, points, _desk, note=self.key)
        return _transfer, Submission(desk, keyed, gift, _rendered)

    def _service(self) -> NewServiceRecord:
        # No two of a volunteer at the same time, and no more than eight hours a day, so that none is refused or waits.
        days, hours = divmod(self.number // len(self.home.volunteers), _services_a_day)
        begins = _day_one + timedelta(days=days, hours=hours)
        minutes = self.points * 60 // POINTS_PER_HOUR
        facts = ServiceFacts(
            service_kind="home_visit",
            activity_name="入户探访",
            place="祁连家园",
            content=self.key,
            organiser="祁连路西社区居委会",
            started_at=begins,
            ended_at=begins + timedelta(minutes=minutes),
            minutes=minutes,
        )
        return NewServiceRecord(self.home.number, self.receiver, facts, _desk)


def _rendered(made: Any) -> Answer:
    return Answer(DONE, f'{{"id":"{made.id}"}}'.encode())


def _refused(refusal: Refusal) -> Answer:
    return Answer(REFUSED, f'{{"code":"{refusal.code}"}}'.encode(), kept=refusal.kept)


_deposit: Command[NewServiceRecord, Any] = Command(record_services, _refused, reads_of_services)
_transfer: Command[NewTransfer, Any] = Command(transfer_points, _refused)


async def patiently(ask: Callable[[], Awaitable[ResultT]]) -> ResultT:
    """Ask again when told to come later, as clients do: on a busy machine a turn may not come in time.

    Raises `Unavailable` from somebody who was put off for a minute.
    """
    until = time.monotonic() + _patience_seconds
    while True:
        try:
            return await ask()
        except Unavailable as error:
            if time.monotonic() > until:
                raise
            await asyncio.sleep(error.retry_after_s)


async def carry_out(
    database: Database, acts: Iterable[Act], acknowledge: Callable[[Act, Outcome], None], *, clients: int = CLIENTS
) -> None:
    """Have clients send acts, each the next one once its last was answered, and tell of every answer."""
    commands = Commands(database, length_max=_queue_length_max)
    turns = iter(acts)

    async def client() -> None:
        for act in turns:
            acknowledge(act, await patiently(partial(commands.submit, *act.sent())))

    async with asyncio.TaskGroup() as group:
        for _ in range(clients):
            group.create_task(client())


@asynccontextmanager
async def sealing(database: Database) -> AsyncIterator[None]:
    """Have what is posted within the block sealed all the time, and what is left at its end."""
    sealer, over = Sealer(database), False

    async def seal() -> None:
        while not over:
            await patiently(sealer.seal_due)
            await asyncio.sleep(_seal_seconds)
        await patiently(sealer.seal_due)

    async with asyncio.TaskGroup() as group:
        group.create_task(seal())
        try:
            yield
        finally:
            over = True
