"""Losses of power under SQLite: whatever the disk makes of what it was not told to keep, no commit is lost or torn.

What the app sends to SQLite is recorded while it carries commands out, and sent again through `tests.soak.disk`. The
state after every commit is known, so that after a loss the database has to be, row for row, as it was after the last
commit that was acknowledged, or after the one that was under way.
"""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any, TypeAlias

import apsw

from app.kernel.engines import _of_writer, _pragmas
from app.kernel.tables import metadata
from app.main import open_database
from tests.bench.world import furnished
from tests.sending import replayable
from tests.soak.books import check_acts, check_audit, check_file, check_seals, check_sums, opened
from tests.soak.commands import Home, carry_out, sealing
from tests.soak.disk import Disk, Image, images
from tests.soak.parts import SQLITE, Part, ViolationError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from app.kernel.submission import Outcome
    from tests.bench.world import World
    from tests.soak.commands import Act
    from tests.soak.parts import Plan

Statement: TypeAlias = tuple[str, Any]

PRAGMAS = (*_pragmas, *_of_writer)
"""As the app has them for the connection that writes."""

_acts_per_script = 160
_commits_per_stretch = (2, 20)
_losses_per_stretch = 60
_checkpoint_pages = (None, 5, 40)
_begins: Statement = ("BEGIN IMMEDIATE", {})


@dataclass(frozen=True, slots=True)
class Script:
    """What the app sent for each commit, and a digest of all rows before the first and after each."""

    commits: list[list[Statement]]
    states: list[str]


def run(plan: Plan) -> None:
    """Lose power with the app's own settings."""
    lose_power(plan, PRAGMAS)


def lose_power(plan: Plan, pragmas: Sequence[str]) -> None:
    """Lose power at random moments of one script after the other, with these settings of the connection."""
    disk = Disk()
    try:
        with furnished(SQLITE, 1) as world:
            plan.begin()
            while True:
                home = Home.of(world.targets[0], f"{plan.seed}/{plan.counts['scripts']}")
                _perform(plan, disk, world, _script(world, home), pragmas)
                plan.count("scripts")
                if plan.over():
                    return
    finally:
        disk.unregister()


def _perform(plan: Plan, disk: Disk, world: World, script: Script, pragmas: Sequence[str]) -> None:
    image, done = Image.read(world.folder / "bank.db"), 0
    while done < len(script.commits):
        image, done = _stretch(plan, disk, world.folder, script, image, done, pragmas)
        if plan.over():
            break
    _look_closer(world, image)


def _script(world: World, home: Home) -> Script:
    """Have the app carry acts out on a copy of the bank, and know every state that it went through."""
    original, copy, again = (world.folder / name for name in ("bank.db", "copy.db", "again.db"))
    shutil.copy(original, copy)
    shutil.copy(original, again)
    acknowledged: dict[int, int] = {}

    def acknowledge(act: Act, outcome: Outcome) -> None:
        acknowledged[act.number] = outcome.answer.status

    async def post() -> None:
        database = open_database(world.settings.model_copy(update={"database_url": f"sqlite:///{copy}"}))
        async with sealing(database):
            await carry_out(database, map(home.act, range(_acts_per_script)), acknowledge)
        await database.close()

    with replayable() as sent:
        asyncio.run(post())
    # The others only read.
    (written,) = (statements for statements in sent.values() if _begins in statements)
    script = _replayed(again, list(_by_commit(written)))
    with opened(copy) as ask:
        check_acts(ask, home, acknowledged)
        if digest(ask) != script.states[-1]:
            message = "what was recorded does not lead where the app went"
            raise ViolationError(message)
    return script


def _by_commit(sent: Sequence[Statement]) -> Iterator[list[Statement]]:
    group: list[Statement] = []
    for statement in sent:
        group.append(statement)
        if statement[0] == "COMMIT":
            yield group
            group = []


