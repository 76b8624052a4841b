"""The ledger against a book kept in a dictionary, and its database against whoever writes past the service."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from app import ledger
from app.kernel.paging import Paging
from app.ledger import MAY_OVERDRAW, NEVER_NEGATIVE, Entry, Posted
from app.ledger.tables import ledger_balances, ledger_postings
from tests.ledger.books import (
    ACCOUNTS,
    FRIEND,
    GIVEN,
    ISSUED,
    MINUTES,
    NUMBERS,
    OWED,
    POINTS,
    deposit,
    open_books,
    owner,
    post,
)
from tests.ledger.test_append_only import deletions, goes_through, updates
from tests.ledger.test_guards import CHANGES, REFUSED, is_refused, sql_is_refused
from tests.soak.grounds import in_worlds, opened, rounds
from tests.soak.parts import BOTH, Part, Plan, ViolationError
from tests.soak.promises import kept, same
from tests.tampering import tampered

if TYPE_CHECKING:
    from collections.abc import Sequence
    from random import Random

    from app.kernel.database import Database, Session
    from app.kernel.errors import Refusal
    from app.settings import Settings
    from tests.bank import TestClock

_attacked = ("ledger_accounts", "ledger_transactions", "ledger_postings")
_nobody = "volunteer/9/points"
_steps = 12


class Line(NamedTuple):
    """A posting as the book has it."""

    account: str
    amount: int
    version: int
    balance: int


@dataclass
class Book:
    """A community's ledger in a dictionary; `posted` has the lines of each transaction from 1 on."""

    held: dict[str, tuple[int, int]] = field(default_factory=lambda: dict.fromkeys(ACCOUNTS, (0, 0)))
    posted: list[list[Line]] = field(default_factory=list)
    taken_back: set[int] = field(default_factory=set)

    def post(self, entries: Sequence[Entry]) -> list[str | list[Line]]:
        """Say what has to become of entries: the lines of each, or the code of its refusal."""
        outcomes: list[str | list[Line]] = []
        place = 0
        while place < len(entries):
            group = entries[place].group
            linked = [entries[place]]
            while group is not None and place + len(linked) < len(entries):
                if entries[place + len(linked)].group != group:
                    break
                linked.append(entries[place + len(linked)])
            before = dict(self.held)
            decided = [self.decide(one) for one in linked]
            if any(isinstance(one, str) for one in decided):
                self.held = before
                decided = [one if isinstance(one, str) else "linked-entry-refused" for one in decided]
            outcomes += decided
            place += len(linked)
        self.posted += [one for one in outcomes if not isinstance(one, str)]
        return outcomes

    def decide(self, entry: Entry) -> str | list[Line]:
        """Move one entry, unless it is refused."""
        if any(address not in ACCOUNTS for address, _ in entry.movements):
            return "unknown-account"
        for unit in ("POINT", "MINUTE"):
            if sum(amount for address, amount in entry.movements if ACCOUNTS[address][0] == unit):
                return "unbalanced-entry"
        before, lines = dict(self.held), []
        for address, amount in self.shared(entry):
            balance, version = self.held[address]
            balance += amount
            if (ACCOUNTS[address][1] == NEVER_NEGATIVE and balance < 0) or (address == OWED and balance > 0):
                self.held = before
                return "balance-out-of-bounds"
            self.held[address] = (balance, version + 1)
            lines.append(Line(address, amount, version + 1, balance))
        return lines

    def shared(self, entry: Entry) -> list[tuple[str, int]]:
        """The movements, with the debt's share: what comes in settles it first, what is not there is added to it."""
        moved: list[tuple[str, int]] = []
        for address, amount in entry.movements:
            share = 0
            if entry.debts and address == POINTS:
                owed, free = -self.held[OWED][0], self.held[POINTS][0]
                share = min(owed, amount) if amount > 0 else -max(-amount - free, 0)
            moved += [(where, part) for where, part in ((OWED, share), (address, amount - share)) if part]
        return moved

    def reverse(self, number: int) -> str | list[Line]:
        """Take a transaction back, once."""
        if not 1 <= number <= len(self.posted):
            return "unknown-transaction"
        if number in self.taken_back:
            return "already-reversed"
        opposite = tuple((line.account, -line.amount) for line in self.posted[number - 1])
        (outcome,) = self.post([Entry(1, "reversal", opposite, "x", "x")])
        if not isinstance(outcome, str):
            self.taken_back.add(number)
        return outcome


