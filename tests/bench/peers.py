"""What the service is measured against: the database itself, given the same rows by the shortest way there is."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import time
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import psycopg

from tests.bench.load import CONNECTIONS, BenchError
from tests.bench.world import VOLUNTEERS
from tests.postgres import find_package

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.bench.world import World

_function = Path(__file__).with_name("peers.sql")
_minutes, _points = 60, 10


def create_function(world: World) -> None:
    """Make the function that pgbench calls."""
    with psycopg.connect(world.settings.database_url, autocommit=True) as connection:
        connection.execute(_function.read_text(encoding="utf-8").encode())


def settle(world: World) -> None:
    """Let PostgreSQL look at its tables, as it does by itself within minutes; else plans rest on empty tables."""
    with psycopg.connect(world.settings.database_url, autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE")


def pgbench(world: World, numbers: Sequence[int], seconds: float) -> float:
    """Deposits a second that the function makes in communities with consecutive numbers, called as the app's role."""
    script = world.folder / "deposit.pgbench"
    script.write_text(
        f"\\set community random({min(numbers)}, {max(numbers)})\n\\set place random(1, {VOLUNTEERS})\n"
        "SELECT bench_deposit(:community, :place);\n",
        encoding="utf-8",
    )
    program = find_package() / "pginstall" / "bin" / "pgbench"
    options = ["-n", "-M", "prepared", "-c", str(CONNECTIONS), "-j", "2", "-T", str(round(seconds))]
    done = subprocess.run(
        [str(program), *options, "-f", str(script), world.settings.database_url],
        env={**os.environ, "PGOPTIONS": "-c role=lovebank_app"},
        capture_output=True,
        text=True,
        check=False,
    )
    found = [line for line in done.stdout.splitlines() if line.startswith("tps = ")]
    if done.returncode or not found:
        message = f"pgbench failed: {done.stdout}{done.stderr}"
        raise BenchError(message)
    return float(found[0].split()[2])


def opened(world: World) -> sqlite3.Connection:
    """Open a SQLite world's file."""
    return sqlite3.connect(world.settings.database_url.removeprefix("sqlite:///"), isolation_level=None)


def sqlite_loop(world: World, seconds: float) -> float:
    """Deposits a second of a loop that commits each of them, with the service's own durability and guards."""
    with closing(opened(world)) as connection:
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "recursive_triggers=ON"):
            connection.execute(f"PRAGMA {pragma}")
        accounts = _accounts(connection)
        began, number = time.monotonic(), 0
        while time.monotonic() - began < seconds:
            connection.execute("BEGIN IMMEDIATE")
            _deposit(connection, *accounts[number % len(accounts)])
            connection.execute("COMMIT")
            number += 1
        return number / (time.monotonic() - began)


def _accounts(connection: sqlite3.Connection) -> list[tuple[int, str, str, tuple[int, ...]]]:
    """Each volunteer with the community, its earning rule and the accounts that a deposit moves."""
    numbers = {
        (community, address): number
        for community, address, number in connection.execute(
            "SELECT community_id, address, account_number FROM ledger_accounts"
        )
    }
    rules = dict(connection.execute("SELECT community_id, earning_rule_id FROM earning_rules").fetchall())
    return [
        (
            community,
            volunteer,
            rules[community],
            tuple(
                numbers[community, address]
                for address in (
                    "community/minutes_given",
                    f"volunteer/{volunteer}/minutes",
                    "community/points_issued",
                    f"volunteer/{volunteer}/points",
                )
            ),
        )
        for community, volunteer in connection.execute("SELECT community_id, volunteer_id FROM volunteers")
        if community in rules
    ]


def _insert(connection: sqlite3.Connection, table: str, **values: Any) -> None:
    names, marks = ", ".join(values), ", ".join("?" * len(values))
    connection.execute(f"INSERT INTO {table} ({names}) VALUES ({marks})", tuple(values.values()))  # noqa: S608  ours


def _deposit(
    connection: sqlite3.Connection, community: int, volunteer: str, rule: str, accounts: tuple[int, ...]
) -> None:
    transaction, event = connection.execute(
        "SELECT transaction_number + 1, event_number + 1 FROM ledger_heads WHERE community_id = ?", (community,)
    ).fetchone()
    record, caller, moment = str(uuid4()), f"{community}-0123456789abcdef", time.time_ns() // 1000
    _record(connection, community, event, record, volunteer, caller, moment)
    _post(connection, community, transaction, accounts)
    _insert(
        connection,
        "ledger_transactions",
        community_id=community,
        transaction_number=transaction,
        kind="deposit",
        posted_at=moment,
        posted_by=caller,
        reference=f"service-records/{record}",
        postings_count=4,
        salt=record.replace("-", ""),
        evidence=2 * record.replace("-", ""),
        leaf=2 * volunteer.replace("-", ""),
    )
    _insert(
        connection,
        "verifications",
        community_id=community,
        service_record_id=record,
        decision="approve",
        verified_by=caller,
        verified_at=moment,
        earning_rule_id=rule,
        points=_points,
        minutes_counted=_minutes,
        clipped="[]",
        transaction_number=transaction,
    )
    _keep_answer(connection, community, caller, moment)
    connection.execute(
        "UPDATE ledger_heads SET transaction_number = ?, event_number = ?, last_at = ? WHERE community_id = ?",
        (transaction, event, moment, community),
    )


def _record(
    connection: sqlite3.Connection, community: int, event: int, record: str, volunteer: str, caller: str, moment: int
) -> None:
    _insert(
        connection,
        "events",
        community_id=community,
        number=event,
        type="service_record.approved",
        occurred_at=moment,
        data=f'{{"service_record_id":"{record}","volunteer_id":"{volunteer}"}}',
    )
    _insert(
        connection,
        "service_records",
        community_id=community,
        service_record_id=record,
        number=event,
        volunteer_id=volunteer,
        service_kind="home_visit",
        activity_name="入户探访",
        place="祁连家园",
        content="量血压、打扫卫生、陪老人聊天",
        organiser="祁连路西社区居委会",
        external_ids="{}",
        started_at=moment - 3_600_000_000,
        ended_at=moment,
        service_date="2026-03-01",
        minutes=_minutes,
        late=0,
        manager_required=0,
        recorded_by=caller,
        recorded_at=moment,
        status="approved",
    )


def _post(connection: sqlite3.Connection, community: int, transaction: int, accounts: tuple[int, ...]) -> None:
    for account, amount in zip(accounts, (-_minutes, _minutes, -_points, _points), strict=True):
        version, balance = connection.execute(
            "SELECT version + 1, balance + ? FROM ledger_balances WHERE community_id = ? AND account_number = ?",
            (amount, community, account),
        ).fetchone()
        _insert(
            connection,
            "ledger_postings",
            community_id=community,
            account_number=account,
            version=version,
            transaction_number=transaction,
            amount=amount,
            balance_after=balance,
        )
        connection.execute(
            "UPDATE ledger_balances SET version = ?, balance = ? WHERE community_id = ? AND account_number = ?",
            (version, balance, community, account),
        )


def _keep_answer(connection: sqlite3.Connection, community: int, caller: str, moment: int) -> None:
    key = str(uuid4())
    common = {"community_id": community, "caller": caller, "key": key, "created_at": moment}
    _insert(connection, "idempotency_keys", **common, request_hash="0123456789abcdef" * 4)
    path = f"/v1/communities/{uuid4()}/service-records/{uuid4()}"
    _insert(connection, "idempotency_answers", **common, status=201, location=path, body="0123456789abcdef" * 70)
