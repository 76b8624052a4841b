"""Requests that arrive while a transaction is under way make the next batch: one for many, and no timer.

A batch takes one request of each waiting community in turn, so that a busy community does not crowd out the others.
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections import deque
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeAlias, TypeVar, cast

from app.kernel import metrics
from app.kernel.database import is_contention
from app.kernel.errors import Refusal, Refused, Unavailable
from app.kernel.rows import CITUS, SQLITE
from app.kernel.submission import carry_out_together, foreseen

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from app.kernel.clock import Clock
    from app.kernel.database import Database, Session
    from app.kernel.rows import Read
    from app.kernel.submission import Command, Outcome, Submission

BATCH_MAX = 500
"""How many requests one transaction carries at most."""

_batches_at_once = 2  # one is decided in Python while the other is in the database
_batches_over_shards = 6  # each of one community: several nodes work at once
_crowd_wait_seconds = 0.2

AskedT = TypeVar("AskedT")
ItemT = TypeVar("ItemT")
ResultT = TypeVar("ResultT")


@dataclass(slots=True, eq=False)
class _Waiting(Generic[AskedT]):
    """A request on its way, and the batch it is in once it is."""

    community: int
    asked: AskedT
    outcome: asyncio.Future[Any]
    batch: _Batch[AskedT] | None = None

    def fail(self, error: Exception) -> None:
        if not self.outcome.done():
            self.outcome.set_exception(error)

    def end(self, outcome: Any) -> None:
        if isinstance(outcome, Refusal):
            self.fail(Refused(outcome))
        elif not self.outcome.done():
            self.outcome.set_result(outcome)


@dataclass(slots=True, eq=False)
class _Batch(Generic[AskedT]):
    """Requests in one transaction, and the task that carries them out."""

    members: list[_Waiting[AskedT]]
    task: asyncio.Task[None] | None = None
    communities: set[int] = field(default_factory=set)


class _Coalescer(ABC, Generic[AskedT]):
    """A queue of one process before the database's door."""

    def __init__(self, *, length_max: int, batches_max: int, apart: bool, communities_max: int | None = None) -> None:
        """Say how many may wait, how many batches run at once, and whether no two of them share a community.

        `communities_max` bounds the communities of a batch.
        """
        self._length_max = length_max
        self._batches_max = batches_max
        self._apart = apart
        self._communities_max = communities_max
        self._waiting: dict[int, deque[_Waiting[AskedT]]] = {}
        self._length = 0
        self._busy: set[int] = set()
        self._batches: set[_Batch[AskedT]] = set()
        self._returning = 0
        self._cut_off: set[asyncio.Task[None]] = set()

    @abstractmethod
    async def _attempt(
        self, asked: Sequence[AskedT], communities: Sequence[int], wait_seconds: float | None
    ) -> Sequence[object]:
        """Carry out what was asked in one transaction: for each its outcome, or why not."""

    @property
    def is_full(self) -> bool:
        """Whether whoever comes now is sent away."""
        return self._length >= self._length_max

    async def _queue(self, community: int, asked: AskedT) -> Any:
        """Wait for the outcome of what is asked.

        Raises `Unavailable` when too many wait, `Refused` for a refusal, and what its own work raised; the work of
        others never fails it.
        """
        if self.is_full:
            raise Unavailable
        one = _Waiting(community, asked, asyncio.get_running_loop().create_future())
        self._waiting.setdefault(community, deque()).append(one)
        self._length += 1
        self._start()
        try:
            return await one.outcome
        except asyncio.CancelledError:
            self._leave(one)
            raise

    def _start(self) -> None:
        while len(self._batches) < self._batches_max and (members := self._next()):
            batch = _Batch(members, communities={one.community for one in members})
            for one in members:
                one.batch = batch
            self._batches.add(batch)
            if self._apart:
                self._busy |= batch.communities
            metrics.batch_size.labels(type(self).__name__.lower()).observe(len(members))
            batch.task = asyncio.create_task(self._run(members))
            batch.task.add_done_callback(partial(self._end, batch))

    def _next(self) -> list[_Waiting[AskedT]]:
        """Take one request of each community that is not busy, in turn; those not taken are first the next time."""
        members: list[_Waiting[AskedT]] = []
        size_max = min(BATCH_MAX, self._share())
        free = (community for community in self._waiting if community not in self._busy)
        ready = deque(islice(free, self._communities_max))
        while ready and len(members) < size_max:
            community = ready.popleft()
            queue = self._waiting.pop(community)
            members.append(queue.popleft())
            if queue:
                self._waiting[community] = queue
                ready.append(community)
        self._length -= len(members)
        return members

    def _share(self) -> int:
        """How many requests make a batch such that all who ask now make one more than can run at once.

        While batches are in the database, others are read and answered: taking all that wait would leave nobody to do
        that for. Whoever was just answered is taken to ask again.
        """
        under_way = sum(len(batch.members) for batch in self._batches)
        at_once = self._batches_max
        if self._apart:
            at_once = min(at_once, len(self._waiting.keys() | self._busy))
        return -(-(self._length + under_way + self._returning) // (at_once + 1))

    def _end(self, batch: _Batch[AskedT], task: asyncio.Task[None]) -> None:
        error = task.exception() if task.done() and not task.cancelled() else None
        if isinstance(error, Exception):
            for one in batch.members:
                one.fail(error)
        if batch in self._batches:
            self._batches.discard(batch)
            self._returning = len(batch.members)
            self._busy -= batch.communities
            # They know it, and who knows each other is left to the collector.
            batch.members, batch.task = [], None
            self._start()

    def _leave(self, one: _Waiting[AskedT]) -> None:
        """Forget a request whose caller has gone; a batch that nobody waits for any more is cut off."""
        batch = one.batch
        if batch is None:
            queue = self._waiting[one.community]
            queue.remove(one)
            self._length -= 1
            if not queue:
                del self._waiting[one.community]
        elif batch.task is not None and all(other.outcome.done() for other in batch.members):
            # It ends in the background: a database that does not answer does not answer to a rollback either.
            self._cut_off.add(batch.task)
            batch.task.add_done_callback(self._cut_off.discard)
            batch.task.cancel()
            self._end(batch, batch.task)

    async def _run(self, members: Sequence[_Waiting[AskedT]]) -> None:
        """Carry requests out in one transaction, or in smaller ones when that cannot be."""
        communities = sorted({one.community for one in members})
        crowd = len(communities) > 1
        try:
            asked = [one.asked for one in members]
            outcomes = await self._attempt(asked, communities, _crowd_wait_seconds if crowd else None)
        except Unavailable as error:
            if not (crowd and is_contention(error)):
                for one in members:
                    one.fail(_like(error))
                return
            # One of the communities is held by somebody else; the others do not wait for it.
            parts = [[one for one in members if one.community == community] for community in communities]
            await asyncio.gather(*(self._run(part) for part in parts))
        except Exception as error:  # noqa: BLE001  whoever asked for it gets it
            if len(members) == 1:
                members[0].fail(error)
                return
            half = len(members) // 2
            await self._run(members[:half])
            await self._run(members[half:])
        else:
            for one, outcome in zip(members, outcomes, strict=True):
                one.end(outcome)


class Commands(_Coalescer["tuple[Command[Any, Any], Submission[Any, Any]]"]):
    """Commands on their way. A community is in one batch at a time, because its head would make a second one wait."""

    def __init__(self, database: Database, *, length_max: int) -> None:
        """Take the database and how many commands may wait; who comes then is sent away."""
        batches_max = {SQLITE: 1, CITUS: _batches_over_shards}.get(database.dialect, _batches_at_once)
        communities_max = 1 if database.dialect == CITUS else None
        super().__init__(length_max=length_max, batches_max=batches_max, apart=True, communities_max=communities_max)
        self._database = database

    async def submit(self, command: Command[Any, Any], submission: Submission[Any, Any]) -> Outcome:
        """Carry a submission out with those that wait as well.

        Raises `Unavailable` when too many wait, `Refused` for a caller whose right was withdrawn, and what its own
        work raised; the work of others never fails it.
        """
        return cast("Outcome", await self._queue(submission.keyed.community, (command, submission)))

    async def _attempt(
        self,
        asked: Sequence[tuple[Command[Any, Any], Submission[Any, Any]]],
        communities: Sequence[int],
        wait_seconds: float | None,
    ) -> Sequence[Outcome | Refusal]:
        async def work(session: Session) -> list[Outcome | Refusal]:
            return await carry_out_together(session, asked)

        seen = {one for _, submission in asked for one in submission.submitter.seen}
        ahead = foreseen(self._database.dialect, asked)
        return await self._database.run(communities, work, wait_seconds=wait_seconds, seen=seen, ahead=ahead)


class Asking(Protocol):
    """What a question is made for."""

    dialect: str
    clock: Clock


Loader: TypeAlias = "Callable[[Asking, Sequence[Any]], Read[Sequence[Any]]]"
"""Makes one question of many items; its answer has for each what was found, or a refusal."""


class Reads(_Coalescer["tuple[Loader, Any]"]):
    """Reads on their way. Those that wait together share one question, and questions one transaction."""

    def __init__(self, database: Database, *, length_max: int) -> None:
        """Take the database and how many reads may wait; who comes then is sent away."""
        super().__init__(length_max=length_max, batches_max=_batches_at_once, apart=False)
        self._database = database

    async def ask(
        self, load: Callable[[Asking, Sequence[ItemT]], Read[Sequence[ResultT | Refusal]]], community: int, item: ItemT
    ) -> ResultT:
        """Find the answer about an item of a community, together with those that wait as well.

        Raises `Unavailable` when too many wait, and `Refused` for a refusal.
        """
        return cast("ResultT", await self._queue(community, (load, item)))

    async def _attempt(
        self, asked: Sequence[tuple[Loader, Any]], communities: Sequence[int], wait_seconds: float | None
    ) -> Sequence[object]:
        del wait_seconds  # nobody makes a reader wait
        places: dict[Loader, list[int]] = {}
        for place, (load, _) in enumerate(asked):
            places.setdefault(load, []).append(place)
        reads = [load(self._database, [asked[place][1] for place in of_load]) for load, of_load in places.items()]
        answers: list[object] = [None] * len(asked)
        for of_load, found in zip(places.values(), await self._database.glance(communities, reads), strict=True):
            for place, answer in zip(of_load, found, strict=True):
                answers[place] = answer
        return answers


def _like(error: Unavailable) -> Unavailable:
    """An exception of its own for each who waited, with the same cause."""
    own = Unavailable()
    own.__cause__ = error.__cause__
    return own
