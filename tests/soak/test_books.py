"""The soak's checks of a database find what they are for, each in a bank that is right apart from that."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from tests.bench.world import furnished
from tests.soak.books import check_acts, check_file, check_sums, opened
from tests.soak.commands import DONE, Home
from tests.soak.loads import Load
from tests.soak.parts import SQLITE, ViolationError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_acts = 80
LIES = {
    "UPDATE ledger_postings SET amount = amount + 1 WHERE transaction_number = 1 AND amount > 0": "not sum to zero",
    "UPDATE ledger_balances SET balance = balance - 1 WHERE version > 3": "versions, postings or balance disagree",
    "UPDATE ledger_balances SET version = version + 1 WHERE version > 3": "versions, postings or balance disagree",
    "UPDATE ledger_postings SET version = version + 1000 WHERE version > 3": "versions, postings or balance disagree",
    "UPDATE ledger_postings SET balance_after = 0 WHERE version = 1": "does not follow the one before",
    "UPDATE ledger_accounts SET bound = -1 WHERE address LIKE '%/minutes'": "beyond its bound",
    "UPDATE ledger_heads SET transaction_number = transaction_number + 1 WHERE community_id > 0": "a head, its",
    "DELETE FROM events WHERE number = 3": "a head, its transactions and its events disagree",
    "UPDATE ledger_transactions SET postings_count = 5 WHERE transaction_number = 1": "has not all its postings",
    "DELETE FROM transfers": "acknowledged, and lost",
    "UPDATE service_records SET content = 'act-1000' WHERE rowid = 1": "acknowledged, and lost",
    "UPDATE service_records SET content = (SELECT content FROM service_records LIMIT 1) WHERE rowid = 2": "twice",
    "DELETE FROM idempotency_answers WHERE status = 201": "answered otherwise",
    "UPDATE idempotency_answers SET status = 409 WHERE status = 201": "answered otherwise",
    "UPDATE ledger_accounts SET address = address || '0' WHERE address LIKE '%/points'": "do not hold what was done",
}


@pytest.fixture(scope="module")
def load() -> Iterator[Load]:
    """A bank in which some acts took place."""
    with furnished(SQLITE, 1) as world:
        load = Load(world.settings, Home.of(world.targets[0], "books"))
        asyncio.run(load.fill(_acts))
        yield load


def copied(load: Load, tmp_path: Path) -> Path:
    file = tmp_path / "bank.db"
    shutil.copy(load.settings.database_url.removeprefix("sqlite:///"), file)
    return file


def check(file: Path, load: Load) -> set[int]:
    with opened(file) as ask:
        check_sums(ask)
        return check_acts(ask, load.home, load.acknowledged)


def test_a_bank_that_is_right_has_what_was_acknowledged(load: Load, tmp_path: Path) -> None:
    done = {number for number, status in load.acknowledged.items() if status == DONE}
    assert len(load.acknowledged) == _acts
    assert check(copied(load, tmp_path), load) == done
    assert 0 < len(done) < _acts


@pytest.mark.parametrize(("lie", "found"), LIES.items())
def test_what_is_wrong_is_found(load: Load, tmp_path: Path, lie: str, found: str) -> None:
    file = copied(load, tmp_path)
    with closing(sqlite3.connect(file)) as connection:
        for (trigger,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            connection.execute(f"DROP TRIGGER {trigger}")
        connection.execute("PRAGMA ignore_check_constraints = ON")
        assert connection.execute(lie).rowcount > 0
        connection.commit()
    with pytest.raises(ViolationError, match=found):
        check(file, load)


def test_a_damaged_file_is_found(load: Load, tmp_path: Path) -> None:
    file = copied(load, tmp_path)
    with file.open("r+b") as raw:
        raw.seek(4096 * 5)
        raw.write(b"\xff" * 4096 * 3)
    with opened(file) as ask, pytest.raises(ViolationError, match="file is damaged"):
        check_file(ask)
