"""A batch takes the same statements whatever its size: this file is the list of them."""

from __future__ import annotations

import re
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from app import ledger
from app.ledger import Account, ExtractAsked, NewAccount
from tests import sending
from tests.bank import NOW
from tests.ledger.books import ACCOUNTS, deposit, gift, post

if TYPE_CHECKING:
    from collections.abc import Iterator

    from app.kernel.database import Database

POSTING = {
    "sqlite": [
        "SELECT ledger_accounts",  # what the accounts hold
        "INSERT ledger_postings",
        "INSERT ledger_transactions",
        "UPDATE ledger_balances",
    ],
    # All that is written goes in one statement.
    "postgresql": ["SELECT ledger_accounts", "WITH ledger_transactions"],
}
# On PostgreSQL in the message before. The first since the last seal says that another is due.
MOVING_THE_HEAD = {"sqlite": ["UPDATE due_work", "UPDATE ledger_heads", "COMMIT"], "postgresql": []}
OPENING = {
    "sqlite": ["BEGIN IMMEDIATE", "SELECT ledger_heads"],
    # In one message, as reading begins in one with its first question.
    "postgresql": ["BEGIN; ledger_heads"],
}


@contextmanager
def statements_sent() -> Iterator[list[str]]:
    """The statements that any engine sends within the block: each its verb and the first table it names."""
    shown: list[str] = []
    with sending.sent() as collected:
        yield shown
    for statement in collected:
        table = re.search(r"\bledger_(accounts|balances|heads|postings|transactions)\b", statement)
        words = statement.split()
        shown.append(f"{words[0]} {table.group()}" if table else " ".join(words[:2]))


@pytest.mark.parametrize("count", [1, 2, 300])
async def test_posting_takes_the_same_statements_and_the_head_two_more(books: Database, count: int) -> None:
    entries = [deposit(10, community=1 + place % 2) for place in range(count)]
    with statements_sent() as sent:
        outcomes = await post(books, *entries)
    assert len(outcomes) == count
    assert sent == [*OPENING[books.dialect], *POSTING[books.dialect], *MOVING_THE_HEAD[books.dialect]]


async def test_a_batch_of_which_nothing_holds_takes_one_statement_and_no_head(books: Database) -> None:
    with statements_sent() as sent:
        await post(books, *[gift(1)] * 50)
    assert sent == [*OPENING[books.dialect], "SELECT ledger_accounts", "COMMIT"]


@pytest.mark.parametrize("count", [1, 120])
async def test_reversing_takes_two_statements_more(books: Database, count: int) -> None:
    await post(books, *[deposit(10)] * count)
    async with books.write(1) as session:
        with statements_sent() as sent:
            await ledger.reverse(session, 1, range(1, count + 1), reason="mistake", posted_by="1-manager")
            await session.flush()
    assert sent == ["SELECT ledger_transactions", "SELECT ledger_transactions", *POSTING[books.dialect]]


@pytest.mark.parametrize("count", [1, 200])
async def test_opening_accounts_takes_two_statements(books: Database, count: int) -> None:
    new = [NewAccount(1, f"volunteer/{place}/new", "POINT", 1) for place in range(count)]
    async with books.write(1) as session:
        with statements_sent() as sent:
            await ledger.open_accounts(session, new)
            await session.flush()
    one = {"sqlite": ["INSERT ledger_accounts", "INSERT ledger_balances"], "postgresql": ["WITH ledger_accounts"]}
    assert sent == one[books.dialect]


async def test_reading_takes_one_statement_however_much_is_asked_for(books: Database) -> None:
    await post(books, *[deposit(10)] * 20)
    accounts = [Account(1, address) for address in ACCOUNTS]
    with statements_sent() as sent:
        async with books.read(1) as session:
            await ledger.balances(session, accounts)
            await ledger.balances(session, accounts, at=NOW)
            await ledger.trial_balance(session, 1)
            asked = ExtractAsked(tuple(accounts[:3]), None, 50)
            await session.ask(ledger.ask_extracts(books.dialect, [asked]))
            await session.ask(ledger.ask_extracts(books.dialect, [asked, asked._replace(limit=9)] * 3))
    verbs = [text.partition(" ")[0] for text in sent]
    questions = ["SELECT"] * (1 + 1 + 1 + 1 + 1)
    # On PostgreSQL the first question is in the message that begins.
    assert verbs == ["BEGIN", *(questions if books.dialect == "sqlite" else questions[1:]), "COMMIT"]


async def test_an_audit_takes_twelve_statements_however_large_the_ledger(books: Database) -> None:
    counts = []
    for _ in range(2):
        await post(books, *[deposit(10)] * 40)
        async with books.read(1) as session:
            with statements_sent() as sent:
                await ledger.audit(session, 1)
        counts.append(len(sent))
    # One more begins the transaction.
    assert counts == [1 + 12, 1 + 12]
