"""What is soaked: a migrated database with a few communities, and the service over it as a process to be killed."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Self

import httpx

from app.kernel.migrating import migrate
from tests.bank import bank_of_today
from tests.bench.world import settings_of
from tests.conftest import new_database
from tests.running.test_serve import free_port
from tests.soak.acts import POINTS_PER_HOUR
from tests.soak.parts import ViolationError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from app.settings import Settings
    from tests.bank import Bank

VOLUNTEERS = 8
TOKEN_SECONDS = 3600
PRICES = (3, 7, 20)

_verifications = ("recorder", "four_eyes", "recorder")
_start_seconds_max = 30.0
_poll_seconds = 0.005
_log_bytes_shown = 3000


@dataclass(frozen=True, slots=True)
class Town:
    """A community as its clients see it: each role's id, secret and first token, volunteers, and articles' prices."""

    number: int
    path: str
    trusting: bool
    secrets: dict[str, tuple[str, str]]
    tokens: dict[str, str]
    volunteers: list[str]
    goods: dict[str, int]


@dataclass(frozen=True, slots=True)
class World:
    """A furnished database."""

    settings: Settings
    towns: list[Town]
    folder: Path


@contextmanager
def new_world(engine: str) -> Iterator[World]:
    """Furnish a new database of an engine; it goes away afterwards."""
    with tempfile.TemporaryDirectory(prefix="lovebank-soak-") as name, new_database(engine, Path(name)) as url:
        yield furnished(url, Path(name))


def furnished(url: str, folder: Path) -> World:
    """Migrate a database and open communities in it, where recorders are trusted and where they are not."""
    settings = settings_of(url).model_copy(update={"token_seconds": TOKEN_SECONDS})
    migrate(settings)
    return World(settings, asyncio.run(_towns(settings)), folder)


async def _towns(settings: Settings) -> list[Town]:
    async with bank_of_today(settings) as bank:
        return [await _town(bank, verification) for verification in _verifications]


async def _town(bank: Bank, verification: str) -> Town:
    await bank.open_community(verification=verification)
    await bank.kind(points_per_hour=POINTS_PER_HOUR)
    volunteers = [(await bank.volunteer())["id"] for _ in range(VOLUNTEERS)]
    goods = {(await bank.goods(pieces=1_000_000, price=price))["id"]: price for price in PRICES}
    tokens = {role: api.token for role, api in bank.roles.items()}
    secrets = {role: (client.client_id, client.client_secret or "") for role, client in bank.clients.items()}
    path = f"/v1/communities/{bank.community['id']}"
    return Town(bank.number, path, verification == "recorder", secrets, tokens, volunteers, goods)


class Start(NamedTuple):
    """How many seconds a start took since the app was loaded, by Python, from the disk; and in all."""

    since_loaded: float
    in_all: float


class Service:
    """The service as a process on a port of its own, started again on the same one after each end."""

    def __init__(
        self,
        world: World,
        *,
        url: str | None = None,
        program: Sequence[str] = ("app",),
        is_quiet: bool = False,
        **environment: str,
    ) -> None:
        """Take a world; `url` is another way to its database, `program` another module that starts the app.

        `environment` has further settings. One that is quiet logs nothing: its log would be limited with other files.
        """
        assert world.settings.signing_key
        assert world.settings.ledger_key
        assert world.settings.secret_pepper
        self._environment = {
            "LOVEBANK_DATABASE_URL": url or world.settings.database_url,
            "LOVEBANK_SIGNING_KEY": world.settings.signing_key.get_secret_value(),
            "LOVEBANK_LEDGER_KEY": world.settings.ledger_key.get_secret_value(),
            "LOVEBANK_SECRET_PEPPER": world.settings.secret_pepper.get_secret_value(),
            "LOVEBANK_TOKEN_SECONDS": str(TOKEN_SECONDS),
            **environment,
        }
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._program = program
        self._loaded = world.folder / f"loaded-{self.port}"
        self._began = 0.0
        self._log = Path(os.devnull) if is_quiet else world.folder / f"service-{self.port}.log"
        self.process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        """Start."""
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Kill it, if it still runs."""
        if self.process is not None:
            self.kill()

    def start(self) -> None:
        """Start the process."""
        module = "tests.soak.guarded"
        command = [sys.executable, "-m", module, str(self._loaded), *self._program, "serve", "--port", str(self.port)]
        self._loaded.unlink(missing_ok=True)
        self._began = time.monotonic()
        with self._log.open("ab") as log:
            environment = {**os.environ, **self._environment}
            self.process = subprocess.Popen(
                command, env=environment, stdin=subprocess.PIPE, stdout=log, stderr=subprocess.STDOUT
            )

    def kill(self) -> None:
        """Kill the process as a power cut would, and wait until it is gone."""
        assert self.process is not None
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        if self.process.stdin:
            self.process.stdin.close()
        self.process = None

    async def ready(self) -> Start:
        """Wait until `/readyz` says so, and give the seconds that it took."""
        until = time.monotonic() + _start_seconds_max
        while not await asyncio.to_thread(self._listens):
            self._check(until)
            await asyncio.sleep(_poll_seconds)
        async with httpx.AsyncClient(base_url=self.url, timeout=_start_seconds_max) as client:
            while (await client.get("/readyz")).status_code != 200:
                self._check(until)
                await asyncio.sleep(_poll_seconds)
        ready = time.monotonic()
        return Start(ready - float(self._loaded.read_text(encoding="utf-8")), ready - self._began)

    def _listens(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def _check(self, until: float) -> None:
        assert self.process is not None
        if self.process.poll() is not None or time.monotonic() > until:
            message = f"the service did not become ready: {self.last_words()}"
            raise ViolationError(message)

    def last_words(self) -> str:
        """The end of its log."""
        return self._log.read_text(encoding="utf-8", errors="replace")[-_log_bytes_shown:]
