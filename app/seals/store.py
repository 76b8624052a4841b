"""All SQL of seals."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from app import ledger
from app.kernel.heads import CITY, ledger_heads
from app.kernel.merkle import TILE_LEVELS, Node, Span
from app.kernel.rows import Read, insert_rows, looked_up, rows_of
from app.seals.rules import Sealed
from app.seals.tables import checkpoints, city_leaves, tree_nodes, witness_signatures, witnesses

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from app.kernel.database import Session
    from app.kernel.paging import Paging
    from app.kernel.rows import AnyRow, Query, Row

_n, _c, _l, _h = tree_nodes.c, checkpoints.c, city_leaves.c, ledger_heads.c
_v, _w = witnesses.c, witness_signatures.c
# In the order of the fields of `Sealed`.
_sealed = (_c.tree_size, _c.sealed_at, _c.note, _c.previous_size)


async def load_nodes(session: Session, community: int, spans: Iterable[Span]) -> dict[Node, bytes]:
    """Load kept nodes of a community's tree, leaves included; missing ones above the leaves are missing."""
    nodes: dict[Node, bytes] = {}
    # Neighbours, what lies within others, and what stands in one tile with others is asked for once.
    for span in _merged(spans):
        if span.level:
            found = await session.execute(
                sa.select(_n.place, _n.hash)
                .where(_n.community_id == community, _n.level == span.level)
                .where(_n.place >= span.first, _n.place < span.end)
            )
            nodes |= {Node(span.level, row.place): row.hash for row in found}
        else:
            leaves = await load_leaves(session, community, span.first + 1, span.end)
            nodes |= {Node(0, place): leaf for place, leaf in enumerate(leaves, span.first)}
    return nodes


def _merged(spans: Iterable[Span]) -> list[Span]:
    merged: list[Span] = []
    for span in sorted(spans):
        last = merged[-1] if merged else None
        if last and last.level == span.level and (last.end >= span.first or _tile(last.end - 1) == _tile(span.first)):
            merged[-1] = last._replace(end=max(span.end, last.end))
        else:
            merged.append(span)
    return merged


def _tile(place: int) -> int:
    return place >> TILE_LEVELS


async def load_leaves(session: Session, community: int, first: int, last: int) -> list[bytes]:
    """Load the leaves of a log from number `first` to `last`: a community's transactions, the city's checkpoints."""
    if community != CITY:
        return await ledger.leaves(session, community, first, last)
    found = await session.execute(
        sa.select(_l.leaf).where(_l.community_id == CITY, _l.number >= first, _l.number <= last).order_by(_l.number)
    )
    return list(found.scalars())


async def insert_seals(session: Session, nodes: Sequence[Row], notes: Sequence[Row]) -> None:
    """Append nodes of trees, and checkpoints."""
    await insert_rows(session, tree_nodes, nodes)
    await insert_rows(session, checkpoints, notes)


async def insert_city_leaves(session: Session, rows: Sequence[Row]) -> None:
    """Append leaves to the city's log."""
    await insert_rows(session, city_leaves, rows)


async def latest(session: Session, community: int, *, size: int | None = None) -> Sealed | None:
    """Load the last checkpoint of a log, or the one of a size."""
    query = sa.select(*_sealed).where(_c.community_id == community)
    if size is not None:
        query = query.where(_c.tree_size == size)
    row = (await session.execute(query.order_by(_c.tree_size.desc()).limit(1))).first()
    return None if row is None else Sealed(*row)


async def first_size(session: Session, community: int) -> int | None:
    """Find the size of a log's first checkpoint."""
    found = await session.execute(sa.select(sa.func.min(_c.tree_size)).where(_c.community_id == community))
    return found.scalar()


async def page_of_checkpoints(session: Session, community: int, paging: Paging) -> list[Sealed]:
    """Load checkpoints of a log, the newest first."""
    query = sa.select(*_sealed).where(_c.community_id == community)
    return [Sealed(*row) for row in await session.execute(paging.newest_first(query, _c.tree_size))]


async def checkpoints_between(session: Session, community: int, first: int, last: int | None) -> list[Sealed]:
    """Load checkpoints of a log of sizes from `first` to `last`, or of all above, in order."""
    query = sa.select(*_sealed).where(_c.community_id == community, _c.tree_size >= first)
    if last is not None:
        query = query.where(_c.tree_size <= last)
    return [Sealed(*row) for row in await session.execute(query.order_by(_c.tree_size))]


