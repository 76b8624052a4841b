"""Checks of a database after it was broken, in plain SQL of both engines and apart from the app's own audit."""

from __future__ import annotations

import sqlite3
from collections import Counter
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any, TypeAlias

from app.kernel.merkle import Frontier
from app.kernel.notes import read_note
from app.main import open_database
from app.reports.service import audit_community
from app.seals.rules import Checkpoint
from tests.soak.commands import DONE
from tests.soak.parts import ViolationError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from pathlib import Path

    from app.settings import Settings
    from tests.soak.commands import Home

Query: TypeAlias = "Callable[[str], list[tuple[Any, ...]]]"
"""Runs a question and gives all its rows."""

# Each gives rows only where something is wrong, in any community.
_faults = {
    "a unit does not sum to zero": """
        SELECT p.community_id, p.transaction_number, a.unit, sum(p.amount) FROM ledger_postings p
        JOIN ledger_accounts a ON a.community_id = p.community_id AND a.account_number = p.account_number
        GROUP BY p.community_id, p.transaction_number, a.unit HAVING sum(p.amount) <> 0""",
    "an account's versions, postings or balance disagree": """
        SELECT b.community_id, b.account_number, b.version, b.balance, count(p.version), min(p.version), max(p.version),
               sum(p.amount) FROM ledger_balances b
        LEFT JOIN ledger_postings p ON p.community_id = b.community_id AND p.account_number = b.account_number
        GROUP BY b.community_id, b.account_number, b.version, b.balance
        HAVING count(p.version) <> b.version OR coalesce(max(p.version), 0) <> b.version
            OR coalesce(min(p.version), 1) <> 1 OR coalesce(sum(p.amount), 0) <> b.balance""",
    "a balance does not follow the one before": """
        SELECT community_id, account_number, version FROM (
            SELECT p.*, lag(balance_after, 1, 0) OVER (PARTITION BY community_id, account_number ORDER BY version) AS b
            FROM ledger_postings p) q WHERE balance_after <> b + amount""",
    "an account is beyond its bound": """
        SELECT a.community_id, a.address, p.balance_after FROM ledger_postings p
        JOIN ledger_accounts a ON a.community_id = p.community_id AND a.account_number = p.account_number
        WHERE p.balance_after * a.bound < 0""",
    "a head, its transactions and its events disagree": """
        SELECT h.community_id, h.transaction_number, h.event_number FROM ledger_heads h
        WHERE h.transaction_number <> (SELECT count(*) FROM ledger_transactions t
                                       WHERE t.community_id = h.community_id)
           OR h.transaction_number <> (SELECT coalesce(max(t.transaction_number), 0) FROM ledger_transactions t
                                       WHERE t.community_id = h.community_id)
           OR h.event_number <> (SELECT count(*) FROM events e WHERE e.community_id = h.community_id)
           OR h.event_number <> (SELECT coalesce(max(e.number), 0) FROM events e
                                 WHERE e.community_id = h.community_id)""",
    "a transaction has not all its postings": """
        SELECT t.community_id, t.transaction_number, t.postings_count, count(p.amount) FROM ledger_transactions t
        LEFT JOIN ledger_postings p ON p.community_id = t.community_id AND p.transaction_number = t.transaction_number
        GROUP BY t.community_id, t.transaction_number, t.postings_count HAVING count(p.amount) <> t.postings_count""",
}


@contextmanager
def opened(file: Path) -> Iterator[Query]:
    """A SQLite file, opened as anybody might."""
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:

        def ask(text: str) -> list[tuple[Any, ...]]:
            try:
                return connection.execute(text).fetchall()
            except sqlite3.DatabaseError as error:
                message = f"SQLite's file is damaged: {error}"
                raise ViolationError(message) from error

        yield ask


def check_file(ask: Query) -> None:
    """Raise `ViolationError` unless SQLite finds its file whole and every reference in it leading somewhere."""
    found = [*ask("PRAGMA integrity_check"), *ask("PRAGMA foreign_key_check")]
    if found != [("ok",)]:
        message = f"SQLite's file is damaged: {found[:5]}"
        raise ViolationError(message)


def check_sums(ask: Query) -> None:
    """Raise `ViolationError` unless sums, floors, versions and numbers hold in every community."""
    for what, text in _faults.items():
        if found := ask(text):
            message = f"{what}: {found[:5]}"
            raise ViolationError(message)


