"""The command line: the same services as the API, for those who run the bank."""

from __future__ import annotations

import asyncio
import csv
import json
import signal
import sys
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path  # noqa: TC003  typer reads it at run time
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer
import uvicorn
from rich.console import Console
from rich.progress import Progress

from app.access.service import NewClient, create_clients
from app.communities.service import find_community, list_communities
from app.demo.service import DemoKeeper
from app.http.openapi import as_yaml
from app.http.operations import CITY_ADMIN
from app.imports.paper import UnreadablePaperError, count_rows
from app.imports.service import Report, import_folder
from app.kernel.errors import Unavailable
from app.kernel.heads import CITY
from app.kernel.log import set_up_logs
from app.kernel.migrating import migrate as migrate_database
from app.main import MissingSecretError, create_app, open_database
from app.reports.service import audit_community
from app.settings import Settings, documented
from app.worker import run_forever

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator, Sequence
    from types import FrameType

    from fastapi import FastAPI

    from app.kernel.database import Database

cli = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help=__doc__)

_graceful_seconds = 8


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")


def _fail(text: str, status: int = 2) -> NoReturn:
    sys.stderr.write(text + "\n")
    raise typer.Exit(status)


def _run(work: Callable[[Database], Coroutine[Any, Any, Any]]) -> Any:
    """Run work on the database of the settings; an outage is a sentence, not a stack trace."""

    async def with_database() -> Any:
        database = open_database(Settings())
        try:
            return await work(database)
        finally:
            await database.close()

    try:
        return asyncio.run(with_database())
    except Unavailable:
        _fail("The database does not answer. Check LOVEBANK_DATABASE_URL and whether the server runs.", 1)
    except MissingSecretError as error:
        _fail(str(error))


def app_of_settings() -> FastAPI:
    """Make the app of the environment's settings, without a worker: one of several processes that serve."""
    settings = Settings()
    set_up_logs(settings)
    return create_app(settings)


@cli.command()
def serve(
    host: Annotated[str, typer.Option(help="address to listen on")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="port to listen on", min=1, max=65535)] = 8000,
    workers: Annotated[int, typer.Option(help="processes; more than one on PostgreSQL alone", min=1)] = 1,
) -> None:
    """Serve the API, with the job worker inside when there is one process."""
    settings = Settings()
    if workers > 1 and settings.on_sqlite:
        _fail("SQLite has one writer, which two processes would only wait for: use one process, or PostgreSQL.")
    if settings.environment == "production":
        _refuse_demo_data()
    set_up_logs(settings)
    options: dict[str, Any] = {
        "host": host,
        "port": port,
        "log_config": None,
        "access_log": False,
        "server_header": False,
        "timeout_graceful_shutdown": _graceful_seconds,
    }
    with _clean_exit():
        if workers > 1:
            uvicorn.run("app.cli:app_of_settings", factory=True, workers=workers, **options)
            return
        try:
            app = create_app(settings, with_worker=True)
        except MissingSecretError as error:
            _fail(str(error))
        uvicorn.Server(uvicorn.Config(app, **options)).run()


@contextmanager
def _clean_exit() -> Iterator[None]:
    """Exit with 0 when asked to stop: uvicorn finishes what is in flight and then raises the signal again."""

    def leave(_signal: int, _frame: FrameType | None) -> None:
        raise SystemExit(0)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, leave)
    yield


def _refuse_demo_data() -> None:
    async def has_demo(database: Database) -> bool:
        async with database.read() as session:
            return any(community.demo for community in await list_communities(session))

    if _run(has_demo):
        _fail("This database has demo data in it, so production does not start on it.")


@cli.command()
def worker() -> None:
    """Run due jobs, and nothing else."""
    settings = Settings()
    set_up_logs(settings)
    with _clean_exit():
        _run(lambda database: run_forever(database, settings))


@cli.command()
def migrate(revision: Annotated[str, typer.Argument(help="revision to go to")] = "head") -> None:
    """Bring the database to a revision and print it."""
    _say(migrate_database(Settings(), revision) or "base")


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
        with _progress(count_rows(folder)) as step:
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
def _progress(rows: dict[str, int]) -> Iterator[Callable[[tuple[str, int]], None]]:
    """Show a bar for each file on a terminal; elsewhere be quiet."""
    with Progress(console=Console(stderr=True), disable=not sys.stderr.isatty()) as bars:
        tasks = {file: bars.add_task(file, total=total) for file, total in rows.items()}
        yield lambda step: bars.advance(tasks[step[0]], step[1])


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
                return [(one.number, one.code) for one in await list_communities(session)]
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
def openapi() -> None:
    """Print the OpenAPI document as YAML."""
    sys.stdout.write(as_yaml(create_app(Settings())))


@cli.command()
def settings() -> None:
    """Print every setting with its default and meaning."""
    for name, default, meaning in documented():
        _say(f"{name}={default}\n    {meaning}")


@cli.command(hidden=True)
def demo(
    port: Annotated[int, typer.Option(min=1, max=65535)] = 8000,
    *,
    fresh: Annotated[bool, typer.Option("--fresh")] = False,
) -> None:
    """Load the demo's data once, print its addresses and credentials, and serve it."""
    keeper = DemoKeeper(Settings())
    if fresh:
        keeper.remove()
    keeper.migrate()
    if not keeper.is_loaded:
        with _progress(count_rows(keeper.data)) as step:
            _run(lambda database: keeper.load(database, step))
    address = f"http://127.0.0.1:{port}"
    _say(f"API {address}/v1\nReference {address}/docs\nCredentials {keeper.credentials_path}")
    _say(keeper.credentials_path.read_text(encoding="utf-8").rstrip())
    sys.stdout.flush()
    serve(host="127.0.0.1", port=port, workers=1)
