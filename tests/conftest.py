"""What tests share: both databases migrated once a run and copied for each test, a clock, and the app."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import psycopg
import pytest

from app.http import patience
from app.kernel import database as kernel_database
from app.kernel.migrating import migrate
from app.main import create_app, open_database
from app.settings import Settings
from tests import chromium
from tests.bank import Bank, TestClock
from tests.clients import node
from tests.programs import may_be_left_out

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from app.kernel.database import Database

ENGINES = ("sqlite", "postgresql")
UNHURRIED_SECONDS = 60.0
_pepper = "a pepper for tests that is long enough"
_server: list[Any] = []


def pytest_configure(config: pytest.Config) -> None:
    """Start one PostgreSQL for the whole run, unless one is given; its workers find it in the environment."""
    if os.environ.get("TEST_DATABASE_URL") or hasattr(config, "workerinput") or config.option.collectonly:
        return
    from tests.postgres import running  # noqa: PLC0415  only where a server has to be started

    server = running()
    os.environ["TEST_DATABASE_URL"] = server.__enter__()
    _server.append(server)


def pytest_unconfigure() -> None:
    """Stop the PostgreSQL of this run."""
    for server in _server:
        server.__exit__(None, None, None)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say at the end what this run could not try."""
    from tests.soak import full_disks  # noqa: PLC0415  at the end of a run alone, for it loads a good deal

    for absence, untried in (
        (node.absence(), "neither the linters nor the TypeScript client were tried"),
        (chromium.absence(), "the page that checks receipts offline was not tried"),
        (full_disks.absence("sqlite"), "a full disk was tried on neither engine"),
        (full_disks.absence("postgresql"), "a full disk was not tried on PostgreSQL"),
        (full_disks.absence_of_small_disks(), "on PostgreSQL files that may not grow stood for a full disk"),
    ):
        if may_be_left_out(absence):
            terminalreporter.write_line(f"{absence}: {untried}.")


@pytest.fixture(autouse=True)
def unhurried(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Give answers all the time they need, but in tests marked `deadlines`: a machine may stand still for seconds."""
    if request.node.get_closest_marker("deadlines") is None:
        monkeypatch.setattr(kernel_database, "_wait_seconds", UNHURRIED_SECONDS)
        monkeypatch.setattr(patience, "answer_seconds_max", UNHURRIED_SECONDS)


@pytest.fixture(scope="session")
def anyio_backend() -> tuple[str, dict[str, bool]]:
    return "asyncio", {"use_uvloop": True}


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("template") / "bank.db"
    migrate(Settings(database_url=f"sqlite:///{path}"))
    return path


@contextmanager
def new_postgresql(template: str | None = None, *, server: str | None = None) -> Iterator[str]:
    """Make a database in a server, else the run's, a copy of a template if one is named, and drop it afterwards."""
    server = server or os.environ["TEST_DATABASE_URL"]
    name = f"test_{uuid4().hex}"
    _run(server, f"CREATE DATABASE {name} TEMPLATE {template or 'template0'} ENCODING 'UTF8'")
    try:
        yield _named(server, name)
    finally:
        _run(server, f"DROP DATABASE {name} WITH (FORCE)")


def _run(server: str, statement: str) -> None:
    # Over a connection of its own each time, for a test may restart the server meanwhile.
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(statement.encode())


@contextmanager
def new_database(engine: str, folder: Path) -> Iterator[str]:
    """Give the URL of a new, empty database of an engine; a SQLite file lies in the folder."""
    if engine == "sqlite":
        yield f"sqlite:///{folder / 'bank.db'}"
    else:
        with new_postgresql() as url:
            yield url


def _named(server: str, name: str) -> str:
    head, question, options = server.partition("?")
    return f"{head.rsplit('/', 1)[0]}/{name}{question}{options}"


@pytest.fixture(scope="session")
def postgresql_template() -> Iterator[str]:
    with new_postgresql() as url:
        migrate(Settings(database_url=url))
        yield url.partition("?")[0].rsplit("/", 1)[1]


@pytest.fixture(params=ENGINES)
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A migrated, empty database of each engine."""
    if request.param == "sqlite":
        path = tmp_path / "bank.db"
        shutil.copy(request.getfixturevalue("sqlite_template"), path)
        yield f"sqlite:///{path}"
    else:
        with new_postgresql(request.getfixturevalue("postgresql_template")) as url:
            yield url


@pytest.fixture
def settings(database_url: str) -> Settings:
    return Settings(database_url=database_url, secret_pepper=_pepper)


@pytest.fixture
def clock() -> TestClock:
    return TestClock()


@pytest.fixture
async def database(settings: Settings, clock: TestClock) -> AsyncIterator[Database]:
    database = open_database(settings, clock)
    yield database
    await database.close()


@pytest.fixture
async def bank(settings: Settings, clock: TestClock) -> AsyncIterator[Bank]:
    """The app over HTTP with a community, a client for every role and a catalogue; see `tests.bank`."""
    app = create_app(settings, clock=clock)
    async with Bank(app, clock) as bank:
        yield bank
    await app.state.context.database.close()


def run_cli(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run `python -m app` as its user would, with these variables set."""
    return subprocess.run(
        [sys.executable, "-m", "app", *arguments],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
