"""The command line: the same services as the API, for those who run the bank."""

from __future__ import annotations

import asyncio
import csv
import json
import signal
import sqlite3
import sys
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer
import uvicorn
from pydantic import ValidationError
from pydantic_settings import SettingsError
from rich.console import Console
from rich.progress import Progress, TaskID

from app.access.service import NewClient, create_clients
from app.communities.service import find_community, list_communities
from app.demo.service import DemoKeeper
from app.http.openapi import as_yaml
from app.http.operations import CITY_ADMIN
from app.imports.paper import UnreadablePaperError
from app.imports.service import Report, Step, import_folder
from app.kernel.backup import DamagedBackupError, back_up
from app.kernel.errors import Unavailable
from app.kernel.heads import CITY
from app.kernel.log import logger, set_up_logs
from app.kernel.migrating import UnknownRevisionError, current_revision
from app.kernel.migrating import migrate as migrate_database
from app.kernel.paging import Paging
from app.main import (
    MissingSecretError,
    SigningKeyError,
    check_secrets,
    create_app,
    describing_app,
    for_good,
    open_database,
)
from app.reports.service import audit_community
from app.settings import PREFIX, Settings, documented, sentences_of
from app.volunteers.erasing import log_line, log_of_erasures, of_log_line, replay_erasures
from app.worker import run_forever

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator, Sequence
    from types import FrameType

    from fastapi import FastAPI

    from app.kernel.database import Database

erasures_cli = typer.Typer(no_args_is_help=True, help="The log of erased volunteers, which outlives backups.")
cli = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help=__doc__)
cli.add_typer(erasures_cli, name="erasures")

_graceful_seconds = 8
_away = "The database does not answer. Check LOVEBANK_DATABASE_URL and whether the server runs."


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")


def _fail(text: str, status: int = 2) -> NoReturn:
    sys.stderr.write(text + "\n")
    raise typer.Exit(status)


def _settings(**given: Any) -> Settings:
    """Read the settings; what is wrong with them is a sentence for each fault, not a stack trace."""
    try:
        return Settings(**given)
    except (ValidationError, SettingsError) as error:
        _fail("\n".join(sentences_of(error)))


def _run(work: Callable[[Database], Coroutine[Any, Any, Any]]) -> Any:
    """Run work on the database of the settings; an outage is a sentence, not a stack trace."""
    settings = _settings()
    try:
        return asyncio.run(_with_database(settings, work))
    except Unavailable:
        _fail(_away, 1)
    except MissingSecretError as error:
        _fail(str(error))


async def _with_database(settings: Settings, work: Callable[[Database], Coroutine[Any, Any, Any]]) -> Any:
    database = open_database(settings)
    try:
        return await work(database)
    finally:
        await database.close()


def app_of_settings() -> FastAPI:
    """Make the app of the environment's settings, without a worker: one of several processes that serve."""
    settings = Settings()
    set_up_logs(settings)
    return for_good(create_app(settings))


@cli.command()
def serve(
    host: Annotated[str, typer.Option(help="address to listen on")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="port to listen on", min=1, max=65535)] = 8000,
    workers: Annotated[int, typer.Option(help="processes; more than one on PostgreSQL alone", min=1)] = 1,
) -> None:
    """Serve the API, with the job worker inside when there is one process."""
    _serve(_settings(), host, port, workers)


def _serve(settings: Settings, host: str, port: int, workers: int) -> None:
    """Serve with these settings, which several processes read again; refuse what could not serve before any starts."""
    if workers > 1 and settings.on_sqlite:
        _fail("SQLite has one writer, which two processes would only wait for: use one process, or PostgreSQL.")
    try:
        check_secrets(settings)
    except (MissingSecretError, SigningKeyError) as error:
        _fail(str(error))
    set_up_logs(settings)
    if settings.environment == "production":
        _refuse_demo_data(settings)
    options: dict[str, Any] = {
        "host": host,
        "port": port,
        "log_config": None,
        "access_log": False,
        "server_header": False,
        "timeout_graceful_shutdown": _graceful_seconds,
    }
    _exit_cleanly_when_asked()
    if workers > 1:
        uvicorn.run("app.cli:app_of_settings", factory=True, workers=workers, **options)
    else:
        uvicorn.Server(uvicorn.Config(for_good(create_app(settings, with_worker=True)), **options)).run()