@cache
def _last_notes(dialect: str) -> Query:
    asked = rows_of(dialect, "rows", [_h.community_id])
    found = sa.select(_c.community_id, _c.tree_size, _c.note).join_from(
        ledger_heads, checkpoints, (_c.community_id == _h.community_id) & (_c.tree_size == _h.sealed_number)
    )
    return looked_up(dialect, asked, found, asked.c.community_id == _h.community_id)


def ask_last_notes(dialect: str, communities: Sequence[int]) -> Read[dict[int, tuple[int, str]]]:
    """Ask for the last checkpoint of each of these communities: size and note; those without one are missing."""

    def understand(rows: list[Sequence[Any]]) -> dict[int, tuple[int, str]]:
        return {community: (size, note) for community, size, note in rows}

    return Read(_last_notes(dialect), [{"community_id": community} for community in communities], understand)


@cache
def _in_city(dialect: str) -> Query:
    asked = rows_of(dialect, "rows", [_l.community_id, _l.sealed_community, _l.tree_size])
    found = sa.select(_l.sealed_community, _l.tree_size)
    return looked_up(
        dialect, asked, found, ledger.same(asked, city_leaves, "community_id", "sealed_community", "tree_size")
    )


async def in_city(session: Session, of: Iterable[tuple[int, int]]) -> set[tuple[int, int]]:
    """Which of these checkpoints, by community and size, the city's log has."""
    rows = [{"community_id": CITY, "sealed_community": community, "tree_size": size} for community, size in of]
    return {(row[0], row[1]) for row in await session.execute_rows(_in_city(session.dialect), rows)}


async def city_leaf_below(session: Session, community: int, size: int) -> AnyRow | None:
    """Load the last leaf about a community among the first `size` of the city's log: its number and the tree's size."""
    found = await session.execute(
        sa.select(_l.number, _l.tree_size)
        .where(_l.community_id == CITY, _l.sealed_community == community, _l.number <= size)
        .order_by(_l.tree_size.desc())
        .limit(1)
    )
    return found.first()


async def city_leaves_between(session: Session, first: int, last: int) -> list[AnyRow]:
    """Load leaves of the city's log: their numbers, whose checkpoints they are, and the leaves."""
    found = await session.execute(
        sa.select(_l.number, _l.sealed_community, _l.tree_size, _l.leaf)
        .where(_l.community_id == CITY, _l.number >= first, _l.number <= last)
        .order_by(_l.number)
    )
    return list(found)


async def all_nodes(session: Session, community: int) -> dict[Node, bytes]:
    """Load all that a tree keeps above its leaves."""
    found = await session.execute(sa.select(_n.level, _n.place, _n.hash).where(_n.community_id == community))
    return {Node(row.level, row.place): row.hash for row in found}


async def witnessed(session: Session, community: int) -> list[AnyRow]:
    """Load witnesses' signatures with the notes that they stand under."""
    found = await session.execute(
        sa.select(_w.tree_size, _w.witness, _w.public_key, _w.signature, _c.note)
        .join(checkpoints, ledger.same(witness_signatures, checkpoints, "community_id", "tree_size"))
        .where(_w.community_id == community)
        .order_by(_w.tree_size, _w.witness)
    )
    return list(found)


async def signatures(session: Session, community: int, sizes: Sequence[int]) -> dict[int, list[str]]:
    """Load what witnesses signed under checkpoints: signature lines by size, in the order in which they came."""
    found = await session.execute(
        sa.select(_w.tree_size, _w.signature)
        .where(_w.community_id == community, _w.tree_size.in_(sizes))
        .order_by(_w.tree_size, _w.received_at, _w.witness)
    )
    lines: dict[int, list[str]] = {}
    for row in found:
        lines.setdefault(row.tree_size, []).append(row.signature)
    return lines


async def find_witness(session: Session, community: int, name: str) -> AnyRow | None:
    """Load a witness of a log."""
    found = await session.execute(sa.select(witnesses).where(_v.community_id == community, _v.name == name))
    return found.first()


async def page_of_witnesses(session: Session, community: int, paging: Paging) -> list[AnyRow]:
    """Load witnesses of a log, the newest first."""
    query = sa.select(witnesses).where(_v.community_id == community)
    return list(await session.execute(paging.newest_first(query, _v.number)))


async def insert_witness(session: Session, row: Row) -> None:
    """Append a witness."""
    await insert_rows(session, witnesses, [row])


async def has_signed(session: Session, community: int, size: int, witness: str) -> bool:
    """Whether a witness has signed a checkpoint."""
    found = await session.execute(
        sa.select(_w.witness).where(_w.community_id == community, _w.tree_size == size, _w.witness == witness)
    )
    return found.first() is not None


async def insert_signature(session: Session, row: Row) -> None:
    """Append a witness's signature."""
    await insert_rows(session, witness_signatures, [row])
