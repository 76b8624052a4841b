"""No request hangs: when an answer takes too long the caller is told to try again, and the work is cut off.

Only the service's own time counts. While a slow client is still sending its body, nobody else waits for it.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, NamedTuple, TypeVar, cast

from app.kernel.errors import Unavailable

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

ResultT = TypeVar("ResultT")

answer_seconds_max = 2.3
"""Below the three seconds within which a slow or missing database has to show as 503."""


class Patience:
    """Wraps the app: raises `Unavailable` for a request that has no answer in time.

    What it was doing is cancelled and ends in the background, because a database that does not answer does not answer
    to a rollback either. Whether a commit went through is then unknown; the keyed request sent again finds out.
    """

    def __init__(self, app: ASGIApp) -> None:
        """Wrap an ASGI app."""
        self._app = app
        self._cut_off: set[asyncio.Task[None]] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection; what is not HTTP passes through."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        loop = asyncio.get_running_loop()
        working_since: float | None = loop.time()
        is_open = True

        async def receive_timed() -> Message:
            nonlocal working_since
            working_since = None
            message = await receive()
            working_since = loop.time()
            return message

        async def send_while_open(message: Message) -> None:
            nonlocal working_since
            working_since = loop.time()
            if is_open:
                await send(message)

        task = asyncio.create_task(self._run(scope, receive_timed, send_while_open))
        try:
            while not task.done():
                waited = 0.0 if working_since is None else loop.time() - working_since
                if waited >= answer_seconds_max:
                    is_open = False
                    self._abandon(task)
                    raise Unavailable
                await asyncio.wait({task}, timeout=answer_seconds_max - waited)
        except asyncio.CancelledError:
            self._abandon(task)
            raise
        await task

    async def _run(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._app(scope, receive, send)

    def _abandon(self, task: asyncio.Task[None]) -> None:
        self._cut_off.add(task)
        task.add_done_callback(self._forget)
        task.cancel()

    def _forget(self, task: asyncio.Task[None]) -> None:
        self._cut_off.discard(task)
        if not task.cancelled():
            task.exception()  # asked for, so that asyncio does not report what nobody waits for any more


class _Due(NamedTuple):
    """When a task's time is over, and how often it had been asked to end before its time began."""

    at: float
    cancelling: int


class Deadlines:
    """Ends work that takes longer than `answer_seconds_max`: as `asyncio.timeout`, with one timer for all of it.

    For work that can be left at once wherever it waits.
    """

    def __init__(self) -> None:
        """Begin with nothing under way."""
        self._running: dict[asyncio.Task[object], _Due] = {}
        self._over: set[asyncio.Task[object]] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    async def keep(self, work: Awaitable[ResultT]) -> ResultT:
        """Wait for work of the current task. Raises `Unavailable` when its time is over."""
        loop = asyncio.get_running_loop()
        task = cast("asyncio.Task[object]", asyncio.current_task(loop))
        due = self._running[task] = _Due(loop.time() + answer_seconds_max, task.cancelling())
        if self._timer is None or self._loop is not loop or due.at < self._timer.when():
            self._wake(loop, due.at)
        try:
            return await work
        except asyncio.CancelledError:
            if task in self._over and task.uncancel() <= due.cancelling:
                raise Unavailable from None
            raise
        finally:
            self._running.pop(task, None)
            self._over.discard(task)

    def _wake(self, loop: asyncio.AbstractEventLoop, at: float) -> None:
        if self._timer is not None and self._loop is loop:
            self._timer.cancel()
        self._loop = loop
        self._timer = loop.call_at(at, self._end_what_is_over, loop)

    def _end_what_is_over(self, loop: asyncio.AbstractEventLoop) -> None:
        self._timer = None
        now = loop.time()
        for task in [task for task, due in self._running.items() if due.at <= now]:
            del self._running[task]
            self._over.add(task)
            task.cancel()
        if self._running:
            self._wake(loop, min(due.at for due in self._running.values()))
