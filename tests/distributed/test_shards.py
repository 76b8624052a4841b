"""Nothing that the app sends goes over communities, whatever it is asked to do."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa
from typer.testing import CliRunner

import app.demo
from app.cli import cli
from app.kernel.errors import Unavailable
from app.kernel.heads import CITY
from app.main import create_app, open_database
from app.reports.service import audit_community
from app.settings import Settings
from app.worker import run_due
from tests.bank import Bank, done
from tests.conftest import new_postgresql
from tests.contract.furnished import Furnished, send
from tests.contract.spec import operations_of
from tests.distributed.shards import EXCEPTIONS, SHARDS, migrate_sharded, shards_of, watched
from tests.ledger.furnished import furnish
from tests.migrations.guarded import OF_ALL_COMMUNITIES
from tests.migrations.schema import connected
from tests.migrations.test_guards import WITHOUT_TENANT

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Iterator

    import httpx

    from tests.bank import TestClock
    from tests.distributed.shards import Watch

DEMO = Path(app.demo.__file__).parent / "qilianlu-west"
PEPPER = "a pepper for tests that is long enough"


@pytest.fixture(scope="module")
def sharded_template() -> Iterator[str]:
    with new_postgresql() as url:
        migrate_sharded(Settings(database_url=url))
        yield url.partition("?")[0].rsplit("/", 1)[1]


@pytest.fixture
def settings(sharded_template: str) -> Iterator[Settings]:
    """A database whose tables of tenants are in shards."""
    with new_postgresql(sharded_template) as url:
        yield Settings(database_url=url, database_distributed=True, secret_pepper=PEPPER)


@pytest.fixture
def watch() -> Iterator[Watch]:
    with watched() as watch:
        yield watch
    assert watch.astray == []


@pytest.fixture
async def bank(settings: Settings, clock: TestClock, watch: Watch) -> AsyncIterator[Bank]:
    del watch  # it has to look before anything connects
    app = create_app(settings, clock=clock)
    async with Bank(app, clock) as bank:
        yield bank
    await app.state.context.database.close()


def test_every_table_of_a_tenant_is_in_shards_and_reaches_into_its_own_community_alone(settings: Settings) -> None:
    with connected(settings) as connection:
        tables = {name for name in sa.inspect(connection).get_table_names() if "_shard_" not in name}
        found = connection.exec_driver_sql("SELECT inhparent::regclass::text FROM pg_inherits").scalars()
        shards = Counter(name for name in found if not name.endswith(("_pkey", "_key", "_idx")))
        # A shard inherits from its table here; of keys and references it must have what its table has.
        without_tenant = {tuple(row) for row in connection.execute(sa.text(WITHOUT_TENANT)) if row[1] != "inherits"}
    assert shards == dict.fromkeys(tables - OF_ALL_COMMUNITIES, SHARDS)
    assert without_tenant == set()


async def test_nothing_that_is_asked_over_http_goes_over_shards(bank: Bank, settings: Settings, watch: Watch) -> None:
    await furnish(bank)
    places = []
    for _ in range(4):
        await bank.open_community()
        places.append(await Furnished.of(bank))
    shards = shards_of(settings, [CITY, *(place.number for place in places)])
    assert len(set(shards.values())) > 2, "communities in different shards, beside the city's own"
    for place in places[:2]:
        for operation in operations_of(bank.app):
            path, body = await place.path_and_body(operation, fresh=operation.method != "GET")
            answer = await send(bank.http, operation, path, body, place.admitted(operation))
            assert answer.is_success, (operation.id, answer.text)
    answers = await asyncio.gather(*(request for place in places for request in hot(place)))
    assert len(answers) >= 32
    assert {answer.status_code for answer in answers} <= {200, 201}
    assert await run_due(bank.database, settings) > 0
    for place in places:
        async with bank.database.read(place.number) as session:
            assert await audit_community(session, place.number) == []
    assert watch.statements > 2000
    assert watch.excepted == set(EXCEPTIONS)


def hot(place: Furnished) -> Iterator[Awaitable[httpx.Response]]:
    """Requests that share transactions with others of their kind: reports of service, redemptions, gifts and reads."""
    desk, volunteer = place.roles["front_desk"], place.volunteer_id
    for _ in range(3):
        yield desk.post("service-records", place.bank.record(volunteer, start=f"{place.next_day()}T09:00"))
        yield desk.post(
            "redemptions", {"volunteer_id": volunteer, "lines": [{"goods_id": place.goods_id, "quantity": 1}]}
        )
        yield desk.post("transfers", {"from_volunteer_id": volunteer, "to_pool": True, "points": 1})
        yield desk.get(f"volunteers/{volunteer}/balance")
        yield desk.get(f"volunteers/{volunteer}/statement")
        yield place.roles["volunteer"].get("balance")


async def test_a_card_and_what_its_volunteer_asks_stay_in_one_shard(bank: Bank, watch: Watch) -> None:
    volunteer = await bank.volunteer()
    card = done(await bank.desk.post(f"volunteers/{volunteer['id']}/cards"), 201)
    for pin, status in (("000000", 400), (card["pin"], 200)):
        form = {"grant_type": "urn:love-bank:grant-type:card", "card_number": card["card_number"], "pin": pin}
        answer = await bank.http.post("/oauth2/token", data=form)
        assert answer.status_code == status, answer.text
    me = {"Authorization": f"Bearer {answer.json()['access_token']}"}
    assert (await bank.http.get("/v1/me", headers=me)).status_code == 200
    assert watch.statements > 0


def test_the_command_line_goes_from_community_to_community(
    settings: Settings, watch: Watch, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOVEBANK_DATABASE_URL", settings.database_url)
    monkeypatch.setenv("LOVEBANK_DATABASE_DISTRIBUTED", "true")
    monkeypatch.setenv("LOVEBANK_SECRET_PEPPER", PEPPER)
    papers = [str(some_paper(tmp_path / code, code)) for code in ("qilianlu-west", "qilianlu-east")]
    log = tmp_path / "erasures.jsonl"
    for arguments in (
        ["bootstrap", "--name", "city"],
        ["import", papers[0], "--dry-run"],
        ["import", papers[0]],
        ["import", papers[1]],
        ["audit"],
        ["audit", "--community", "qilianlu-west"],
        ["erasures", "export", str(log)],
        ["erasures", "replay", str(log)],
    ):
        before = watch.statements
        result = CliRunner().invoke(cli, arguments)
        assert result.exit_code == 0, (arguments, result.output)
        assert watch.statements > before, arguments


def some_paper(folder: Path, code: str) -> Path:
    """The first rows of the demo's paper, as those of a community with this code."""
    folder.mkdir()
    for path in DEMO.glob("*.csv"):
        (folder / path.name).write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:60]))
    community = json.loads((DEMO / "community.json").read_text(encoding="utf-8"))
    (folder / "community.json").write_text(json.dumps({**community, "code": code}), encoding="utf-8")
    return folder