def check_acts(ask: Query, home: Home, acknowledged: Mapping[int, int]) -> set[int]:
    """Raise `ViolationError` unless the acts that are there once are what accounts hold, all acknowledged among them.

    `acknowledged` has the statuses that were answered by the number of the act. Gives the acts that have an effect.
    """
    told = ask(f"""
        SELECT content FROM service_records WHERE community_id = {home.number} AND content LIKE 'act-%'
        UNION ALL SELECT note FROM transfers WHERE community_id = {home.number} AND note LIKE 'act-%'""")  # noqa: S608
    effects = Counter(_number_of(key) for (key,) in told)
    kept = ask(f"""
        SELECT k.key, a.status FROM idempotency_keys k LEFT JOIN idempotency_answers a
        ON a.community_id = k.community_id AND a.caller = k.caller AND a.key = k.key
        WHERE k.community_id = {home.number} AND k.key LIKE 'act-%'""")  # noqa: S608
    answers = {_number_of(key): status for key, status in kept}
    _demand("twice", {number for number, times in effects.items() if times > 1})
    done = {number for number, status in acknowledged.items() if status == DONE}
    _demand("acknowledged, and lost", done - effects.keys())
    _demand("answered otherwise", {number for number, status in acknowledged.items() if answers.get(number) != status})
    _demand("without its key, or its key without it", effects.keys() ^ {n for n, s in answers.items() if s == DONE})
    _check_holdings(ask, home, effects.keys())
    return set(effects)


def _number_of(key: str) -> int:
    return int(key.removeprefix("act-"))


def _demand(what: str, acts: set[int]) -> None:
    if acts:
        message = f"{what}: acts {sorted(acts)[:10]}"
        raise ViolationError(message)


def _check_holdings(ask: Query, home: Home, acts: Iterable[int]) -> None:
    balances: Counter[str] = Counter()
    versions: Counter[str] = Counter()
    for number in acts:
        movements = home.act(number).movements
        balances.update(movements)
        versions.update(movements.keys())
    found = ask(f"""
        SELECT a.address, b.balance, b.version FROM ledger_accounts a
        JOIN ledger_balances b ON b.community_id = a.community_id AND b.account_number = a.account_number
        WHERE a.community_id = {home.number}""")  # noqa: S608
    held = {address: (balance, version) for address, balance, version in found if version}
    expected = {address: (balances[address], version) for address, version in versions.items()}
    if held != expected:
        message = f"accounts do not hold what was done: {sorted(held.items() ^ expected.items())[:6]}"
        raise ViolationError(message)


def check_seals(ask: Query, community: int) -> int:
    """Raise `ViolationError` unless every checkpoint is of the transactions that are there; gives how many are."""
    leaves = ask(f"""
        SELECT leaf FROM ledger_transactions WHERE community_id = {community}
        ORDER BY transaction_number""")  # noqa: S608
    notes: dict[int, str] = dict(ask(f"SELECT tree_size, note FROM checkpoints WHERE community_id = {community}"))  # noqa: S608
    sealed = ask(f"SELECT sealed_number FROM ledger_heads WHERE community_id = {community}")  # noqa: S608
    if sealed != [(max(notes, default=0),)]:
        message = f"the head says {sealed}, the last checkpoint {max(notes, default=0)}"
        raise ViolationError(message)
    count, tree = len(notes), Frontier()
    for (leaf,) in leaves:
        tree.append(leaf if isinstance(leaf, bytes) else bytes.fromhex(leaf))
        if note := notes.pop(tree.size, None):
            origin = note.partition("\n")[0]
            if read_note(note).text != Checkpoint(origin, tree.size, tree.root()).text:
                message = f"the checkpoint of {tree.size} transactions is not of those that are there"
                raise ViolationError(message)
    if notes:
        message = f"checkpoints of {sorted(notes)} transactions, and there are {tree.size}"
        raise ViolationError(message)
    return count


async def check_audit(settings: Settings, *communities: int) -> None:
    """Raise `ViolationError` unless the app's own audit of communities is clean."""
    database = open_database(settings)
    try:
        for community in communities:
            async with database.read(community) as session:
                if found := await audit_community(session, community):
                    message = f"the audit of community {community} found {found[:5]}"
                    raise ViolationError(message)
    finally:
        await database.close()
