"""Two communities with a few accounts each, the entries that tests post, and SQL as the database's owner."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from app import ledger
from app.kernel.migrating import sync_engine
from app.ledger import MAY_OVERDRAW, NEVER_NEGATIVE, NEVER_POSITIVE, Account, Entry, NewAccount, Posted
from tests.kernel.grounds import open_communities

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import sqlalchemy as sa

    from app.kernel.database import Database
    from app.kernel.errors import Refusal
    from app.settings import Settings

POINTS = "volunteer/1/points"
OWED = "volunteer/1/points_owed"
MINUTES = "volunteer/1/minutes"
ISSUED = "community/points_issued"
GIVEN = "community/minutes_given"
FRIEND = "volunteer/2/points"
POOL = "community/points_pool"

ACCOUNTS = {
    POINTS: ("POINT", NEVER_NEGATIVE),
    OWED: ("POINT", NEVER_POSITIVE),
    MINUTES: ("MINUTE", NEVER_NEGATIVE),
    ISSUED: ("POINT", MAY_OVERDRAW),
    GIVEN: ("MINUTE", MAY_OVERDRAW),
    FRIEND: ("POINT", NEVER_NEGATIVE),
    POOL: ("POINT", NEVER_NEGATIVE),
}
"""Unit and bound by address; the number of an account is its place here, from 1. Nothing is posted to the pool."""

NUMBERS = {address: number for number, address in enumerate(ACCOUNTS, 1)}

NEWEST = 2**31 - 1
"""A version that no account reaches: a statement read from below it begins with the newest posting."""


async def open_books(database: Database, *communities: int) -> None:
    """Begin the ledgers of communities with the accounts above."""
    await open_communities(database, *communities)
    async with database.write(*communities) as session:
        await ledger.open_accounts(
            session,
            [
                NewAccount(community, address, unit, bound)
                for community in communities
                for address, (unit, bound) in ACCOUNTS.items()
            ],
        )


def entry(*movements: tuple[str, int], community: int = 1, kind: str = "test", group: object = None) -> Entry:
    """An entry with these movements."""
    return Entry(community, kind, movements, "service-records/1", "1-desk", group=group)


def deposit(points: int, minutes: int = 60, *, community: int = 1, group: object = None) -> Entry:
    """Points and minutes for the volunteer, in one transaction with four postings."""
    return entry(
        (MINUTES, minutes),
        (GIVEN, -minutes),
        (POINTS, points),
        (ISSUED, -points),
        community=community,
        kind="deposit",
        group=group,
    )


def gift(points: int, *, community: int = 1, group: object = None) -> Entry:
    """Points from the volunteer to the friend."""
    return entry((POINTS, -points), (FRIEND, points), community=community, kind="gift", group=group)


async def post(database: Database, *entries: Entry) -> list[Posted | Refusal]:
    """Post entries in one committed transaction."""
    communities = sorted({item.community for item in entries})
    async with database.write(*communities) as session:
        return await ledger.post(session, entries)


async def held(database: Database, community: int = 1) -> dict[str, int]:
    """What the accounts of a community hold, by address, leaving out those that hold nothing."""
    async with database.read(community) as session:
        found = await ledger.balances(session, [Account(community, address) for address in ACCOUNTS])
    return {account.address: balance for account, balance in found.items() if balance}


def codes(outcomes: Sequence[Posted | Refusal]) -> list[str | int]:
    """For each entry its transaction's number, or the code of its refusal."""
    return [outcome.transaction_id if isinstance(outcome, Posted) else outcome.code for outcome in outcomes]


@contextmanager
def owner(settings: Settings) -> Iterator[sa.Connection]:
    """The owner's connection in a transaction that commits at the end; grants and row level security do not bind it."""
    engine = sync_engine(settings)
    try:
        with engine.begin() as connection:
            yield connection
    finally:
        engine.dispose()
