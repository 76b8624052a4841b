"""Backups taken while the bank is busy: what came back has all that was acknowledged before, and nothing from after."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg

from app.kernel.migrating import migrate
from tests.bench.world import furnish, furnished, settings_of
from tests.conftest import run_cli
from tests.postgres import cluster
from tests.soak import base_backups
from tests.soak.books import Query, check_acts, check_audit, check_file, check_sums, opened
from tests.soak.commands import Home
from tests.soak.loads import Load
from tests.soak.parts import BOTH, SQLITE, Part, ViolationError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from app.settings import Settings
    from tests.bench.world import Target, World
    from tests.postgres import Cluster
    from tests.soak.parts import Plan

COMMUNITIES = 3
POSTINGS = 300_000
"""What has to be back and audited within `_seconds_max`, in a full run."""

_acts_at_least = POSTINGS // 3
_seconds_max = 10.0
_busy_seconds = 0.3


def run(plan: Plan) -> None:
    """Take backups of an engine and restore them, again and again."""
    if plan.engine == SQLITE:
        with furnished(SQLITE, COMMUNITIES) as world:
            _on_sqlite(plan, world)
        return
    with (
        tempfile.TemporaryDirectory(prefix="lovebank-soak-") as name,
        base_backups.archiving() as live,
        cluster() as other,
    ):
        _on_postgresql(plan, Path(name), live, other)


def _on_sqlite(plan: Plan, world: World) -> None:
    load = _filled(plan, world.settings, world.targets)
    plan.begin()
    while True:
        backup, restored = world.folder / "backup.db", world.folder / "restored.db"
        acknowledged, sent = asyncio.run(_back_up_sqlite(plan, load, backup))
        began = time.monotonic()
        shutil.copy(backup, restored)
        settings = world.settings.model_copy(update={"database_url": f"sqlite:///{restored}"})
        _audit(plan, settings, world.targets, began)
        with opened(restored) as ask:
            check_file(ask)
            _compare(plan, ask, load.home, acknowledged, sent)
        for path in world.folder.glob("[br][ae][cs]*.db*"):
            path.unlink()
        if plan.over():
            return


async def _back_up_sqlite(plan: Plan, load: Load, backup: Path) -> tuple[dict[int, int], int]:
    """Take a backup under load; gives what was acknowledged before it, and how many acts were sent until its end."""
    async with load.running():
        await asyncio.sleep(plan.random.random() * _busy_seconds)
        acknowledged = dict(load.acknowledged)
        done = await asyncio.to_thread(run_cli, "backup", str(backup), LOVEBANK_DATABASE_URL=load.settings.database_url)
        sent = load.sent
    if done.returncode:
        message = f"the backup failed: {done.stderr}"
        raise ViolationError(message)
    return acknowledged, sent


def _on_postgresql(plan: Plan, folder: Path, live: Cluster, other: Cluster) -> None:
    settings = settings_of(live.url)
    migrate(settings)
    targets = furnish(settings, COMMUNITIES)
    load = _filled(plan, settings, targets)
    plan.begin()
    while True:
        backup = folder / "base"
        moment, acknowledged, sent = asyncio.run(_back_up_postgresql(plan, load, live, backup))
        began = time.monotonic()
        base_backups.restore(other, backup, base_backups.folder_of(live) / "archive", moment)
        restored = settings.model_copy(update={"database_url": other.url})
        _audit(plan, restored, targets, began)
        with _asked(other) as ask:
            _compare(plan, ask, load.home, acknowledged, sent)
        shutil.rmtree(backup)
        if plan.over():
            return


async def _back_up_postgresql(plan: Plan, load: Load, live: Cluster, backup: Path) -> tuple[Any, dict[int, int], int]:
    """Take a base backup under load, and let it go on past some moment; gives that and what was known then."""
    async with load.running():
        await asyncio.to_thread(base_backups.back_up, live, backup)
        await asyncio.sleep(plan.random.random() * _busy_seconds)
        acknowledged = dict(load.acknowledged)
        moment = await asyncio.to_thread(base_backups.moment_of, live)
        sent = load.sent
        await asyncio.sleep(plan.random.random() * _busy_seconds)
    # The end of the log has to lie after the moment.
    await load.fill(1)
    base_backups.archive_all(live)
    return moment, acknowledged, sent


def _filled(plan: Plan, settings: Settings, targets: list[Target]) -> Load:
    """A load on the first community; before a full run it is as large as it has to be."""
    load = Load(settings, Home.of(targets[0], plan.seed))
    if plan.goals:
        asyncio.run(load.fill(_acts_at_least))
    return load


def _audit(plan: Plan, settings: Settings, targets: list[Target], began: float) -> None:
    """Audit all communities of what came back, and keep how long that and the restoring took."""
    asyncio.run(check_audit(settings, *(target.number for target in targets)))
    took = time.monotonic() - began
    if plan.goals:
        plan.took(f"restore and audit of {POSTINGS:,} postings", took, most=_seconds_max)


def _compare(plan: Plan, ask: Query, home: Home, acknowledged: dict[int, int], sent: int) -> None:
    """Hold what came back against what was known at the time of the backup."""
    check_sums(ask)
    there = check_acts(ask, home, acknowledged)
    if later := {number for number in there if number >= sent}:
        message = f"acts {sorted(later)[:5]} were sent after the moment of the backup"
        raise ViolationError(message)
    plan.count("backups restored")
    plan.count("acts found in backups", len(there))


@contextlib.contextmanager
def _asked(server: Cluster) -> Iterator[Query]:
    with psycopg.connect(server.url, autocommit=True) as connection:
        yield lambda text: connection.execute(text.encode()).fetchall()


PART = Part(
    "backups",
    BOTH,
    run,
    targets={"backups restored": 60},
    core_seconds=0.0,
    smoke_seconds=8.0,
)
