"""Ways to leave a database no room to write: disks that are filled, and files that are not allowed to grow.

Only root may mount a small disk in memory. A limit on the size of a process's files needs the right of its user alone.
"""

from __future__ import annotations

import errno
import os
import pwd
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from contextlib import closing, contextmanager
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from uuid import uuid4

import psycopg

from tests.postgres import cluster
from tests.soak.base_backups import folder_of, give
from tests.soak.clusters import connected, own_cluster, world_of, world_of_own_cluster
from tests.soak.parts import SQLITE
from tests.soak.world import Service, new_world

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from contextlib import AbstractContextManager
    from typing import Any

    from tests.postgres import Cluster
    from tests.soak.world import World


class Disk(NamedTuple):
    """What a service writes to. It can be filled, and room can be made, be it full or not."""

    world: World
    service: Service
    fill: Callable[[], None]
    make_room: Callable[[], None]


class Way(NamedTuple):
    """A way to fill a disk: what it is counted as, and whether the database still serves readers."""

    counted: str
    serves_readers: bool
    opened: Callable[[], AbstractContextManager[Disk]]


_disk = "96m"
_block = b"\0" * 8192
# A segment of PostgreSQL's log is as large, and its end has to be within reach.
_largest = 16 * 1024 * 1024
# The most that PostgreSQL's own state in its control file takes.
_smallest = len(_block)
# Each answer to a keyed request is a row of it.
_grows_most = "idempotency_answers"
_message_bytes = 100_000
_seconds_max, _look_seconds = 30.0, 0.01


def ways_of(engine: str) -> list[Way]:
    """Give the ways that can be gone on this machine, the most usual one first."""
    if engine == SQLITE:
        return [Way("fills", serves_readers=True, opened=_file)]
    ways = [
        Way("fills of tables", serves_readers=True, opened=_tables_on_disk),
        Way("fills of the log", serves_readers=False, opened=_log_on_disk),
        Way("limits of tables", serves_readers=True, opened=_tables_limited),
        Way("limits of the log", serves_readers=False, opened=_log_limited),
    ]
    return ways if absence_of_small_disks() is None else ways[2:]


@cache
def absence(engine: str) -> str | None:
    """Why no disk of an engine can be full on this machine."""
    if sys.platform != "linux":
        return "Linux alone can limit another process"
    if engine != SQLITE and shutil.which("prlimit") is None:
        return "there is no program `prlimit`"
    return None


@cache
def absence_of_small_disks() -> str | None:
    """Why no small disk can be mounted on this machine."""
    if sys.platform != "linux" or os.geteuid() != 0:
        return "only root may mount a small disk, on Linux"
    try:
        with _small_disk():
            return None
    except (OSError, subprocess.CalledProcessError):
        return "no small disk may be mounted here"


@contextmanager
def _file() -> Iterator[Disk]:
    """SQLite's log may not grow any more than the service may write."""
    with new_world(SQLITE) as world, Service(world, is_quiet=True) as service:
        log = Path(world.settings.database_url.removeprefix("sqlite:///") + "-wal")

        def limit(size: int) -> None:
            assert service.process is not None
            resource.prlimit(service.process.pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))

        yield Disk(world, service, lambda: limit(log.stat().st_size), partial(limit, resource.RLIM_INFINITY))


@contextmanager
def _tables_on_disk() -> Iterator[Disk]:
    """PostgreSQL has the tables on a small disk."""
    with (
        _small_disk() as folder,
        world_of_own_cluster() as world,
        _tables_in(folder, world),
        Service(world) as service,
    ):
        ballast = folder / "ballast"
        yield Disk(world, service, partial(_fill, ballast), partial(ballast.unlink, missing_ok=True))


@contextmanager
def _log_on_disk() -> Iterator[Disk]:
    """A PostgreSQL that has its log on a small disk goes down when it cannot write to it."""
    with _small_disk() as folder, cluster(durable=True, may_end=True) as server:
        _move_log(server, folder)
        ballast = folder / "ballast"

        def fill() -> None:
            with closing(connected(server)) as connection:
                _fill(ballast)
                _write_log(connection)

        def make_room() -> None:
            ballast.unlink(missing_ok=True)
            _bring_up(server)

        with world_of(server) as world, Service(world) as service:
            yield Disk(world, service, fill, make_room)


