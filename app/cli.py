"""The command line: the same services as the API, for those who run the bank."""

from __future__ import annotations

import asyncio
import csv
import json
import signal
import sys
from dataclasses import asdict
from pathlib import Path  # noqa: TC003  typer reads the annotations of commands at run time
from typing import TYPE_CHECKING, Annotated, Any

import typer
import uvicorn

from app.access.service import NewClient, create_clients
from app.backups import backup, erasures_cli
from app.communities.service import find_community, list_communities
from app.console import AWAY, fail, on_database, progress, read_settings, say, with_database
from app.demo.service import DemoKeeper
from app.http.openapi import as_yaml
from app.http.operations import CITY_ADMIN
from app.imports.paper import UnreadablePaperError
from app.imports.service import Report, import_folder
from app.kernel.distribution import NotDistributableError, StepRefusedError, steps
from app.kernel.distribution import distribute as distribute_database
from app.kernel.errors import Unavailable
from app.kernel.heads import CITY
from app.kernel.log import logger, set_up_logs
from app.kernel.migrating import UnknownRevisionError, current_revision
from app.kernel.migrating import migrate as migrate_database
from app.kernel.paging import Paging
from app.main import MissingSecretError, SigningKeyError, check_secrets, create_app, describing_app, for_good
from app.reports.service import audit_community
from app.settings import PREFIX, Settings, documented
from app.worker import run_forever

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import FrameType

    from fastapi import FastAPI

    from app.kernel.database import Database

cli = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help=__doc__)
cli.add_typer(erasures_cli, name="erasures")

_graceful_seconds = 8


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
    _serve(read_settings(), host, port, workers)


def _serve(settings: Settings, host: str, port: int, workers: int) -> None:
    """Serve with these settings, which several processes read again; refuse what could not serve before any starts."""
    if workers > 1 and settings.on_sqlite:
        fail("SQLite has one writer, which two processes would only wait for: use one process, or PostgreSQL.")
    try:
        check_secrets(settings)
    except (MissingSecretError, SigningKeyError) as error:
        fail(str(error))
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
        found = asyncio.run(with_database(settings, has_demo))
    except Unavailable:
        logger.warning("not checked for demo data", reason="the database does not answer")
        return
    if found:
        fail("This database has demo data in it, so production does not start on it.")


@cli.command()
def worker() -> None:
    """Run due jobs, and nothing else."""
    settings = read_settings()
    set_up_logs(settings)
    _exit_cleanly_when_asked()
    on_database(lambda database: run_forever(database, settings))


@cli.command()
def migrate(revision: Annotated[str, typer.Argument(help="revision to go to")] = "head") -> None:
    """Bring the database to a revision and print it."""
    settings = read_settings()
    try:
        say(migrate_database(settings, revision) or "base")
    except Unavailable:
        fail(AWAY, 1)
    except UnknownRevisionError as error:
        fail(f"{error}.")


@cli.command()
def distribute(
    *, apply: Annotated[bool, typer.Option("--apply", help="run them, each printed as it is done")] = False
) -> None:
    """Print the statements that spread a migrated PostgreSQL over nodes by community, with Citus."""
    if not apply:
        say("\n".join(f"{step.statement};" for step in steps()))
        return
    settings = read_settings()
    try:
        for step in distribute_database(settings):
            say(f"{step.statement};")
            sys.stdout.flush()
    except Unavailable:
        fail(AWAY, 1)
    except NotDistributableError as error:
        fail(str(error))
    except StepRefusedError as error:
        fail(f"{error}\nWhat was done before holds; run this again when that is put right.", 1)
    say("-- Done. Set LOVEBANK_DATABASE_DISTRIBUTED=true for every process from now on.")


@cli.command()
def bootstrap(name: Annotated[str, typer.Option(help="what the client is")]) -> None:
    """Create a client of the city and print it with its secret, this once."""

    async def create(database: Database) -> dict[str, Any]:
        async with database.write(CITY) as session:
            (client,) = await create_clients(session, [NewClient(CITY, name, CITY_ADMIN)])
        return {"client_id": client.client_id, "client_secret": client.client_secret}

    say(json.dumps(on_database(create)))


@cli.command(name="import")
def import_(
    folder: Annotated[Path, typer.Argument(help="folder with a community's paper trail", file_okay=False)],
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="answer as if, and store nothing")] = False,
    report: Annotated[Path | None, typer.Option(help="CSV file for the rows that were refused")] = None,
) -> None:
    """Import a community's paper trail and print how its rows ended and what the community holds."""

    async def run(database: Database) -> Report:
        with progress() as step:
            return await import_folder(database, folder, dry_run=dry_run, progress=step)

    try:
        result: Report = on_database(run)
    except UnreadablePaperError as error:
        fail(str(error))
    if report is not None:
        _write_refused(report, result)
    counts = {name: dict(sorted(getattr(result, name).items())) for name in _kinds}
    say(json.dumps({**counts, **(asdict(result.totals) if result.totals else {})}, ensure_ascii=False, indent=1))


_kinds = ("volunteers", "service_records", "redemptions")


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
            fail(f"There is no community with the code {community}.")
        found = 0
        for number, code in audited:
            async with database.read(number) as session:
                for one in await audit_community(session, number):
                    say(json.dumps({"community": code, **asdict(one)}, ensure_ascii=False))
                    found += 1
        return found

    raise typer.Exit(1 if on_database(run) else 0)


cli.command()(backup)


@cli.command()
def openapi() -> None:
    """Print the OpenAPI document as YAML."""
    sys.stdout.write(as_yaml(describing_app()))


@cli.command()
def settings() -> None:
    """Print every setting with its default and meaning."""
    say(f"Every setting {PREFIX}X can come from a file that {PREFIX}X_FILE names.\n")
    for name, default, meaning in documented():
        say(f"{name}={default}\n    {meaning}")


@cli.command(hidden=True)
def demo(
    port: Annotated[int, typer.Option(min=1, max=65535)] = 8000,
    *,
    fresh: Annotated[bool, typer.Option("--fresh")] = False,
) -> None:
    """Load the demo's data once, print its addresses and credentials, and serve it."""
    address = f"http://127.0.0.1:{port}"
    settings = read_settings()
    if "issuer" not in settings.model_fields_set:
        settings = read_settings(issuer=address)
    keeper = DemoKeeper(settings)
    if fresh:
        keeper.remove()
    keeper.migrate()
    if not keeper.is_loaded:
        with progress() as step:
            on_database(lambda database: keeper.load(database, step))
    say(f"API {address}/v1\nReference {address}/docs\nCredentials {keeper.credentials_path}")
    say(keeper.credentials_path.read_text(encoding="utf-8").rstrip())
    sys.stdout.flush()
    _serve(settings, "127.0.0.1", port, 1)