def _entry(chance: Random, book: Book, community: int) -> Entry:
    """Any entry: most hold, some ask for a little too much, and a few are no entries at all."""
    points, minutes = chance.randint(1, 30), chance.randint(1, 90)
    free = book.held[POINTS][0]
    some = chance.choice((chance.randint(1, free + 1), free + 1, max(free, 1)))
    kinds: list[tuple[tuple[tuple[str, int], ...], bool]] = [
        (((MINUTES, minutes), (GIVEN, -minutes), (POINTS, points), (ISSUED, -points)), True),
        (((ISSUED, -points), (POINTS, points)), False),
        (((POINTS, -some), (FRIEND, some)), False),
        (((POINTS, -some - points), (ISSUED, some + points)), True),
        (((POINTS, points), (ISSUED, 1 - points)), False) if points > 1 else (((POINTS, 1), (ISSUED, -2)), False),
        (((MINUTES, points), (ISSUED, -points)), False),
        (((POINTS, points), (_nobody, -points)), False),
        (((OWED, points), (ISSUED, -points)), False),
    ]
    movements, settles = chance.choices(kinds, weights=(6, 3, 6, 3, 1, 1, 1, 1))[0]
    group = chance.choice((None, None, None, 1, 2))
    return Entry(community, "test", movements, "x", "x", group=group, debts=((POINTS, OWED),) if settles else ())


def _lines(outcome: Posted | Refusal) -> str | list[Line]:
    if not isinstance(outcome, Posted):
        return outcome.code
    return [Line(one.account.address, one.amount, one.version, one.balance_after) for one in outcome.changes]


async def _step(session: Session, chance: Random, book: Book, community: int) -> int:
    """Post or take back something, as the book says; give how much."""
    if book.posted and chance.random() < 0.3:
        number = chance.randint(1, len(book.posted) + 1)
        (taken,) = await ledger.reverse(session, community, [number], reason="x", posted_by="x")
        same(f"the reversal of {number}", _sorted(_lines(taken)), _sorted(book.reverse(number)))
        return 1
    entries = [_entry(chance, book, community) for _ in range(chance.randint(1, 8))]
    found = [_lines(one) for one in await ledger.post(session, entries)]
    same(f"what became of {entries}", found, book.post(entries))
    return len(entries)


def _sorted(outcome: str | list[Line]) -> str | list[Line]:
    return outcome if isinstance(outcome, str) else sorted(outcome)


async def _round(database: Database, clock: TestClock, plan: Plan, community: int) -> None:
    """Keep a community's ledger for a while, with a clock that jumps, and compare it with the book."""
    book = Book()
    await open_books(database, community)
    for _ in range(_steps):
        clock.move(seconds=plan.random.uniform(-30, 60))
        try:
            async with database.write(community) as session:
                plan.count("entries", await _step(session, plan.random, book, community))
        except IntegrityError as error:
            message = f"the database had to refuse what the rules let through: {error.orig}"
            raise ViolationError(message) from error
    async with database.read(community) as session:
        same("the audit", await ledger.audit(session, community), [])
        states = await ledger.states(session, [ledger.Account(community, address) for address in ACCOUNTS])
        rows = await ledger.transactions(session, community, Paging(limit=1000))
    held = {account.address: (state.balance, state.version) for account, state in states.items()}
    same("what the accounts hold", held, book.held)
    same("the numbers", [row["transaction_number"] for row in reversed(rows)], [*range(1, len(book.posted) + 1)])
    times = [row["posted_at"] for row in reversed(rows)]
    kept("time runs forward in a ledger", holds=times == sorted(times), found=times)


