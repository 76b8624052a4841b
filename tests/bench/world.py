"""What is measured: a migrated database with communities, volunteers and clients, and the service over it."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import SecretStr

from app.kernel.keys import new_signing_key
from app.kernel.migrating import migrate
from app.settings import Settings
from tests.bank import bank_of_today
from tests.conftest import new_database
from tests.running.test_serve import free_port, started, wait_until_it_answers

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.bank import Bank

VOLUNTEERS = 40
"""Volunteers of each community."""

_pepper = "a pepper for benchmarks that is long enough"
_token_seconds = 3600


@dataclass(frozen=True, slots=True)
class Target:
    """A community as the load sees it: its path, a front desk's token, its volunteers."""

    number: int
    path: str
    token: str
    volunteers: list[str]

    def line(self) -> str:
        """The target as `load.lua` reads it."""
        return f"{self.path} {self.token} {','.join(self.volunteers)}\n"


@dataclass(slots=True)
class World:
    """A furnished database. `services` counts what any community may have recorded, so that no run repeats another."""

    settings: Settings
    targets: list[Target]
    folder: Path
    services: int = 0

    def apart(self) -> World:
        """The same world for a load beside another, with files of its own."""
        folder = self.folder / "apart"
        folder.mkdir(exist_ok=True)
        return replace(self, folder=folder)

    @contextmanager
    def served(self, *arguments: str) -> Iterator[str]:
        """Run the service over the database and give its address."""
        with self.started(*arguments) as (url, _):
            yield url

    @contextmanager
    def served_alone(self) -> Iterator[str]:
        """Run the service without a worker, which neither does jobs nor seals, and give its address."""
        port = free_port()
        url = f"http://127.0.0.1:{port}"
        command = [sys.executable, "-m", "uvicorn", "app.serving:app_of_settings", "--factory", "--port", str(port)]
        log = self.folder / "alone.log"
        with log.open("w", encoding="utf-8") as output:
            process = subprocess.Popen(
                [*command, "--no-access-log"], env={**os.environ, **self._environment()}, stdout=output, stderr=output
            )
            try:
                wait_until_it_answers(process, f"{url}/livez", log)
                yield url
            finally:
                process.terminate()
                process.wait()

    @contextmanager
    def started(self, *arguments: str) -> Iterator[tuple[str, subprocess.Popen[str]]]:
        """Run the service over the database and give its address and process."""
        with started(self.folder, "serve", *arguments, **self._environment()) as (process, client):
            yield str(client.base_url), process

    def _environment(self) -> dict[str, str]:
        assert self.settings.signing_key
        assert self.settings.ledger_key
        return {
            "LOVEBANK_DATABASE_URL": self.settings.database_url,
            "LOVEBANK_SIGNING_KEY": self.settings.signing_key.get_secret_value(),
            "LOVEBANK_LEDGER_KEY": self.settings.ledger_key.get_secret_value(),
            "LOVEBANK_SECRET_PEPPER": _pepper,
        }


@contextmanager
def furnished(engine: str, communities: int) -> Iterator[World]:
    """A new database of an engine with so many communities; it goes away afterwards."""
    with migrated(engine) as (settings, folder):
        yield World(settings, furnish(settings, communities), folder)


@contextmanager
def migrated(engine: str) -> Iterator[tuple[Settings, Path]]:
    """A new database of an engine, migrated and empty, with a folder for what is beside it; both go away afterwards."""
    with tempfile.TemporaryDirectory(prefix="lovebank-bench-") as name, new_database(engine, Path(name)) as url:
        settings = settings_of(url)
        migrate(settings)
        yield settings, Path(name)


def settings_of(url: str) -> Settings:
    """Settings of a service over a database, with keys of their own."""
    return Settings(
        database_url=url,
        secret_pepper=SecretStr(_pepper),
        signing_key=SecretStr(new_signing_key()),
        ledger_key=SecretStr(new_signing_key()),
        token_seconds=_token_seconds,
    )


def furnish(settings: Settings, communities: int) -> list[Target]:
    """Open so many communities in a migrated database."""
    return asyncio.run(_furnish(settings, communities))


async def _furnish(settings: Settings, communities: int) -> list[Target]:
    async with bank_of_today(settings) as bank:
        targets = [await _target(bank)]
        while len(targets) < communities:
            targets.append(await _target(bank))
        return targets


async def _target(bank: Bank) -> Target:
    await bank.open_community(verification="recorder")
    await bank.kind(points_per_hour=10)
    people: list[Any] = await asyncio.gather(*(bank.volunteer() for _ in range(VOLUNTEERS)))
    path = f"/v1/communities/{bank.community['id']}"
    return Target(bank.number, path, bank.desk.token, [person["id"] for person in people])
