"""The disk is full under load: writes are put off, reads go on, and once there is room all goes on.

A SQLite file may not grow any more than its process may write; PostgreSQL has its tables on a small disk in memory.
"""

from __future__ import annotations

import asyncio
import errno
import os
import pwd
import resource
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack, closing, contextmanager
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from uuid import uuid4

from tests.soak.clusters import connected, world_of_own_cluster
from tests.soak.parts import BOTH, SQLITE, Part
from tests.soak.rounds import again_and_again, next_decision, soak, until
from tests.soak.world import Service, new_world

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.soak.history import History
    from tests.soak.parts import Plan
    from tests.soak.world import World

ROOM_SECONDS_MAX = 5.0
"""From when there is room to the next answer that a client's write gets."""

_fills_per_round = 10
_disk = "96m"
_block = b"\0" * 8192


class _Disk(NamedTuple):
    """A disk that can be filled and emptied again."""

    fill: Callable[[], None]
    make_room: Callable[[], None]


def run(plan: Plan) -> None:
    """Fill the disk until the time is up, in a new world after every few times."""
    again_and_again(plan, _round)


@cache
def absence(engine: str) -> str | None:
    """Why it cannot be done on this machine."""
    if sys.platform != "linux":
        return "Linux alone can limit another process"
    if engine != SQLITE and os.geteuid() != 0:
        return "only root may mount a small disk"
    try:
        if engine != SQLITE:
            with _small_disk():
                return None
    except (OSError, subprocess.CalledProcessError):
        return "no small disk may be mounted here"
    return None


def _round(plan: Plan) -> None:
    with ExitStack() as stack:
        if plan.engine == SQLITE:
            world = stack.enter_context(new_world(plan.engine))
            service = stack.enter_context(Service(world, is_quiet=True))
            disk = _of_process(world, service)
        else:
            folder = stack.enter_context(_small_disk())
            world = stack.enter_context(world_of_own_cluster())
            stack.enter_context(_tables_on(folder, world))
            service = stack.enter_context(Service(world))
            disk = _Disk(partial(_fill, folder / "ballast"), (folder / "ballast").unlink)
        soak(plan, world, [service], partial(_break, plan, disk))


async def _break(plan: Plan, disk: _Disk, history: History) -> None:
    for _ in range(_fills_per_round):
        await asyncio.sleep(plan.random.uniform(0.3, 1.0))
        put_off = history.attempts["put off"]
        disk.fill()
        await until(lambda: history.attempts["put off"] > put_off, "writes are put off while the disk is full")  # noqa: B023  awaited
        sights = len(history.sights)
        await asyncio.sleep(plan.random.uniform(0.3, 1.0))
        await until(lambda: len(history.sights) > sights, "reads go on while the disk is full")  # noqa: B023  awaited
        disk.make_room()
        began = time.monotonic()
        await next_decision(history)
        plan.took("room", time.monotonic() - began, most=ROOM_SECONDS_MAX)
        plan.count("fills")
        if plan.over():
            break
    await asyncio.sleep(plan.random.uniform(0.3, 1.0))


def _of_process(world: World, service: Service) -> _Disk:
    log = Path(world.settings.database_url.removeprefix("sqlite:///") + "-wal")

    def limit(size: int) -> None:
        assert service.process is not None
        resource.prlimit(service.process.pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))

    return _Disk(lambda: limit(log.stat().st_size), partial(limit, resource.RLIM_INFINITY))


@contextmanager
def _small_disk() -> Iterator[Path]:
    """Mount a disk in memory that PostgreSQL's user may write to."""
    user = pwd.getpwnam("nobody")
    # In a folder that everybody can reach.
    with tempfile.TemporaryDirectory(prefix="lovebank-disk-", dir="/tmp") as name:
        options = f"size={_disk},uid={user.pw_uid},gid={user.pw_gid},mode=700"
        Path(name).chmod(0o755)
        folder = Path(name) / "disk"
        folder.mkdir()
        _mount("mount", "-t", "tmpfs", "-o", options, "none", str(folder))
        try:
            yield folder
        finally:
            _mount("umount", str(folder))


def _mount(*command: str) -> None:
    subprocess.run(command, check=True, stderr=subprocess.DEVNULL)


@contextmanager
def _tables_on(folder: Path, world: World) -> Iterator[None]:
    """Move a world's database there, and its remains away afterwards: it has to be empty for that."""
    name, space = world.settings.database_url.partition("?")[0].rsplit("/", 1)[1], f"small_{uuid4().hex}"
    _run(f"CREATE TABLESPACE {space} LOCATION '{folder}'", f"ALTER DATABASE {name} SET TABLESPACE {space}")
    try:
        yield
    finally:
        away = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname IS NOT NULL"
        away += " AND pid <> pg_backend_pid()"
        _run(away, f"ALTER DATABASE {name} SET TABLESPACE pg_default", f"DROP TABLESPACE {space}")


def _run(*statements: str) -> None:
    with closing(connected()) as connection:
        for statement in statements:
            connection.execute(statement.encode())


def _fill(ballast: Path) -> None:
    """Write a file until not a block is free."""
    with ballast.open("wb", buffering=0) as file:
        try:
            while file.write(_block) == len(_block):
                pass
        except OSError as error:
            if error.errno != errno.ENOSPC:
                raise


PART = Part("disk-full", BOTH, run, core_seconds=1, smoke_seconds=3, absence=absence)