async def _attack(database: Database, settings: Settings) -> None:
    """Write past the service, as the database's owner: whatever does not add up is refused by the database."""
    await open_books(database, 1, 2)
    await post(database, deposit(10, 60))
    for name, (rows, facts) in REFUSED.items():
        kept(f"a transaction that {name} is refused", holds=is_refused(settings, rows, **facts))
    for (account, change), expected in CHANGES.items():
        where = f"WHERE community_id = 2 AND account_number = {NUMBERS[account]}"
        refused = sql_is_refused(settings, f"UPDATE ledger_balances SET {change} {where}")  # noqa: S608  literals
        same(f"{account}: {change}", "refused" if refused else "taken", expected)
    with owner(settings) as connection:
        for table in _attacked:
            for statement in [*updates(connection, table).values(), *deletions(connection, table)]:
                kept("what was posted stays", holds=not goes_through(connection, statement), found=statement)


async def _settings_hold(database: Database) -> None:
    """See that a connection of the service is as durable and as strict as it has to be."""
    if database.dialect != "sqlite":
        return
    async with database.write(1) as session:
        for pragma, expected in (("synchronous", 2), ("foreign_keys", 1), ("journal_mode", "wal")):
            found = (await session.execute(sa.text(f"PRAGMA {pragma}"))).scalar_one()
            same(f"PRAGMA {pragma}", found, expected)


async def _communities_are_apart(database: Database) -> None:
    """See that a transaction of one community finds nothing of another, where the database keeps them apart."""
    if database.dialect == "sqlite":
        return
    others = sa.select(sa.func.count()).where(ledger_balances.c.community_id == 2)
    for seen, expected in (((1,), 0), ((1, 2), len(ACCOUNTS))):
        async with database.read(*seen) as session:
            found = (await session.execute(others)).scalar_one()
        same(f"accounts of community 2 that a transaction of {seen} sees", found, expected)


async def _tamper(database: Database, settings: Settings, chance: Random, community: int) -> None:
    """Change one number of a ledger with every guard out of the way: an audit finds it."""
    postings, balances = ledger_postings.c, ledger_balances.c
    account = NUMBERS[chance.choice([name for name, (_, bound) in ACCOUNTS.items() if bound == MAY_OVERDRAW])]
    off = chance.choice((-1, 1)) * chance.randint(1, 1000)
    posting = (postings.community_id == community) & (postings.account_number == account) & (postings.version == 1)
    balance = (balances.community_id == community) & (balances.account_number == account)
    for statement in (
        sa.update(ledger_balances).where(balance).values(balance=balances.balance + off),
        sa.update(ledger_balances).where(balance).values(version=balances.version + 1),
        sa.update(ledger_postings).where(posting).values(amount=postings.amount + off),
        sa.update(ledger_postings).where(posting).values(balance_after=postings.balance_after + off),
        sa.delete(ledger_postings).where(posting),
    ):
        async with tampered(database, settings, statement) as session:
            found = await ledger.audit(session, community)
        kept("an audit finds what was changed", holds=found != [], found=str(statement))


async def _world(plan: Plan) -> None:
    async with opened(plan.engine) as (database, settings, clock):
        await _attack(database, settings)
        await _settings_hold(database)
        await _communities_are_apart(database)
        for community, _ in enumerate(rounds(plan), 3):
            await _round(database, clock, plan, community)
            plan.count("ledgers")
        await _tamper(database, settings, plan.random, 1)


def run(plan: Plan) -> None:
    """Keep ledgers at random beside a book, and attack them."""
    in_worlds(plan, _world)


PART = Part("ledger", BOTH, run, targets={"entries": 100_000}, core_seconds=2, smoke_seconds=3)
