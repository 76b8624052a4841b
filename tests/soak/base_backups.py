"""PostgreSQL's own way back to any moment: a base backup, and the log that is kept from then on."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
from psycopg.conninfo import conninfo_to_dict

from tests.postgres import cluster, find_package
from tests.soak.parts import ViolationError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from tests.postgres import Cluster

_archive_seconds_max = 30.0


def folder_of(server: Cluster) -> Path:
    """Where a server has its socket, and below it its data."""
    return Path(str(conninfo_to_dict(server.url)["host"]))


@contextmanager
def archiving() -> Iterator[Cluster]:
    """A server that keeps its log in an archive beside its data, from the start."""
    with cluster() as server:
        archive = folder_of(server) / "archive"
        archive.mkdir()
        give(archive, server)
        with psycopg.connect(server.url, autocommit=True) as connection:
            connection.execute("ALTER SYSTEM SET archive_mode = on")
            # As the README has it.
            command = f"test ! -f {archive}/%f && cp %p {archive}/%f"
            connection.execute(f"ALTER SYSTEM SET archive_command = '{command}'".encode())
        server.kill()
        server.start()
        yield server


def back_up(server: Cluster, target: Path) -> None:
    """Take a base backup while the server goes on. Raises `CalledProcessError`."""
    program = find_package() / "pginstall" / "bin" / "pg_basebackup"
    options = ["--pgdata", str(target), "--wal-method", "stream", "--checkpoint", "fast", "--no-sync"]
    subprocess.run([str(program), *options, "--dbname", server.url], check=True, capture_output=True)


def moment_of(server: Cluster) -> datetime:
    """The server's time: what was answered before was committed before it."""
    with psycopg.connect(server.url) as connection:
        row = connection.execute("SELECT clock_timestamp()").fetchone()
    assert row
    moment: datetime = row[0]
    return moment


def archive_all(server: Cluster) -> None:
    """Wait until all that was written so far is in the archive."""
    with psycopg.connect(server.url, autocommit=True) as connection:
        row = connection.execute("SELECT pg_walfile_name(pg_switch_wal())").fetchone()
        assert row
        until = time.monotonic() + _archive_seconds_max
        while not (folder_of(server) / "archive" / row[0]).exists():
            if time.monotonic() > until:
                message = f"{row[0]} was not archived in {_archive_seconds_max:.0f} s"
                raise ViolationError(message)
            time.sleep(0.02)


def restore(into: Cluster, backup: Path, archive: Path, moment: datetime) -> None:
    """Bring what was at a moment back in another server, in place of what it had."""
    into.kill()
    data = folder_of(into) / "data"
    owner = data.stat()
    shutil.rmtree(data)
    shutil.copytree(backup, data)
    with (data / "postgresql.auto.conf").open("a") as settings:
        settings.write(
            f"archive_mode = off\nrestore_command = 'cp {archive}/%f %p'\n"
            f"recovery_target_time = '{moment.isoformat()}'\nrecovery_target_action = promote\n"
        )
    (data / "recovery.signal").touch()
    give(data, into, owner)
    into.start()


def give(path: Path, server: Cluster, owner: os.stat_result | None = None) -> None:
    """Let a folder and what is in it belong to the server's user."""
    owner = owner or (folder_of(server) / "data").stat()
    for place in (path, *path.rglob("*")):
        os.chown(place, owner.st_uid, owner.st_gid)
    path.chmod(0o700)
