"""All SQL of goods."""

from __future__ import annotations

from functools import cache
from operator import attrgetter
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from app import ledger
from app.goods.rules import Goods, StockMovement
from app.goods.tables import goods, stock_movements
from app.kernel.rows import Read, insert_rows, looked_up, rows_of

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from uuid import UUID

    from app.kernel.database import Session
    from app.kernel.paging import Paging
    from app.kernel.rows import AnyRow, Query, Row
    from app.ledger import Stretch

GoodsKey = tuple[int, "UUID"]
"""An article: the community's small number and the article's id."""


def _goods(row: AnyRow) -> Goods:
    return Goods(
        row.goods_id,
        row.number,
        row.code,
        row.name,
        row.specification,
        row.points_price,
        row.limit_per_person,
        row.limit_per_household,
        row.limit_period,
        row.created_at,
        row.revision,
    )


async def insert(session: Session, rows: Sequence[Row]) -> None:
    """Insert articles."""
    await insert_rows(session, goods, rows)


_editable = (
    "name",
    "specification",
    "points_price",
    "limit_per_person",
    "limit_per_household",
    "limit_period",
    "revision",
)


@cache
def _update(dialect: str) -> sa.Update:
    new = rows_of(dialect, "rows", [goods.c.community_id, goods.c.goods_id, *(goods.c[name] for name in _editable)])
    matches = (goods.c.community_id == new.c.community_id) & (goods.c.goods_id == new.c.goods_id)
    return sa.update(goods).where(matches).values({name: new.c[name] for name in _editable})


async def update(session: Session, changed: Mapping[GoodsKey, Goods]) -> None:
    """Store articles as they were edited."""
    rows = [
        {"community_id": community, "goods_id": goods_id, **{name: getattr(article, name) for name in _editable}}
        for (community, goods_id), article in changed.items()
    ]
    if rows:
        await session.execute_rows(_update(session.dialect), rows)


async def insert_movements(session: Session, movements: Sequence[tuple[int, StockMovement]]) -> None:
    """Insert stock movements of communities."""
    rows = [
        {
            "community_id": community,
            "stock_movement_id": movement.id,
            "number": movement.number,
            "goods_id": movement.goods_id,
            "kind": movement.kind,
            "quantity": movement.quantity,
            "change": movement.change,
            "note": movement.note,
            "moved_by": movement.moved_by,
            "moved_at": movement.moved_at,
            "transaction_number": movement.transaction_id,
        }
        for community, movement in movements
    ]
    await insert_rows(session, stock_movements, rows)


@cache
def _by_id(dialect: str) -> Query:
    asked = rows_of(dialect, "rows", [goods.c.community_id, goods.c.goods_id])
    matches = (goods.c.community_id == asked.c.community_id) & (goods.c.goods_id == asked.c.goods_id)
    return looked_up(dialect, asked, sa.select(goods), matches)


async def load(session: Session, keys: Collection[GoodsKey]) -> dict[GoodsKey, Goods]:
    """Load articles; unknown ones are missing."""
    if not keys:
        return {}
    asked = [{"community_id": community, "goods_id": goods_id} for community, goods_id in set(keys)]
    found = await session.execute_rows(_by_id(session.dialect), asked)
    return {(row.community_id, row.goods_id): _goods(row) for row in found}


async def by_code(session: Session, community: int, codes: Collection[str]) -> dict[str, Goods]:
    """Load a community's articles with these codes."""
    found = await session.execute(
        sa.select(goods).where(goods.c.community_id == community, goods.c.code.in_(sorted(set(codes))))
    )
    return {row.code: _goods(row) for row in found}


async def page(session: Session, community: int, paging: Paging) -> list[Goods]:
    """Load articles, newest first."""
    statement = sa.select(goods).where(goods.c.community_id == community)
    return [_goods(row) for row in await session.execute(paging.newest_first(statement, goods.c.number))]


_m = stock_movements.c
# In the order of the fields of a `StockMovement`.
_movement_columns = (
    _m.stock_movement_id,
    _m.number,
    _m.goods_id,
    _m.kind,
    _m.quantity,
    _m.change,
    _m.note,
    _m.moved_by,
    _m.moved_at,
    _m.transaction_number,
)


async def page_of_movements(session: Session, community: int, goods_id: UUID, paging: Paging) -> list[StockMovement]:
    """Load an article's stock movements, newest first."""
    table = stock_movements
    statement = sa.select(*_movement_columns).where(table.c.community_id == community, table.c.goods_id == goods_id)
    return [StockMovement(*row) for row in await session.execute(paging.newest_first(statement, table.c.number))]


@cache
def _moved(dialect: str) -> Query:
    return ledger.between(dialect, sa.select(*_movement_columns), stock_movements.c.transaction_number)


async def movements_of(session: Session, stretch: Stretch) -> list[StockMovement]:
    """Load the stock movements of a stretch of transactions, in their order."""

    def understand(rows: list[Sequence[Any]]) -> list[StockMovement]:
        return sorted((StockMovement(*row) for row in rows), key=attrgetter("transaction_id"))

    return await session.ask_once(Read(_moved(session.dialect), stretch.asked, understand))


async def movements_of_nothing(session: Session, community: int) -> list[StockMovement]:
    """Load the stock movements that have no transaction."""
    table = stock_movements
    found = await session.execute(
        sa.select(*_movement_columns).where(table.c.community_id == community, table.c.transaction_number.is_(None))
    )
    return [StockMovement(*row) for row in found]
