"""Long runs of what the suite runs shortly: `python3 dev.py soak raw`, `python3 dev.py soak schema`."""

from __future__ import annotations

import argparse
import asyncio
import os
import secrets
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import structlog
from pydantic import SecretStr
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from app.kernel.migrating import migrate
from app.main import create_app
from app.settings import Settings
from tests.bank import Bank, TestClock
from tests.conftest import new_postgresql
from tests.fuzz.campaign import Campaign
from tests.fuzz.schema import run_schemathesis, served

if TYPE_CHECKING:
    from collections.abc import Iterator


_phases = "examples,coverage,fuzzing,stateful"
_pepper = SecretStr("a pepper for soaking that is long enough")


def say(text: str) -> None:
    """Tell the person at the terminal."""
    print(text, flush=True)  # noqa: T201  a command talks to its user


@contextmanager
def new_database(engine: str) -> Iterator[Settings]:
    """Settings of a migrated, empty database that goes away afterwards."""
    with tempfile.TemporaryDirectory() as folder:
        if engine == "sqlite":
            settings = Settings(database_url=f"sqlite:///{Path(folder) / 'bank.db'}", secret_pepper=_pepper)
            migrate(settings)
            yield settings
        else:
            with new_postgresql() as url:
                settings = Settings(database_url=url, secret_pepper=_pepper)
                migrate(settings)
                yield settings


async def raw(engine: str, requests: int, seed: int) -> None:
    """Send raw requests to the app over one engine."""
    with new_database(engine) as settings:
        clock = TestClock()
        app = create_app(settings, clock=clock)
        columns = (TextColumn(engine), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        async with Bank(app, clock) as bank:
            with Progress(*columns) as progress:
                task = progress.add_task(engine, total=requests)
                figures = await Campaign(bank, seed).run(requests, lambda: progress.advance(task))
        await app.state.context.database.close()
    say(f"{engine}, seed {seed}: {figures}")


def schema(engine: str, seconds: int, seed: int) -> bool:
    """Let Schemathesis at a server over one engine; True when it found nothing."""
    with new_database(engine) as settings, tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with served(settings, folder) as server:
            say(f"{engine}: Schemathesis for up to {seconds} s")
            run = run_schemathesis(server, folder, seed=seed, phases=_phases, examples=1000, seconds=seconds)
    say(run.stdout)
    return run.returncode == 0


def main(arguments: list[str]) -> None:
    """Read the command line and run; the exit code is 1 when something was found."""
    parser = argparse.ArgumentParser(prog="dev.py soak", description=__doc__)
    parser.add_argument("--seed", type=int, default=secrets.randbelow(2**31))
    parser.add_argument("--engine", choices=("sqlite", "postgresql"), action="append", help="both when absent")
    kinds = parser.add_subparsers(dest="kind", required=True)
    kinds.add_parser("raw", help="raw bytes").add_argument(
        "--requests", type=int, default=50_000, help="of all engines"
    )
    kinds.add_parser("schema", help="Schemathesis").add_argument("--seconds", type=int, default=600, help="an engine")
    options = parser.parse_args(arguments)
    engines = options.engine or ["sqlite", "postgresql"]
    say(f"seed {options.seed}")
    if options.kind == "raw":
        structlog.configure(logger_factory=structlog.ReturnLoggerFactory())
        for engine in engines:
            asyncio.run(raw(engine, options.requests // len(engines), options.seed))
        return
    clean = [schema(engine, options.seconds, options.seed) for engine in engines]
    if not all(clean):
        sys.exit(1)


if __name__ == "__main__":
    if "TEST_DATABASE_URL" not in os.environ:
        sys.exit("TEST_DATABASE_URL names no PostgreSQL; run this as `python3 dev.py soak`.")
    main(sys.argv[1:])
