"""What volunteers hold: balances and statements."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from app import ledger
from app.kernel.errors import NotFound
from app.kernel.rows import Read
from app.ledger import Account, ExtractAsked
from app.volunteers.rules import minutes_account, points_account

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from uuid import UUID

    from app.kernel.coalesce import Asking
    from app.kernel.errors import Refusal
    from app.kernel.paging import Paging
    from app.ledger import Extract, Held


@dataclass(frozen=True, slots=True)
class Holdings:
    """What a volunteer holds, in whole units, and the version of the account `points`."""

    minutes: int
    points: int
    points_reserved: int
    points_owed: int
    version: int
    as_of: datetime


_names = ("minutes", "points", "points_reserved", "points_owed")


def get_balances(asking: Asking, asked: Sequence[tuple[int, UUID]]) -> Read[Sequence[Holdings | Refusal]]:
    """Ask what volunteers hold now, each named by community and id; a refusal for one who is not there."""
    owners = [(community, f"volunteer/{volunteer_id}") for community, volunteer_id in asked]
    read = ledger.ask_held(asking.dialect, owners, _names)

    def understand(rows: list[Sequence[Any]]) -> list[Holdings | Refusal]:
        return [
            NotFound(resource="volunteer") if held is None else _holdings(asking.clock.now(community), *held)
            for (community, _), held in zip(owners, read.understand(rows), strict=True)
        ]

    return Read(read.statement, read.rows, understand)


def _holdings(now: datetime, minutes: Held, points: Held, reserved: Held, owed: Held) -> Holdings:
    return Holdings(minutes.balance, points.balance, reserved.balance, owed.balance, points.version, now)


class AskedStatement(NamedTuple):
    """A page of a volunteer's statement that is asked for."""

    community: int
    volunteer_id: UUID
    paging: Paging


def get_statements(asking: Asking, asked: Sequence[AskedStatement]) -> Read[Sequence[Extract | Refusal]]:
    """Ask for volunteers' minutes and points, newest first; a refusal for one who is not there.

    Where a page goes on is a version of each account, so that it stays free of what is posted meanwhile.
    """
    read = ledger.ask_extracts(
        asking.dialect,
        [
            ExtractAsked(
                tuple(Account(one.community, name(one.volunteer_id)) for name in (minutes_account, points_account)),
                one.paging.position,
                one.paging.wanted,
            )
            for one in asked
        ],
    )

    def understand(rows: list[Sequence[Any]]) -> list[Extract | Refusal]:
        return [NotFound(resource="volunteer") if extract is None else extract for extract in read.understand(rows)]

    return Read(read.statement, read.rows, understand)
