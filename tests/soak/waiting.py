"""Waiting for work that has to come to an end: what hangs is told apart from what a slow machine takes long for.

Work is late after 15 s. It hangs when it is late, no transaction has ended for a while and PostgreSQL is at nothing, or
when it does not end in a minute more: then a promise is broken. What ends late is too slow.
"""

from __future__ import annotations

import asyncio
import os
import time
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, TypeVar

import psycopg
from prometheus_client import REGISTRY

from tests.soak.parts import POSTGRESQL, Plan, ViolationError, say

if TYPE_CHECKING:
    from collections.abc import Awaitable, Iterator

ResultT = TypeVar("ResultT")

_seconds_max = 15.0
_more_seconds = 60.0
_look_seconds = 0.5
# So often nothing has moved before it stands still: on a machine that stands still itself nobody looks.
_still_looks = 20
_connect_seconds = 10
_shown_characters = 200
_plan: ContextVar[Plan] = ContextVar("plan")
_others = """
    FROM pg_stat_activity WHERE backend_type = 'client backend' AND state <> 'idle' AND pid <> pg_backend_pid()"""
_at_work = f"SELECT count(*) {_others} AND state = 'active' AND wait_event_type IS DISTINCT FROM 'Lock'"  # noqa: S608  constants
_activity = f"""
    SELECT datname, pid, state, wait_event_type, wait_event, 'for ' || pg_blocking_pids(pid)::text,
           (clock_timestamp() - state_change)::text, left(query, {_shown_characters}) {_others} ORDER BY xact_start"""


@contextmanager
def waiting_for(plan: Plan) -> Iterator[None]:
    """Note in a part's plan what within the block comes to its end late."""
    token = _plan.set(plan)
    try:
        yield
    finally:
        _plan.reset(token)


async def in_time(what: str, work: Awaitable[ResultT]) -> ResultT:
    """Wait for work that has to come to an end, and note it in the plan when it was late.

    Raises `ViolationError`, with what everybody waits for, when the work hangs.
    """
    plan, task, began = _plan.get(), asyncio.ensure_future(work), time.monotonic()
    still, ended, told = 0, _transactions(), False
    try:
        while not task.done():
            await asyncio.wait({task}, timeout=_look_seconds)
            before, ended = ended, _transactions()
            still = still + 1 if ended == before else 0
            late = time.monotonic() - began - _seconds_max
            if task.done() or late < 0:
                continue
            if not told:
                say(f"{what} did not end within {_seconds_max:g} s, waiting on\n{await _standing(plan.engine)}")
                told = True
            if late > _more_seconds or (still >= _still_looks and not await _is_at_work(plan.engine)):
                message = f"{what} hangs for {_seconds_max + late:.0f} s\n{await _standing(plan.engine)}"
                raise ViolationError(message)
    finally:
        if task.cancel():
            await asyncio.wait({task}, timeout=_look_seconds)
    if told:
        plan.took(what, time.monotonic() - began, most=_seconds_max)
    return task.result()


def _transactions() -> float | None:
    """How many transactions of this process have ended well."""
    return REGISTRY.get_sample_value("lovebank_transaction_seconds_count")


async def _is_at_work(engine: str) -> bool:
    """Whether some process of the run's PostgreSQL does something other than wait for a lock or its client."""
    return engine == POSTGRESQL and (await _asked(_at_work))[0][0] > 0


async def _standing(engine: str) -> str:
    """Where all tasks of this process are, and the transactions of the run's PostgreSQL."""
    others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    lines = sorted(f"{task.get_name()}: {_place(task)}" for task in others)
    if engine == POSTGRESQL:
        lines += [", ".join(str(part) for part in row) for row in await _asked(_activity)]
    return "\n".join(lines)


async def _asked(question: str) -> list[Any]:
    url = os.environ["TEST_DATABASE_URL"]
    async with await psycopg.AsyncConnection.connect(
        url, autocommit=True, connect_timeout=_connect_seconds
    ) as connection:
        return await (await connection.execute(question.encode())).fetchall()


def _place(task: asyncio.Task[Any]) -> str:
    """The lines of code at which a task waits, the outermost first."""
    places: list[str] = []
    inner: Any = task.get_coro()
    while (frame := getattr(inner, "cr_frame", None)) is not None:
        places.append(f"{os.path.relpath(frame.f_code.co_filename)}:{frame.f_lineno}")
        inner = inner.cr_await
    return " > ".join(places)
