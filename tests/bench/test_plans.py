"""How PostgreSQL finds what hot requests ask for: by keys alone, however large its tables are."""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

import psycopg
import pytest

from app.kernel.postgresql_channel import PostgresqlChannel
from app.reports.service import audit_community
from tests.bank import done
from tests.bench import peers
from tests.bench.growth import grow
from tests.bench.test_ratios import opened
from tests.sending import text_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from app.settings import Settings
    from tests.bank import Bank

POSTINGS = 40_000

LOOKED_UP = {
    "earning_rules",
    "idempotency_keys",
    "ledger_accounts",
    "ledger_postings",
    "ledger_transactions",
    "service_kinds",
    "service_records",
    "volunteers",
}
"""Tables in which triggers look for what the rows of a deposit refer to."""

pytestmark = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)

Plan = dict[str, Any]


@contextmanager
def planned() -> Iterator[list[Plan]]:
    """The plans of the prepared statements that are sent within the block: of each all its nodes."""
    plans: list[Plan] = []
    whole = PostgresqlChannel.rows

    async def rows(self: PostgresqlChannel, *statements: str | bytes) -> list[tuple[Any, ...]]:
        before = await whole(self)
        texts = [text_of(statement) for statement in statements]
        for statement in texts:
            if statement.startswith("PREPARE"):
                await whole(self, statement)
            elif statement.startswith("EXECUTE"):
                ((document,),) = await whole(self, f"EXPLAIN (FORMAT JSON) {statement}")
                plans.extend(nodes_of((document if isinstance(document, list) else json.loads(document))[0]["Plan"]))
        return before + await whole(self, *(one for one in texts if not one.startswith("PREPARE")))

    with patch.object(PostgresqlChannel, "rows", rows):
        yield plans


def nodes_of(plan: Plan) -> Iterator[Plan]:
    yield plan
    for inner in plan.get("Plans", ()):
        yield from nodes_of(inner)


async def every_hot_request(bank: Bank, volunteers: list[str]) -> None:
    """Each kind of hot request once."""
    giver, taker = volunteers[:2]
    record = done(await bank.desk.post("service-records", bank.record(giver, start="2025-02-03T09:00")), 201)
    assert record["status"] == "approved"
    over_long = bank.record(giver, start="2025-02-03T11:00", minutes=480)
    pending = done(await bank.desk.post("service-records", over_long), 201)
    path = f"service-records/{pending['id']}/verification"
    done(await bank.manager.post(path, {"decision": "approve"}), 200)
    article = await bank.goods(pieces=9, price=1)
    for step in ("collection", "cancellation"):
        redemption = await bank.reserve(giver, article["id"])
        body = {"pickup_code": redemption["pickup_code"]} if step == "collection" else {}
        done(await bank.desk.post(f"redemptions/{redemption['id']}/{step}", body), 200)
    gift = {"from_volunteer_id": giver, "to_volunteer_id": taker, "points": 1, "note": "谢谢"}
    done(await bank.desk.post("transfers", gift), 201)
    done(await bank.desk.get(f"volunteers/{giver}/balance"), 200)
    page = done(await bank.desk.get(f"volunteers/{giver}/statement", limit=5), 200)
    done(await bank.desk.get(f"volunteers/{giver}/statement", limit=5, cursor=page["next_cursor"]), 200)


async def test_hot_requests_find_every_row_by_a_key(bank: Bank, settings: Settings, tmp_path: Path) -> None:
    world = await opened(bank, settings, tmp_path)
    peers.create_function(world)
    grow(world, POSTINGS)
    peers.settle(world)
    with planned() as nodes:
        await every_hot_request(bank, world.targets[0].volunteers)
    tables = [node for node in nodes if "Relation Name" in node and node["Node Type"] != "ModifyTable"]
    assert len(tables) > 50
    # The one head of a test's community is its whole table.
    for node in (one for one in tables if one["Relation Name"] != "ledger_heads"):
        assert node["Node Type"] in {"Index Scan", "Index Only Scan"}, f"{node['Node Type']} of {node['Relation Name']}"
        assert "Index Cond" in node, f"{node['Relation Name']} by {node['Index Name']}"
    of_accounts = [node for node in tables if node["Relation Name"] == "ledger_postings"]
    assert of_accounts
    for node in of_accounts:
        assert "version" in node["Index Cond"], node["Index Cond"]


@pytest.mark.parametrize("postings", [POSTINGS, 0], ids=["grown", "counted while it was empty"])
async def test_what_checks_a_deposit_finds_every_row_by_a_key_too(
    bank: Bank, settings: Settings, tmp_path: Path, postings: int
) -> None:
    world = await opened(bank, settings, tmp_path)
    peers.create_function(world)
    grow(world, postings)
    peers.settle(world)
    nodes: list[Plan] = []
    with psycopg.connect(settings.database_url, autocommit=True) as connection:
        # Row level security, which binds the app's role alone, keeps some conditions out of indexes.
        connection.execute(
            b"LOAD 'auto_explain'; SET auto_explain.log_format = json; SET auto_explain.log_min_duration = 0;"
            b"SET auto_explain.log_nested_statements = on; SET client_min_messages = log; SET ROLE lovebank_app"
        )
        for _ in range(7):
            # From the sixth time on plans are kept.
            connection.execute(b"SELECT bench_deposit(%s, 1)", (bank.number,))

        def note(notice: psycopg.errors.Diagnostic) -> None:
            nodes.extend(nodes_of(json.loads((notice.message_primary or "").partition("plan:\n")[2])["Plan"]))

        connection.add_notice_handler(note)
        connection.execute(b"SELECT bench_deposit(%s, 1)", (bank.number,))
    scans = [node for node in nodes if node.get("Relation Name") in LOOKED_UP and node["Node Type"] != "ModifyTable"]
    assert {node["Relation Name"] for node in scans} == LOOKED_UP
    for node in scans:
        # More than the community.
        assert " AND " in node["Index Cond"], f"{node['Relation Name']} by {node['Index Name']}"


async def test_what_a_ledger_is_grown_by_is_what_the_service_would_have_written(
    bank: Bank, settings: Settings, tmp_path: Path
) -> None:
    world = await opened(bank, settings, tmp_path)
    peers.create_function(world)
    grow(world, POSTINGS)
    await every_hot_request(bank, world.targets[0].volunteers)
    async with bank.database.read(bank.number) as session:
        assert await audit_community(session, bank.number) == []
    with psycopg.connect(settings.database_url) as connection:
        (count,) = connection.execute("SELECT count(*) FROM ledger_postings").fetchone() or (0,)
    assert count > POSTINGS
