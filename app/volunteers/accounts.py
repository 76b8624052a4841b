"""What volunteers hold: balances and statements."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from app import ledger
from app.kernel.errors import NotFound, Refused
from app.ledger import Account, State
from app.volunteers.rules import minutes_account, owed_account, points_account, reserved_account

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from app.kernel.database import Session
    from app.kernel.paging import Paging
    from app.ledger import Line


@dataclass(frozen=True, slots=True)
class Holdings:
    """What a volunteer holds, in whole units, and the version of the account `points`."""

    minutes: int
    points: int
    points_reserved: int
    points_owed: int
    version: int
    as_of: datetime


async def get_balance(session: Session, community: int, volunteer_id: UUID) -> Holdings:
    """What a volunteer holds now. Raises `Refused(NotFound)`."""
    addresses = [
        minutes_account(volunteer_id),
        points_account(volunteer_id),
        reserved_account(volunteer_id),
        owed_account(volunteer_id),
    ]
    accounts = [Account(community, address) for address in addresses]
    states: dict[Account, State] = await ledger.states(session, accounts)
    if not states:
        raise Refused(NotFound(resource="volunteer"))
    minutes, points, reserved, owed = (states[account] for account in accounts)
    return Holdings(
        minutes.balance, points.balance, reserved.balance, owed.balance, points.version, session.now(community)
    )


@dataclass(frozen=True, slots=True)
class StatementLine:
    """A line of the statement; `place` has for each account the version below which the lines after it are."""

    line: Line
    place: list[int]


async def get_statement(session: Session, community: int, paging: Paging, *, volunteer_id: UUID) -> list[StatementLine]:
    """The volunteer's minutes and points, newest first. Raises `Refused(NotFound)`.

    Where a page goes on is a version of each account, so that it stays free of what is posted meanwhile.
    """
    accounts = [Account(community, minutes_account(volunteer_id)), Account(community, points_account(volunteer_id))]
    states = await ledger.states(session, accounts)
    if not states:
        raise Refused(NotFound(resource="volunteer"))
    below = paging.position or [states[account].version + 1 for account in accounts]
    lines = await ledger.statement(session, accounts, before=below, limit=paging.wanted)
    places = dict(zip((account.address for account in accounts), below, strict=True))
    shown = []
    for line in lines:
        places[line.account] = line.version
        shown.append(StatementLine(line, list(places.values())))
    return shown
