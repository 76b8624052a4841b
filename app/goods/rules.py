"""What an article is, where its pieces are, and what a stock movement moves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.kernel.canonical import canonical

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

RECEIVED = "received"
WRITTEN_OFF = "written_off"
COUNTED = "counted"

LIMIT_PERIOD_DEFAULT = "month"


@dataclass(frozen=True, slots=True)
class Goods:
    """An article of the catalogue. The limits count pieces per person and per household within the period."""

    id: UUID
    number: int
    code: str
    name: str
    specification: str | None
    points_price: int
    limit_per_person: int | None
    limit_per_household: int | None
    limit_period: str
    created_at: datetime
    revision: int = 1


@dataclass(frozen=True, slots=True)
class Stock:
    """Where an article's pieces are: free on the shelf, held, collected, or gone."""

    shelf: int
    reserved: int
    handed_out: int
    written_off: int


@dataclass(frozen=True, slots=True)
class StockMovement:
    """A movement of stock. `quantity` is what was stated; `change` is what it did to the shelf."""

    id: UUID
    number: int
    goods_id: UUID
    kind: str
    quantity: int
    change: int
    note: str | None
    moved_by: str
    moved_at: datetime
    transaction_id: int | None


def evidence_of(movement: StockMovement) -> bytes:
    """Write what a movement of stock says: its transaction is bound to it."""
    return canonical(
        {
            "change": movement.change,
            "goods_id": movement.goods_id,
            "kind": movement.kind,
            "moved_at": movement.moved_at,
            "moved_by": movement.moved_by,
            "note": movement.note,
            "number": movement.number,
            "quantity": movement.quantity,
            "stock_movement_id": movement.id,
        }
    )


def supplied_account(goods_id: UUID) -> str:
    """The address of where an article's stock comes from."""
    return f"goods/{goods_id}/supplied"


def shelf_account(goods_id: UUID) -> str:
    """The address of an article's pieces that are free to give."""
    return f"goods/{goods_id}/shelf"


def reserved_account(goods_id: UUID) -> str:
    """The address of an article's pieces that are held for open redemptions."""
    return f"goods/{goods_id}/reserved"


def handed_out_account(goods_id: UUID) -> str:
    """The address of an article's pieces that were collected."""
    return f"goods/{goods_id}/handed_out"


def written_off_account(goods_id: UUID) -> str:
    """The address of an article's pieces that broke, were lost or went out of date."""
    return f"goods/{goods_id}/written_off"


def unit_of(goods_id: UUID) -> str:
    """An article's own unit: its pieces never mix with another's."""
    return f"goods/{goods_id}"


def change_of(kind: str, quantity: int, shelf: int) -> int:
    """What a movement does to the shelf: a count posts the difference to the pieces found."""
    if kind == COUNTED:
        return quantity - shelf
    return quantity if kind == RECEIVED else -quantity


def movements_of(goods_id: UUID, change: int) -> tuple[tuple[str, int], ...]:
    """The movements in the ledger: pieces come from `supplied`, and go to `written_off`."""
    other = supplied_account(goods_id) if change > 0 else written_off_account(goods_id)
    return ((other, -change), (shelf_account(goods_id), change))
