"""The commands that run for as long as the bank does: the API and the worker.

They stand apart so that they start without what the other commands need.
"""

from __future__ import annotations

import asyncio
import signal
from typing import TYPE_CHECKING, Annotated, Any

import typer
import uvicorn

from app.communities.service import list_communities
from app.console import fail, on_database, read_settings, with_database
from app.kernel.errors import Unavailable
from app.kernel.heads import CITY
from app.kernel.keys import SigningKeyError
from app.kernel.log import logger, set_up_logs
from app.kernel.paging import Paging
from app.kernel.revisions import current_revision
from app.main import MissingSecretError, check_secrets, create_app, for_good
from app.settings import Settings
from app.worker import run_forever

if TYPE_CHECKING:
    from types import FrameType

    from fastapi import FastAPI

    from app.kernel.database import Database

cli = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="The command line: the same services as the API, for those who run the bank.",
)

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
    serve_with(read_settings(), host, port, workers)


def serve_with(settings: Settings, host: str, port: int, workers: int) -> None:
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
        uvicorn.run("app.serving:app_of_settings", factory=True, workers=workers, **options)
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
    on_database(lambda database: run_forever(database, settings), hurried=True)