def _exit_cleanly_when_asked() -> None:
    """From here on exit with 0 on a signal: uvicorn finishes what is in flight and then raises the signal again."""

    def leave(_signal: int, _frame: FrameType | None) -> None:
        raise SystemExit(0)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, leave)


def _refuse_demo_data(settings: Settings) -> None:
    """Fail on a database with demo data. One that is away or not migrated is no reason: `/readyz` tells of those."""

    async def has_demo(database: Database) -> bool:
        async with database.read() as session:
            if await current_revision(session) is None:
                return False
            return any(community.demo for community in await list_communities(session, CITY, Paging()))

    try:
        found = asyncio.run(_with_database(settings, has_demo))
    except Unavailable:
        logger.warning("not checked for demo data", reason="the database does not answer")
        return
    if found:
        _fail("This database has demo data in it, so production does not start on it.")


@cli.command()
def worker() -> None:
    """Run due jobs, and nothing else."""
    settings = _settings()
    set_up_logs(settings)
    _exit_cleanly_when_asked()
    _run(lambda database: run_forever(database, settings))


@cli.command()
def migrate(revision: Annotated[str, typer.Argument(help="revision to go to")] = "head") -> None:
    """Bring the database to a revision and print it."""
    settings = _settings()
    try:
        _say(migrate_database(settings, revision) or "base")
    except Unavailable:
        _fail(_away, 1)
    except UnknownRevisionError as error:
        _fail(f"{error}.")


@cli.command()
def bootstrap(name: Annotated[str, typer.Option(help="what the client is")]) -> None:
    """Create a client of the city and print it with its secret, this once."""

    async def create(database: Database) -> dict[str, Any]:
        async with database.write(CITY) as session:
            (client,) = await create_clients(session, [NewClient(CITY, name, CITY_ADMIN)])
        return {"client_id": client.client_id, "client_secret": client.client_secret}

    _say(json.dumps(_run(create)))


@cli.command(name="import")
def import_(
    folder: Annotated[Path, typer.Argument(help="folder with a community's paper trail", file_okay=False)],
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="answer as if, and store nothing")] = False,
    report: Annotated[Path | None, typer.Option(help="CSV file for the rows that were refused")] = None,
) -> None:
    """Import a community's paper trail and print how its rows ended and what the community holds."""

    async def run(database: Database) -> Report:
        with _progress() as step:
            return await import_folder(database, folder, dry_run=dry_run, progress=step)

    try:
        result: Report = _run(run)
    except UnreadablePaperError as error:
        _fail(str(error))
    if report is not None:
        _write_refused(report, result)
    counts = {name: dict(sorted(getattr(result, name).items())) for name in _kinds}
    _say(json.dumps({**counts, **(asdict(result.totals) if result.totals else {})}, ensure_ascii=False, indent=1))


_kinds = ("volunteers", "service_records", "redemptions")


@contextmanager
def _progress() -> Iterator[Callable[[Step], None]]:
    """Show a bar for each file on a terminal; elsewhere be quiet."""
    tasks: dict[str, TaskID] = {}
    with Progress(console=Console(stderr=True), disable=not sys.stderr.isatty()) as bars:

        def show(step: Step) -> None:
            file, done, total = step
            if file not in tasks:
                tasks[file] = bars.add_task(file, total=total)
            bars.advance(tasks[file], done)

        yield show


def _write_refused(path: Path, result: Report) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["file", "line", "code", "reason"])
        writer.writerows([row.file, row.line, row.code, row.reason] for row in result.refused)


