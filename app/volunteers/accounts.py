"""What volunteers hold: balances and statements."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple

from app import ledger
from app.kernel.errors import NotFound
from app.ledger import Account, ExtractAsked
from app.volunteers.rules import minutes_account, owed_account, points_account, reserved_account

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from uuid import UUID

    from app.kernel.database import Session
    from app.kernel.errors import Refusal
    from app.kernel.paging import Paging
    from app.ledger import Extract, Line, State


@dataclass(frozen=True, slots=True)
class Holdings:
    """What a volunteer holds, in whole units, and the version of the account `points`."""

    minutes: int
    points: int
    points_reserved: int
    points_owed: int
    version: int
    as_of: datetime


_account_names = (minutes_account, points_account, reserved_account, owed_account)


async def get_balances(session: Session, asked: Sequence[tuple[int, UUID]]) -> list[Holdings | Refusal]:
    """What volunteers hold now, each named by community and id; a refusal for one who is not there."""
    accounts = [
        [Account(community, name(volunteer_id)) for name in _account_names] for community, volunteer_id in asked
    ]
    states = await ledger.states(session, chain.from_iterable(accounts))
    return [
        _holdings(session, community, [states.get(one) for one in own])
        for own, (community, _) in zip(accounts, asked, strict=True)
    ]


def _holdings(session: Session, community: int, states: Sequence[State | None]) -> Holdings | Refusal:
    found = [state for state in states if state is not None]
    if not found:
        return NotFound(resource="volunteer")
    minutes, points, reserved, owed = found
    return Holdings(
        minutes.balance, points.balance, reserved.balance, owed.balance, points.version, session.now(community)
    )


@dataclass(frozen=True, slots=True)
class StatementLine:
    """A line of the statement; `place` has for each account the version below which the lines after it are."""

    line: Line
    place: list[int]


class AskedStatement(NamedTuple):
    """A page of a volunteer's statement that is asked for."""

    community: int
    volunteer_id: UUID
    paging: Paging


async def get_statements(session: Session, asked: Sequence[AskedStatement]) -> list[list[StatementLine] | Refusal]:
    """Volunteers' minutes and points, newest first; a refusal for one who is not there.

    Where a page goes on is a version of each account, so that it stays free of what is posted meanwhile.
    """
    extracts = await ledger.extracts(
        session,
        [
            ExtractAsked(
                tuple(Account(one.community, name(one.volunteer_id)) for name in (minutes_account, points_account)),
                one.paging.position,
                one.paging.wanted,
            )
            for one in asked
        ],
    )
    return [NotFound(resource="volunteer") if extract is None else _placed(extract) for extract in extracts]


def _placed(extract: Extract) -> list[StatementLine]:
    places = dict(zip((account.address for account in extract.accounts), extract.before, strict=True))
    shown = []
    for line in extract.lines:
        places[line.account] = line.version
        shown.append(StatementLine(line, list(places.values())))
    return shown
