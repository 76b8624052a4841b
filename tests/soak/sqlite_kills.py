"""Writers on SQLite, killed in the middle of their commits: what they were told is there, once, and nothing is torn."""

from __future__ import annotations

import asyncio
import multiprocessing
import shutil
import time
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa
import structlog

from app.main import open_database
from tests.bench.world import furnished
from tests.soak.books import check_acts, check_audit, check_file, check_seals, check_sums, opened
from tests.soak.commands import Home, carry_out, sealing
from tests.soak.parts import SQLITE, Part, ViolationError

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

    from app.kernel.submission import Outcome
    from app.settings import Settings
    from tests.soak.commands import Act
    from tests.soak.parts import Plan

_kills_per_file = 20
_first_word_seconds_max = 120.0
_longest_seconds = 0.06
# Forked from a process that has imported everything and has no threads: a writer begins within a few milliseconds.
_processes = multiprocessing.get_context("forkserver")
_processes.set_forkserver_preload([__name__])


@dataclass
class _Life:
    """A file from its furnishing to its last kill: what its writers were told, and all that is there."""

    home: Home
    settings: Settings
    acknowledged: dict[int, int] = field(default_factory=dict)
    there: set[int] = field(default_factory=set)

    @property
    def file(self) -> Path:
        return Path(self.settings.database_url.removeprefix("sqlite:///"))

    def first(self) -> int:
        """The first act that was not answered: its client sends it again, and so do all who came after it."""
        return next(number for number in count() if number not in self.acknowledged)


def run(plan: Plan) -> None:
    """Kill writers on one file after the other."""
    with furnished(SQLITE, 1) as world:
        plan.begin()
        original = world.folder / "bank.db"
        while True:
            file = world.folder / "broken.db"
            shutil.copy(original, file)
            settings = world.settings.model_copy(update={"database_url": f"sqlite:///{file}"})
            life = _Life(Home.of(world.targets[0], f"{plan.seed}/{plan.counts['files']}"), settings)
            for _ in range(_kills_per_file):
                _kill_one(plan, life)
                if plan.over():
                    break
            asyncio.run(check_audit(settings, life.home.number))
            plan.count("files")
            for path in world.folder.glob("broken.db*"):
                path.unlink()
            if plan.over():
                return


def _kill_one(plan: Plan, life: _Life) -> None:
    """Let one writer live for a random while, and look at what it leaves behind."""
    told, tell = _processes.Pipe(duplex=False)
    # In every other run the log goes into the file all the time, so that many die in the midst of that.
    checkpoint_pages = plan.random.choice((None, 8))
    arguments = (life.settings, life.home, life.first(), checkpoint_pages, tell)
    writer = _processes.Process(target=_write, args=arguments)
    writer.start()
    tell.close()
    before = len(life.acknowledged)
    # Now and then before it can say anything, while it opens the file that its predecessor left.
    wait_first = plan.random.random() < 0.9
    _listen(told, life, plan.random.random() * _longest_seconds, wait_first=wait_first)
    writer.kill()
    _drain(told, life)
    writer.join()
    if writer.exitcode != -9:
        message = f"the writer ended by itself, with {writer.exitcode}"
        raise ViolationError(message)
    plan.count("kills")
    plan.count("commands acknowledged", len(life.acknowledged) - before)
    with opened(life.file) as ask:
        check_file(ask)
        check_sums(ask)
        plan.count("checkpoints", check_seals(ask, life.home.number))
        life.there = check_acts(ask, life.home, life.acknowledged)
    plan.count("effects of which nobody was told", len(life.there - life.acknowledged.keys()))


def _listen(told: Connection, life: _Life, seconds: float, *, wait_first: bool) -> None:
    """Take in answers for so long, from the first on."""
    if wait_first and not told.poll(_first_word_seconds_max):
        message = f"the writer said nothing in {_first_word_seconds_max:.0f} s"
        raise ViolationError(message)
    until = time.monotonic() + seconds
    while (left := until - time.monotonic()) > 0:
        if told.poll(left):
            try:
                life.acknowledged.update(told.recv())
            except EOFError:
                return


def _drain(told: Connection, life: _Life) -> None:
    """Take in what the writer said before it died."""
    with told:
        while True:
            try:
                life.acknowledged.update(told.recv())
            except EOFError:
                return


def _write(settings: Settings, home: Home, first: int, checkpoint_pages: int | None, tell: Connection) -> None:
    """Write until killed."""
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory())

    def acknowledge(act: Act, outcome: Outcome) -> None:
        tell.send({act.number: outcome.answer.status})

    async def write() -> None:
        database = open_database(settings)
        if checkpoint_pages is not None:
            async with database.write() as session:
                # Of the one connection that writes.
                await session.execute(sa.text(f"PRAGMA wal_autocheckpoint = {checkpoint_pages}"))
        async with sealing(database):
            await carry_out(database, map(home.act, count(first)), acknowledge)

    asyncio.run(write())


PART = Part(
    "sqlite-kills",
    (SQLITE,),
    run,
    targets={"kills": 3000},
    core_seconds=4.0,
    smoke_seconds=10.0,
)
