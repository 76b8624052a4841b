"""All SQL of access."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.dialects import sqlite

from app.access.tables import cards, clients, pin_attempts
from app.kernel.lazily import lazily
from app.kernel.rows import Read, insert_rows, looked_up, rows_of

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import datetime
    from uuid import UUID

    from sqlalchemy.dialects import postgresql

    from app.access.rules import Tally
    from app.kernel.database import Session
    from app.kernel.paging import Paging
    from app.kernel.rows import AnyRow, Query, Row
else:
    postgresql = lazily("sqlalchemy.dialects.postgresql")

_swept_max = 100
_over_all_sources = ""


class Tried(NamedTuple):
    """A card whose PIN is tried, and the hash of where from."""

    community: int
    card_id: UUID
    source_hash: str


async def insert(session: Session, rows: Sequence[Row]) -> None:
    """Insert clients."""
    await insert_rows(session, clients, rows)


async def find(session: Session, community: int, client_id: str) -> AnyRow | None:
    """Load a client, revoked or not."""
    found = await session.execute(
        sa.select(clients).where(clients.c.community_id == community, clients.c.client_id == client_id)
    )
    return found.first()


@cache
def _live(dialect: str, table: sa.Table, name: str) -> Query:
    """The keys of rows that are not revoked, among those asked for."""
    asked = rows_of(dialect, "rows", [table.c.community_id, table.c[name]])
    same = (table.c.community_id == asked.c.community_id) & (table.c[name] == asked.c[name])
    found = sa.select(table.c.community_id, table.c[name]).where(table.c.revoked_at.is_(None))
    return looked_up(dialect, asked, found, same)


def _ask_live(dialect: str, table: sa.Table, name: str, keys: Collection[tuple[int, Any]]) -> Read[set[Any]]:
    rows = [{"community_id": community, name: key} for community, key in keys]
    return Read(_live(dialect, table, name), rows, lambda found: set(map(tuple, found)))


def live_clients(dialect: str, keys: Collection[tuple[int, str]]) -> Read[set[tuple[int, str]]]:
    """Ask which of these clients (community, client id) exist and are not revoked."""
    return _ask_live(dialect, clients, "client_id", keys)


def live_cards(dialect: str, keys: Collection[tuple[int, UUID]]) -> Read[set[tuple[int, UUID]]]:
    """Ask which of these cards (community, card id) exist and are not revoked."""
    return _ask_live(dialect, cards, "card_id", keys)


async def page(session: Session, community: int, paging: Paging) -> list[AnyRow]:
    """Load the clients that are not revoked, newest first."""
    statement = sa.select(clients).where(clients.c.community_id == community, clients.c.revoked_at.is_(None))
    return list(await session.execute(paging.newest_first(statement, clients.c.number)))


async def revoke(session: Session, community: int, client_id: str, at: datetime) -> bool:
    """Mark a client as revoked; tell whether there was one to revoke."""
    changed = await session.execute(
        sa.update(clients)
        .where(clients.c.community_id == community, clients.c.client_id == client_id, clients.c.revoked_at.is_(None))
        .values(revoked_at=at)
    )
    return changed.rowcount == 1


async def insert_cards(session: Session, rows: Sequence[Row]) -> None:
    """Insert cards."""
    await insert_rows(session, cards, rows)


async def find_card(session: Session, community: int, card_id: UUID) -> AnyRow | None:
    """Load a card, revoked or not."""
    found = await session.execute(sa.select(cards).where(cards.c.community_id == community, cards.c.card_id == card_id))
    return found.first()


async def find_card_by_number(session: Session, community: int, card_number: str) -> AnyRow | None:
    """Load the card with this number, revoked or not."""
    found = await session.execute(
        sa.select(cards).where(cards.c.community_id == community, cards.c.card_number == card_number)
    )
    return found.first()


async def revoke_cards(session: Session, community: int, volunteers: Sequence[UUID], at: datetime) -> list[AnyRow]:
    """Mark the live cards of these volunteers as revoked, and give them."""
    changed = await session.execute(
        sa.update(cards)
        .where(cards.c.community_id == community, cards.c.volunteer_id.in_(volunteers), cards.c.revoked_at.is_(None))
        .values(revoked_at=at)
        .returning(cards.c.card_id, cards.c.volunteer_id)
    )
    return list(changed)


async def lock_tallies(session: Session, tried: Tried, now: datetime) -> tuple[AnyRow, AnyRow]:
    """Load the tallies of attempts on a card, over all sources and from this one, locked; new ones are made first."""
    insert = sqlite.insert if session.dialect == "sqlite" else postgresql.insert
    new = {"community_id": tried.community, "card_id": tried.card_id, "failures": 0, "tried_at": now}
    rows = [{**new, "source_hash": source} for source in (_over_all_sources, tried.source_hash)]
    # The card's row comes first everywhere, so that two attempts never wait for each other.
    await session.execute(insert(pin_attempts).values(rows).on_conflict_do_nothing())
    found = await session.execute(
        sa.select(pin_attempts)
        .where(
            pin_attempts.c.community_id == tried.community,
            pin_attempts.c.card_id == tried.card_id,
            pin_attempts.c.source_hash.in_([_over_all_sources, tried.source_hash]),
        )
        .order_by(pin_attempts.c.source_hash)
        .with_for_update()
    )
    of_card, of_source = found
    return of_card, of_source


async def write_tallies(session: Session, tried: Tried, of_card: Tally, of_source: Tally, now: datetime) -> None:
    """Write the tallies of attempts on a card."""
    for source_hash, tally in ((_over_all_sources, of_card), (tried.source_hash, of_source)):
        await session.execute(
            sa.update(pin_attempts)
            .where(
                pin_attempts.c.community_id == tried.community,
                pin_attempts.c.card_id == tried.card_id,
                pin_attempts.c.source_hash == source_hash,
            )
            .values(failures=tally.failures, failed_at=tally.failed_at, succeeded_at=tally.succeeded_at, tried_at=now)
        )


async def forget_tallies(session: Session, community: int, *, before: datetime) -> None:
    """Delete some tallies of the community that nobody has added to since; those at work elsewhere are left."""
    place = (pin_attempts.c.card_id, pin_attempts.c.source_hash)
    old = (
        sa.select(*place)
        .where(pin_attempts.c.community_id == community, pin_attempts.c.tried_at < before)
        .limit(_swept_max)
        .with_for_update(skip_locked=True)
        .cte("old")
    )
    await session.execute(
        sa.delete(pin_attempts).where(
            pin_attempts.c.community_id == community, sa.tuple_(*place).in_(sa.select(old.c.card_id, old.c.source_hash))
        )
    )
