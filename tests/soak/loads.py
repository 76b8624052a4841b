"""Clients that keep a bank busy while something else is done to its database, and what they know afterwards."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from app.main import open_database
from tests.soak.commands import CLIENTS, carry_out

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from app.kernel.submission import Outcome
    from app.settings import Settings
    from tests.soak.commands import Act, Home

_first_seconds_max = 120.0
_together = 400


@dataclass
class Load:
    """Acts of a community by number: how many were sent, and the statuses of those that were answered."""

    settings: Settings
    home: Home
    sent: int = 0
    acknowledged: dict[int, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Begin with nothing running."""
        self._stopped, self._answered = True, asyncio.Event()

    async def fill(self, acts: int) -> None:
        """Carry so many acts out, as fast as it goes."""
        await self._carry_out(self._acts(until=self.sent + acts), clients=_together)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Have clients send one act after the other within the block; all are answered when it ends."""
        self._stopped, self._answered = False, asyncio.Event()
        async with asyncio.TaskGroup() as group:
            group.create_task(self._carry_out(self._acts(), clients=CLIENTS))
            try:
                async with asyncio.timeout(_first_seconds_max):
                    await self._answered.wait()
                yield
            finally:
                self._stopped = True

    async def _carry_out(self, acts: Iterator[Act], *, clients: int) -> None:
        database = open_database(self.settings)
        try:
            await carry_out(database, acts, self._acknowledge, clients=clients)
        finally:
            await database.close()

    def _acts(self, until: int | None = None) -> Iterator[Act]:
        while self.sent != until and not (until is None and self._stopped):
            self.sent += 1
            yield self.home.act(self.sent - 1)

    def _acknowledge(self, act: Act, outcome: Outcome) -> None:
        self.acknowledged[act.number] = outcome.answer.status
        self._answered.set()
