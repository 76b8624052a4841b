"""The commands that carry a bank over a loss: backups of SQLite, and the log of erased volunteers."""

from __future__ import annotations

import sqlite3
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from app.communities.service import list_communities
from app.console import fail, on_database, read_settings, say
from app.kernel.backup import DamagedBackupError, back_up
from app.kernel.heads import CITY
from app.kernel.paging import Paging
from app.progress import progress
from app.volunteers.erasing import log_line, log_of_erasures, of_log_line, replay_erasures

if TYPE_CHECKING:
    from collections.abc import Iterator

    from app.kernel.database import Database

erasures_cli = typer.Typer(no_args_is_help=True, help="The log of erased volunteers, which outlives backups.")


def backup(file: Annotated[Path, typer.Argument(help="where to write; has to be a new file")]) -> None:
    """Back a SQLite database up while the service goes on; PostgreSQL has tools of its own (see README.md)."""
    settings = read_settings()
    if not settings.on_sqlite:
        fail("PostgreSQL is backed up with pg_basebackup or pg_dump; README.md has the recipe.")
    source = Path(settings.database_url.removeprefix("sqlite:///"))
    if not source.exists():
        fail(f"{source}: there is no such database.", 1)
    try:
        with progress() as step, _file_faults_told():
            done = 0

            def show(now: int, total: int) -> None:
                nonlocal done
                step(("pages", now - done, total))
                done = now

            back_up(source, file, show)
    except (sqlite3.Error, DamagedBackupError) as error:
        fail(f"{source} could not be backed up: {error}.", 1)
    say(f"{file}: {file.stat().st_size} bytes, checked.")


@erasures_cli.command(name="export")
def export_erasures(
    file: Annotated[
        Path, typer.Argument(help="where to write; one that is there is replaced when the new one is whole")
    ],
) -> None:
    """Write every erasure as a JSON line, without personal data. Keep the file apart from the backups."""

    async def run(database: Database) -> list[str]:
        lines = []
        async with database.read() as session:
            communities = await list_communities(session, CITY, Paging())
        for one in communities:
            async with database.read(one.number) as session:
                lines += [log_line(one.id, erasure) for erasure in await log_of_erasures(session, one.number)]
        return lines

    lines = on_database(run)
    unfinished = file.with_name(f"{file.name}.unfinished")
    with _file_faults_told():
        unfinished.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        unfinished.replace(file)
    say(f"{len(lines)} erasures written to {file}.")


@erasures_cli.command(name="replay")
def replay_log(file: Annotated[Path, typer.Argument(help="what `erasures export` wrote")]) -> None:
    """Erase again whom a backup from before brought back. May be run any number of times."""
    try:
        with _file_faults_told():
            log = [of_log_line(line) for line in file.read_text(encoding="utf-8").splitlines()]
    except ValueError as error:
        fail(f"{file}: {error}")

    async def run(database: Database) -> int:
        again = 0
        async with database.read() as session:
            communities = await list_communities(session, CITY, Paging())
        for one in communities:
            own = [erasure for community_id, erasure in log if community_id == one.id]
            if own:
                async with database.write(one.number) as session:
                    again += len(await replay_erasures(session, one.number, own))
        return again

    again = on_database(run)
    say(f"{again} of {len(log)} erased again; the others were erased already or are not in this database.")


@contextmanager
def _file_faults_told() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        fail(f"{error.filename}: {error.strerror}.", 1)
