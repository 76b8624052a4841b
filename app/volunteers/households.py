"""Households: volunteers who share redemption limits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.kernel.errors import NotFound, Refusal, Refused
from app.kernel.events import Event, append
from app.kernel.ids import new_id
from app.volunteers import store
from app.volunteers.errors import UnknownVolunteer

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from uuid import UUID

    from app.kernel.database import Session
    from app.kernel.paging import Paging
    from app.kernel.rows import AnyRow


@dataclass(frozen=True, slots=True)
class NewHousehold:
    """A household to make of these volunteers, who leave the ones they were in."""

    community: int
    name: str | None
    volunteer_ids: tuple[UUID, ...]


@dataclass(frozen=True, slots=True)
class Household:
    """A household and who lives there now."""

    id: UUID
    number: int
    name: str | None
    volunteer_ids: tuple[UUID, ...]
    created_at: datetime


async def create_households(session: Session, new: Sequence[NewHousehold]) -> list[Household | Refusal]:
    """Make households in order."""
    asked = {(item.community, volunteer_id) for item in new for volunteer_id in item.volunteer_ids}
    known = await session.ask(store.consent_dates(session.dialect, asked)) if asked else {}
    outcomes: list[Household | Refusal] = []
    for item in new:
        unknown = next((one for one in item.volunteer_ids if (item.community, one) not in known), None)
        outcomes.append(UnknownVolunteer(volunteer_id=unknown) if unknown else await _create(session, item))
    return outcomes


async def _create(session: Session, item: NewHousehold) -> Household:
    household_id, now = new_id(), session.now(item.community)
    (number,) = await append(session, [Event(item.community, "household.created", {"household_id": str(household_id)})])
    household = Household(household_id, number, item.name, tuple(sorted(item.volunteer_ids)), now)
    await store.insert_households(
        session,
        [
            {
                "community_id": item.community,
                "household_id": household_id,
                "number": number,
                "name": item.name,
                "created_at": now,
            }
        ],
    )
    await store.move_in(session, [(item.community, one, household_id) for one in household.volunteer_ids])
    return household


async def get_household(session: Session, community: int, household_id: UUID) -> Household:
    """Read one household. Raises `Refused(NotFound)`."""
    row = await store.find_household(session, community, household_id)
    if row is None:
        raise Refused(NotFound(resource="household"))
    return (await _with_members(session, community, [row]))[0]


async def list_households(session: Session, community: int, paging: Paging) -> list[Household]:
    """Households, newest first."""
    return await _with_members(session, community, await store.page_of_households(session, community, paging))


async def _with_members(session: Session, community: int, rows: Sequence[AnyRow]) -> list[Household]:
    living = await store.members(session, community, [row.household_id for row in rows])
    return [
        Household(row.household_id, row.number, row.name, tuple(living.get(row.household_id, ())), row.created_at)
        for row in rows
    ]
