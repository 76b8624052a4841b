"""Checks that a community's head, its events and what they announce tell the same story."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from app.goods.tables import stock_movements
from app.hours.tables import service_records
from app.kernel.events import events, number_gap
from app.kernel.heads import ledger_heads
from app.kernel.rows import SQLITE
from app.ledger import Discrepancy, ledger_transactions
from app.redemptions.tables import redemptions
from app.seals.tables import checkpoints
from app.transfers.tables import transfers

if TYPE_CHECKING:
    from app.kernel.database import Session
    from app.kernel.rows import Query

_shown_max = 1000

_community: sa.BindParameter[int] = sa.bindparam("community", type_=sa.Integer)
_e, _h = events.c, ledger_heads.c

_announced = (
    (service_records.c.service_record_id, service_records.c.recorded_at),
    (stock_movements.c.stock_movement_id, stock_movements.c.moved_at),
    (transfers.c.transfer_id, transfers.c.transferred_at),
    (redemptions.c.redemption_id, redemptions.c.reserved_at),
)
"""Ids and times of what carries the number of the event that announced it, which has both, the id by the same name."""

_moments = (events.c.occurred_at, ledger_transactions.c.posted_at, checkpoints.c.sealed_at)
"""The times of all that a head hands out numbers for, or notes."""


async def audit(session: Session, community: int) -> list[Discrepancy]:
    """Compare a head's numbers and its time with what it stands for, and events with what they announce."""
    heads = list(await session.execute(sa.select(_h.event_number, _h.last_at).where(_h.community_id == community)))
    found = [] if len(heads) == 1 else [Discrepancy("head-wrong", "community", f"heads {len(heads)}")]
    found += await _gaps(session, community, heads[0][0] if len(heads) == 1 else 0)
    latest = [(await session.execute(_latest(moment), {"community": community})).scalar() for moment in _moments]
    last = max((moment for moment in latest if moment is not None), default=None)
    if len(heads) == 1 and last is not None and heads[0][1] != last:
        found.append(Discrepancy("head-time-wrong", "community", f"head {heads[0][1]}, last {last}"))
    for query in (_times_back(), *(_unannounced(session.dialect, *of) for of in _announced)):
        rows = await session.execute(query.limit(_shown_max), {"community": community})
        found += [Discrepancy(check, f"event/{number}", detail) for check, number, detail in rows]
    return found


async def _gaps(session: Session, community: int, head: int) -> list[Discrepancy]:
    """Name the events that are missing, or that no head gave a number."""
    counted, last = await number_gap(session, community)
    if counted == last == head:
        return []
    detail = f"events {counted}, last {last}, head {head}"
    there = set((await session.execute(sa.select(_e.number).where(_e.community_id == community))).scalars())
    wrong = sorted(there.symmetric_difference(range(1, head + 1)))[:_shown_max] if head else []
    found = [Discrepancy("event-gap", f"event/{number}", detail) for number in wrong]
    return found if found and last == head else [*found, Discrepancy("event-gap", "community", detail)]


def _latest(moment: sa.Column[Any]) -> Query:
    return sa.select(sa.func.max(moment)).where(moment.table.c.community_id == _community)


@cache
def _times_back() -> Query:
    """Find events that happened before the one that they come after."""
    before = sa.func.lag(_e.occurred_at).over(order_by=_e.number)
    timed = sa.select(_e.number, _e.occurred_at, before.label("before")).where(_e.community_id == _community)
    t = timed.subquery("timed").c
    return sa.select(
        sa.literal("event-runs-back"), t.number, sa.literal("it happened before the one that it comes after")
    ).where(t.occurred_at < t.before)


@cache
def _unannounced(dialect: str, key: sa.Column[Any], moment: sa.Column[Any]) -> Query:
    """Find what its event does not name, or has another time for."""
    table = key.table
    if dialect == SQLITE:
        named = sa.func.json_extract(_e.data, f"$.{key.name}")
    else:
        named = sa.func.jsonb_extract_path_text(_e.data, key.name)
    announced = sa.select(sa.literal(1)).where(
        _e.community_id == _community,
        _e.number == table.c.number,
        _e.occurred_at == moment,
        sa.type_coerce(named, sa.Text) == sa.cast(key, sa.Text),
    )
    what = key.name.removesuffix("_id").replace("_", "-")
    return sa.select(
        sa.literal("event-differs"),
        table.c.number,
        sa.literal(f"it does not announce {what}/").concat(sa.cast(key, sa.Text)),
    ).where(table.c.community_id == _community, ~announced.exists())