def _replayed(file: Path, commits: list[list[Statement]]) -> Script:
    """Send statements to a file with nothing special below it, and look at it after each commit."""
    states = []
    with closing(sqlite3.connect(file, isolation_level=None)) as connection, opened(file) as ask:
        connection.execute("PRAGMA synchronous = OFF")
        states.append(digest(ask))
        for statements in commits:
            for statement in statements:
                connection.execute(*statement).fetchall()
            check_sums(ask)
            states.append(digest(ask))
    return Script(commits, states)


def digest(ask: Any) -> str:
    """All rows of all tables, as one short text."""
    hashed = sha256()
    for table in metadata.sorted_tables:
        key = ", ".join(table.primary_key.columns.keys())
        hashed.update(repr(ask(f"SELECT * FROM {table.name} ORDER BY {key}")).encode())  # noqa: S608
    return hashed.hexdigest()


def _stretch(
    plan: Plan, disk: Disk, folder: Path, script: Script, image: Image, done: int, pragmas: Sequence[str]
) -> tuple[Image, int]:
    """Commit some more on the disk that is there, and lose power at many moments of it; go on after one of them."""
    commits = script.commits[done : done + plan.random.randint(*_commits_per_stretch)]
    file = folder / "disk.db"
    image.write(file)
    begun = _write(disk, file, commits, (*pragmas, *_checkpoints(plan)))
    places = sorted(plan.random.choices(range(len(disk.log) + 1), k=_losses_per_stretch))
    goes_on = plan.random.choice(places)
    for place, before in images(image, disk.log, places):
        left = before.lose(plan.random)
        acknowledged = done + sum(1 for end in begun if end <= place)
        reached = _checked(folder / "left.db", left, script, acknowledged)
        plan.count("power losses")
        plan.count("losses that kept what was under way", reached - acknowledged)
        if place == goes_on:
            after = left, reached
    return after


def _checkpoints(plan: Plan) -> tuple[str, ...]:
    """Now and then the log goes into the file so often that many losses hit that."""
    pages = plan.random.choice(_checkpoint_pages)
    return () if pages is None else (f"wal_autocheckpoint={pages}",)


def _write(disk: Disk, file: Path, commits: list[list[Statement]], pragmas: Sequence[str]) -> list[int]:
    """Send statements through the disk; gives how long its log was as each commit was acknowledged."""
    disk.log.clear()
    acknowledged = []
    with closing(apsw.Connection(str(file), vfs=disk.name)) as connection:
        for pragma in pragmas:
            connection.execute(f"PRAGMA {pragma}").fetchall()
        for statements in commits:
            for statement in statements:
                connection.execute(*statement).fetchall()
            acknowledged.append(len(disk.log))
    return acknowledged


def _checked(file: Path, left: Image, script: Script, acknowledged: int) -> int:
    """Open what a loss left, and give how many commits of the script it has."""
    left.write(file)
    with opened(file) as ask:
        ask("PRAGMA synchronous = OFF")
        check_file(ask)
        state = digest(ask)
    # While nothing was acknowledged since, the one under way may be there.
    allowed = script.states[acknowledged : acknowledged + 2]
    if state not in allowed:
        known = script.states.index(state) if state in script.states else None
        message = f"after a loss of power the database has {known} commits, {acknowledged} were acknowledged"
        raise ViolationError(message)
    return acknowledged + allowed.index(state)


def _look_closer(world: World, image: Image) -> None:
    """Have the app's own audit look at what a loss left."""
    file = world.folder / "audited.db"
    image.write(file)
    settings = world.settings.model_copy(update={"database_url": f"sqlite:///{file}"})
    asyncio.run(check_audit(settings, world.targets[0].number))
    with opened(file) as ask:
        check_seals(ask, world.targets[0].number)


PART = Part(
    "power-losses",
    (SQLITE,),
    run,
    targets={"power losses": 20_000},
    core_seconds=4.0,
    smoke_seconds=12.0,
)
