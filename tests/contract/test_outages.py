"""When the database is away or slow: 503 with Retry-After within three seconds, and probes say what is the matter."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
import threading
import time
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import httpx
import psycopg
import pytest
import sqlalchemy as sa

from app.kernel.revisions import expected_revision
from app.main import create_app
from app.settings import Settings
from tests.bank import done, refused
from tests.conftest import new_postgresql
from tests.races.books import assert_books_agree

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from tests.bank import Bank

ANSWER_SECONDS_MAX = 3.0
SOAP = {"code": "soap", "name": "香皂", "points_price": 3}

pytestmark = pytest.mark.deadlines
on_postgresql = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)


@contextlib.asynccontextmanager
async def served(settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    """A caller of an app with these settings."""
    app = create_app(settings)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://bank.test") as http:
        yield http
    await app.state.context.database.close()
    await threads_of_connections_end()


async def threads_of_connections_end() -> None:
    """Wait for them: one that could not open its file ends by itself, and must not outlive the event loop."""
    for thread in threading.enumerate():
        if "_connection_worker_thread" in thread.name:
            await asyncio.to_thread(thread.join, 5)
            assert not thread.is_alive()


@contextlib.contextmanager
def locked_by_another(settings: Settings, community: int) -> Iterator[None]:
    """Another process holds the lock that every writer of the community needs."""
    if settings.on_sqlite:
        with contextlib.closing(sqlite3.connect(settings.database_url.removeprefix("sqlite:///"))) as other:
            other.execute("BEGIN IMMEDIATE")
            yield
    else:
        with psycopg.connect(settings.database_url) as other:
            other.execute("SELECT FROM ledger_heads WHERE community_id = %s FOR UPDATE", [community])
            yield


@contextlib.contextmanager
def closed_to_everybody(settings: Settings) -> Iterator[None]:
    """The server ends every connection to the database and takes no new one."""
    name = urlsplit(settings.database_url).path.removeprefix("/")
    with psycopg.connect(settings.database_url.replace(name, "postgres"), autocommit=True) as owner:
        owner.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false".encode())
        owner.execute("SELECT pg_terminate_backend(pid, 1000) FROM pg_stat_activity WHERE datname = %s", [name])
        yield
        owner.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true".encode())


def is_unavailable(answer: httpx.Response) -> None:
    """The answer sends the caller away for a moment."""
    assert answer.status_code == 503, answer.text
    refused(answer, "unavailable")
    assert int(answer.headers["retry-after"]) >= 1


async def test_writers_that_wait_for_another_process_are_sent_away_and_readers_are_served(
    bank: Bank, settings: Settings
) -> None:
    with locked_by_another(settings, bank.number):
        began = time.monotonic()
        written, read = await asyncio.gather(bank.manager.post("goods", SOAP, key="k"), bank.manager.get("goods"))
        assert time.monotonic() - began < ANSWER_SECONDS_MAX
    is_unavailable(written)
    assert done(read, 200)["items"] == []
    assert "idempotency-replayed" not in (await bank.manager.post("goods", SOAP, key="k")).headers
    assert len(done(await bank.manager.get("goods"), 200)["items"]) == 1


@on_postgresql
async def test_database_that_goes_away_is_told_and_one_that_comes_back_is_used(bank: Bank, settings: Settings) -> None:
    with closed_to_everybody(settings):
        began = time.monotonic()
        for request in (
            bank.manager.get("goods"),
            bank.manager.post("goods", SOAP, key="k"),
            bank.city.get("/v1/communities"),
        ):
            is_unavailable(await request)
        ready = await bank.http.get("/readyz")
        assert time.monotonic() - began < ANSWER_SECONDS_MAX
        assert ready.status_code == 503
        assert ready.headers["retry-after"]
        assert ready.json() == {"status": "unavailable", "missing": "the database does not answer"}
        assert done(await bank.http.get("/livez"), 200)["status"] == "ok"
    assert done(await bank.http.get("/readyz"), 200) == {"status": "ok", "missing": None}
    done(await bank.manager.post("goods", SOAP, key="k"), 201)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_full_disk_is_told_leaves_nothing_and_goes_on_when_there_is_room(bank: Bank) -> None:
    article = await bank.goods(pieces=0)
    path, bodies = f"goods/{article['id']}/stock-movements", {"kind": "received", "quantity": 1, "note": "x" * 400}
    await limit_pages(bank, 1)
    taken = 0
    while (answer := await bank.manager.post(path, bodies, key=f"k-{taken}")).status_code == 201:
        taken += 1
        assert taken < 1000
    is_unavailable(answer)
    shelf = done(await bank.manager.get(f"goods/{article['id']}"), 200)["stock"]["shelf"]
    assert shelf == taken
    await limit_pages(bank, 1_000_000)
    answer = await bank.manager.post(path, bodies, key=f"k-{taken}")
    assert "idempotency-replayed" not in answer.headers
    done(answer, 201)
    await assert_books_agree(bank.database, bank.number)


async def limit_pages(bank: Bank, pages: int) -> None:
    """Let the writer's file grow no longer than this; never shorter than it is."""
    async with bank.database.write(bank.number) as session:
        await session.execute(sa.text(f"PRAGMA max_page_count = {pages}"))


@pytest.mark.parametrize("state", ["53100", "53200", "57P01", "57P02", "58030", "25006"])
@on_postgresql
async def test_what_ails_the_server_itself_is_an_outage(bank: Bank, settings: Settings, state: str) -> None:
    with psycopg.connect(settings.database_url, autocommit=True) as owner:
        raising = f"BEGIN RAISE EXCEPTION 'ill' USING ERRCODE = '{state}'; END"
        owner.execute(f"CREATE FUNCTION ill() RETURNS trigger LANGUAGE plpgsql AS $${raising}$$".encode())
        owner.execute("CREATE TRIGGER ill BEFORE INSERT ON goods EXECUTE FUNCTION ill()")
        is_unavailable(await bank.manager.post("goods", SOAP, key="k"))
        owner.execute("DROP TRIGGER ill ON goods")
    done(await bank.manager.post("goods", SOAP, key="k"), 201)


@pytest.fixture
def in_own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory of the test's own, for the secrets that development makes there."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("url", ["sqlite:///folder", "postgresql://postgres@/postgres?host=/nowhere"])
async def test_database_that_was_never_there_is_told(url: str, in_own_folder: Path) -> None:
    (in_own_folder / "folder").mkdir()
    async with served(Settings(database_url=url)) as http:
        began = time.monotonic()
        ready = await http.get("/readyz")
        form = {"grant_type": "client_credentials", "client_id": "0-0123456789abcdef"}
        token = await http.post("/oauth2/token", data=form)
        assert time.monotonic() - began < ANSWER_SECONDS_MAX
        assert (ready.status_code, ready.json()["missing"]) == (503, "the database does not answer")
        is_unavailable(token)
        done(await http.get("/livez"), 200)


@pytest.mark.parametrize("engine", ["sqlite", "postgresql"])
async def test_database_that_was_not_migrated_is_told_with_the_revision_it_needs(
    engine: str, in_own_folder: Path
) -> None:
    with contextlib.ExitStack() as stack:
        url = f"sqlite:///{in_own_folder}/empty.db"
        if engine == "postgresql":
            url = stack.enter_context(new_postgresql())
        async with served(Settings(database_url=url)) as http:
            ready = await http.get("/readyz")
            assert ready.status_code == 503
            missing = ready.json()["missing"]
            assert f"migration {expected_revision()}" in missing
            assert "none" in missing
            assert "python -m app migrate" in missing
            done(await http.get("/livez"), 200)