@cli.command()
def audit(community: Annotated[str | None, typer.Option(help="code of one community")] = None) -> None:
    """Recompute everything from the postings; print what disagrees as JSON lines, and exit with 1 if anything does."""

    async def numbers(database: Database) -> Sequence[tuple[int, str]]:
        async with database.read() as session:
            if community is None:
                return [(one.number, one.code) for one in await list_communities(session, CITY, Paging())]
            found = await find_community(session, community)
        return [(found.number, found.code)] if found else []

    async def run(database: Database) -> int:
        audited = await numbers(database)
        if community is not None and not audited:
            _fail(f"There is no community with the code {community}.")
        found = 0
        for number, code in audited:
            async with database.read(number) as session:
                for one in await audit_community(session, number):
                    _say(json.dumps({"community": code, **asdict(one)}, ensure_ascii=False))
                    found += 1
        return found

    raise typer.Exit(1 if _run(run) else 0)


@cli.command()
def backup(file: Annotated[Path, typer.Argument(help="where to write; has to be a new file")]) -> None:
    """Back a SQLite database up while the service goes on; PostgreSQL has tools of its own (see README.md)."""
    settings = _settings()
    if not settings.on_sqlite:
        _fail("PostgreSQL is backed up with pg_basebackup or pg_dump; README.md has the recipe.")
    source = Path(settings.database_url.removeprefix("sqlite:///"))
    if not source.exists():
        _fail(f"{source}: there is no such database.", 1)
    try:
        with _progress() as step, _file_faults_told():
            done = 0

            def show(now: int, total: int) -> None:
                nonlocal done
                step(("pages", now - done, total))
                done = now

            back_up(source, file, show)
    except (sqlite3.Error, DamagedBackupError) as error:
        _fail(f"{source} could not be backed up: {error}.", 1)
    _say(f"{file}: {file.stat().st_size} bytes, checked.")


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

    lines = _run(run)
    unfinished = file.with_name(f"{file.name}.unfinished")
    with _file_faults_told():
        unfinished.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        unfinished.replace(file)
    _say(f"{len(lines)} erasures written to {file}.")


@erasures_cli.command(name="replay")
def replay_log(file: Annotated[Path, typer.Argument(help="what `erasures export` wrote")]) -> None:
    """Erase again whom a backup from before brought back. May be run any number of times."""
    try:
        with _file_faults_told():
            log = [of_log_line(line) for line in file.read_text(encoding="utf-8").splitlines()]
    except ValueError as error:
        _fail(f"{file}: {error}")

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

    again = _run(run)
    _say(f"{again} of {len(log)} erased again; the others were erased already or are not in this database.")


@contextmanager
def _file_faults_told() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        _fail(f"{error.filename}: {error.strerror}.", 1)


@cli.command()
def openapi() -> None:
    """Print the OpenAPI document as YAML."""
    sys.stdout.write(as_yaml(describing_app()))


@cli.command()
def settings() -> None:
    """Print every setting with its default and meaning."""
    _say(f"Every setting {PREFIX}X can come from a file that {PREFIX}X_FILE names.\n")
    for name, default, meaning in documented():
        _say(f"{name}={default}\n    {meaning}")


@cli.command(hidden=True)
def demo(
    port: Annotated[int, typer.Option(min=1, max=65535)] = 8000,
    *,
    fresh: Annotated[bool, typer.Option("--fresh")] = False,
) -> None:
    """Load the demo's data once, print its addresses and credentials, and serve it."""
    address = f"http://127.0.0.1:{port}"
    settings = _settings()
    if "issuer" not in settings.model_fields_set:
        settings = _settings(issuer=address)
    keeper = DemoKeeper(settings)
    if fresh:
        keeper.remove()
    keeper.migrate()
    if not keeper.is_loaded:
        with _progress() as step:
            _run(lambda database: keeper.load(database, step))
    _say(f"API {address}/v1\nReference {address}/docs\nCredentials {keeper.credentials_path}")
    _say(keeper.credentials_path.read_text(encoding="utf-8").rstrip())
    sys.stdout.flush()
    _serve(settings, "127.0.0.1", port, 1)