@contextmanager
def _tables_limited() -> Iterator[Disk]:
    """The table that every write adds to is as large as PostgreSQL's processes may make a file."""
    server = own_cluster()
    with world_of_own_cluster() as world, Service(world) as service:
        _stretch(server, world)

        def limit(most: int | None) -> None:
            with closing(connected(server)) as connection:
                _limit(server, connection, most)

        yield Disk(world, service, partial(limit, _largest), partial(limit, None))


@contextmanager
def _log_limited() -> Iterator[Disk]:
    """A PostgreSQL whose processes may not write far into any file, and so not to its log, goes down."""
    with cluster(durable=True, may_end=True) as server:

        def fill() -> None:
            with closing(connected(server)) as connection:
                _limit(server, connection, _smallest)
                _write_log(connection)

        def make_room() -> None:
            # The processes that it starts from now on may write; those that may not end by themselves.
            _limit_processes(server, _first_process(server), None)
            _bring_up(server)

        with world_of(server) as world, Service(world) as service:
            yield Disk(world, service, fill, make_room)


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
def _tables_in(folder: Path, world: World) -> Iterator[None]:
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


def _move_log(server: Cluster, folder: Path) -> None:
    """Move a server's log to a disk of its user's, where little of it is kept for use again."""
    with closing(connected(server)) as connection:
        connection.execute("ALTER SYSTEM SET min_wal_size = '32MB'")
    server.kill()
    log = folder_of(server) / "data" / "pg_wal"
    shutil.move(log, folder / "log")
    give(folder / "log", server)
    log.symlink_to(folder / "log")
    server.start()


def _write_log(connection: psycopg.Connection[Any]) -> None:
    """Write to a server's log, beside those who are at work, until that takes the server down."""
    until = time.monotonic() + _seconds_max
    message = f"SELECT pg_logical_emit_message(true, 'soak', repeat('x', {_message_bytes}))".encode()
    try:
        while time.monotonic() < until:
            connection.execute(message)
    except psycopg.Error:
        if not connection.closed:
            raise
        return
    error = f"the server's log has no room, and it goes on for {_seconds_max:g} s"
    raise OSError(error)


def _bring_up(server: Cluster) -> None:
    """Start a server if it has ended, until it lets somebody in: it may end only now."""
    until = time.monotonic() + _seconds_max
    while True:
        server.start()
        try:
            psycopg.connect(server.url).close()
        except psycopg.OperationalError:
            if time.monotonic() > until:
                raise
            time.sleep(_look_seconds)
        else:
            return


def _stretch(server: Cluster, world: World) -> None:
    """Add empty pages to a table's file, as a crash may leave them, until it is as large as a file will be allowed."""
    with closing(psycopg.connect(world.settings.database_url, autocommit=True)) as connection:
        # It would find the empty pages, and use them or give them back.
        connection.execute(f"ALTER TABLE {_grows_most} SET (autovacuum_enabled = off)".encode())
        row = connection.execute("SELECT pg_relation_filepath(%s)", [_grows_most]).fetchone()
    assert row is not None
    os.truncate(folder_of(server) / "data" / row[0], _largest)


def _limit(server: Cluster, connection: psycopg.Connection[Any], most: int | None) -> None:
    """Let no process of a server make a file larger than this, or each as large as it likes."""
    # Those that begin later have what the first one has.
    _limit_processes(server, _first_process(server), most)
    _limit_processes(server, [pid for (pid,) in connection.execute("SELECT pid FROM pg_stat_activity")], most)


def _first_process(server: Cluster) -> list[int]:
    """The id of a server's first process, if it has not ended."""
    try:
        return [int((folder_of(server) / "data" / "postmaster.pid").read_text().splitlines()[0])]
    except FileNotFoundError:
        return []


def _limit_processes(server: Cluster, pids: Iterable[int], most: int | None) -> None:
    """Limit the files of processes; only their own user may, unless it is root with every right."""
    owner = (folder_of(server) / "data").stat()
    user: dict[str, Any] = {}
    if os.geteuid() == 0:
        user = {"user": owner.st_uid, "group": owner.st_gid, "extra_groups": []}
    for pid in pids:
        command = ["prlimit", f"--pid={pid}", f"--fsize={'unlimited' if most is None else most}:"]
        done = subprocess.run(command, check=False, capture_output=True, **user)
        if done.returncode and Path(f"/proc/{pid}").exists():
            raise OSError(done.stderr.decode(errors="replace"))
