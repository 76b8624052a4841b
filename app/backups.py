"""The commands that carry a bank over a loss: backups of SQLite, and the log of erased persons."""

from __future__ import annotations

import sqlite3
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import typer

from app.beneficiaries.erasing import BENEFICIARY, erase_beneficiary_again
from app.communities.service import list_communities
from app.console import fail, on_database, read_settings, say
from app.kernel.backup import DamagedBackupError, back_up
from app.kernel.effects import follow
from app.kernel.erasures import log_line, log_of_erasures, of_log_line
from app.kernel.heads import CITY
from app.kernel.paging import Paging
from app.needs.service import NEED, erase_need_again
from app.progress import progress
from app.teams.members import MEMBER, erase_member_again
from app.vendors.erasing import VENDOR, erase_vendor_again
from app.volunteers.erasing import VOLUNTEER, erase_volunteer_again, log_of_erased_volunteers
from app.worker import PERSON_EFFECTS

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence

    from app.kernel.database import Database, Session
    from app.kernel.erasures import Erasure

erasures_cli = typer.Typer(no_args_is_help=True, help="The log of erased persons, which outlives backups.")

ERASING_AGAIN: Mapping[str, Callable[[Session, int, Erasure], Awaitable[bool]]] = {
    VOLUNTEER: erase_volunteer_again,
    BENEFICIARY: erase_beneficiary_again,
    VENDOR: erase_vendor_again,
    MEMBER: erase_member_again,
    NEED: erase_need_again,
}
"""By kind of person: what erases one whom a restored backup brought back, and says whether there was one."""


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
        for number, community_id in await _places(database):
            async with database.read(number) as session:
                for log in (log_of_erased_volunteers, log_of_erasures):
                    lines += [log_line(community_id, erasure) for erasure in await log(session, number)]
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
    if unknown := {erasure.kind for _, erasure in log} - set(ERASING_AGAIN):
        fail(f"{file}: this version knows no {', '.join(sorted(unknown))}.")

    async def run(database: Database) -> int:
        again = 0
        for number, place in await _places(database):
            own = [erasure for community_id, erasure in log if community_id == place]
            if own:
                async with database.write(number, seen=[CITY]) as session:
                    again += await erase_again(session, number, own)
        return again

    again = on_database(run)
    say(f"{again} of {len(log)} erased again; the others were erased already or are not in this database.")


async def erase_again(session: Session, community: int, erasures: Sequence[Erasure]) -> int:
    """Erase those of a community whom a backup brought back, with what follows, and give their number."""
    gone = [one for one in erasures if await ERASING_AGAIN[one.kind](session, community, one)]
    await follow(session, PERSON_EFFECTS.gone, [(community, one.person_id) for one in gone])
    return len(gone)


async def _places(database: Database) -> list[tuple[int, UUID]]:
    """Where persons may have been erased, by small number and id: the city, whose id is all zeros, and communities."""
    async with database.read() as session:
        communities = await list_communities(session, CITY, Paging())
    return [(CITY, UUID(int=0)), *((one.number, one.id) for one in communities)]


@contextmanager
def _file_faults_told() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        fail(f"{error.filename}: {error.strerror}.", 1)
