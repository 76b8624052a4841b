"""How commands read settings, reach the database and speak: faults are sentences, never stack traces."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING, Any, NoReturn

import typer
from pydantic import ValidationError
from pydantic_settings import SettingsError

from app.kernel.errors import Unavailable
from app.kernel.keys import SigningKeyError
from app.main import MissingSecretError, open_database
from app.settings import Settings, sentences_of

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from app.kernel.database import Database

AWAY = "The database does not answer. Check LOVEBANK_DATABASE_URL and whether the server runs."


def say(text: str) -> None:
    """Write a line."""
    sys.stdout.write(text + "\n")


def remark(text: str) -> None:
    """Write a line beside the output, which may go to a program."""
    sys.stderr.write(text + "\n")


def fail(text: str, status: int = 2) -> NoReturn:
    """End with a sentence on standard error."""
    sys.stderr.write(text + "\n")
    raise typer.Exit(status)


def read_settings(**given: Any) -> Settings:
    """Read the settings; what is wrong with them is a sentence for each fault, not a stack trace."""
    try:
        return Settings(**given)
    except (ValidationError, SettingsError) as error:
        fail("\n".join(sentences_of(error)))


def on_database(work: Callable[[Database], Coroutine[Any, Any, Any]], *, hurried: bool = False) -> Any:
    """Run work on the database of the settings; an outage is a sentence, not a stack trace.

    It may take its time, unless it is `hurried` because it goes on beside requests.
    """
    settings = read_settings()
    try:
        return asyncio.run(with_database(settings, work, hurried=hurried))
    except Unavailable:
        fail(AWAY, 1)
    except (MissingSecretError, SigningKeyError) as error:
        fail(str(error))


async def with_database(
    settings: Settings, work: Callable[[Database], Coroutine[Any, Any, Any]], *, hurried: bool = False
) -> Any:
    """Run work on the database of these settings, and close it."""
    database = open_database(settings, hurried=hurried)
    try:
        return await work(database)
    finally:
        await database.close()