@pytest.mark.parametrize(
    ("statement", "parameters", "fault"),
    [
        ("SELECT * FROM volunteers", {}, "it touches the shards 0, 1, 2, 3"),
        ("DELETE FROM jobs WHERE attempts > 3", {}, "it touches the shards 0, 1, 2, 3"),
        (
            "UPDATE due_work SET next_at = NULL WHERE community_id = %(one)s OR community_id = %(other)s",
            {"one": 2, "other": 3},
            "it touches the shards 1, 2",
        ),
        (
            (
                "SELECT * FROM jobs JOIN events USING (community_id) WHERE community_id = %(community_id_1)s"
                " AND EXISTS (SELECT FROM volunteers WHERE volunteer_id = job_id)"
            ),
            {"community_id_1": 2},
            "it touches the shards 0, 1, 2, 3",
        ),
        (
            (
                "SELECT * FROM json_to_recordset(%(rows)s::json) AS r(community_id int)"
                " JOIN ledger_heads USING (community_id)"
            ),
            {"rows": '[{"community_id": 2}]'},
            "it touches the shards 0, 1, 2, 3",
        ),
        (
            "SELECT * FROM due_work WHERE community_id = current_setting('server_version_num')::int",
            {},
            "it names its community in something else than a parameter",
        ),
        (
            "INSERT INTO due_work SELECT * FROM json_to_recordset(%(rows)s::json) AS r(community_id int)",
            {"rows": '[{"community_id": 7}, {"community_id": 8}]'},
            "it names the communities [7, 8]",
        ),
        ("INSERT INTO due_work VALUES (7)", {}, "it inserts rows of no community"),
        (
            (
                "SELECT (SELECT count(*) FROM jobs WHERE community_id = %(community_0)s),"
                " (SELECT count(*) FROM jobs WHERE community_id = %(community_1)s)"
            ),
            {"community_0": 0, "community_1": 1},
            "it names the communities [0, 1]",
        ),
    ],
)
async def test_the_watch_sees_a_statement_that_goes_over_communities(
    settings: Settings, statement: str, parameters: dict[str, Any], fault: str
) -> None:
    with watched() as watch:
        database = open_database(settings)
        with suppress(sa.exc.DBAPIError, Unavailable):  # some of these cannot be carried out
            async with database.look() as session:
                await session.execute(sa.text("SELECT 1"))
                await session.connection.exec_driver_sql(statement, parameters)
        await database.close()
    assert watch.astray == [f"{fault}: {statement}"]


async def test_the_app_goes_over_shards_when_it_does_not_know_that_there_are_any(
    settings: Settings, clock: TestClock
) -> None:
    with watched() as watch:
        app = create_app(settings.model_copy(update={"database_distributed": False}), clock=clock)
        async with Bank(app, clock) as bank:
            await bank.volunteer()
        await app.state.context.database.close()
    assert watch.astray != []
