"""Communities: created by the city with their ledger and queue, read, and set."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from app import ledger
from app.communities import store
from app.communities.errors import CommunityExists
from app.communities.rules import (
    FOUR_EYES,
    MINUTES_GIVEN,
    POINTS_EXPIRED,
    POINTS_ISSUED,
    POINTS_POOL,
    POINTS_REDEEMED,
    Community,
)
from app.kernel import jobs
from app.kernel.editing import edited
from app.kernel.events import Event, append
from app.kernel.heads import CITY
from app.kernel.ids import new_id
from app.ledger import MAY_OVERDRAW, NEVER_NEGATIVE, NewAccount

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from uuid import UUID

    from app.kernel.database import Database, Session
    from app.kernel.editing import Expected
    from app.kernel.errors import Refusal
    from app.kernel.paging import Paging
    from app.kernel.rows import Read

FORGET_ANSWERS = "forget_answers"
_hold_hours_default = 72


@dataclass(frozen=True, slots=True)
class NewCommunity:
    """A community to create."""

    code: str
    name: str
    district: str
    subdistrict: str
    timezone: str = "Asia/Shanghai"
    verification: str = FOUR_EYES
    redemption_hold_hours: int = _hold_hours_default
    demo: bool = False


@dataclass(frozen=True, slots=True)
class SettingsChange:
    """New settings of a community, by name as in `Community`, and the revision that they were made on."""

    community: int
    values: Mapping[str, Any]
    expected: Expected


async def create_communities(session: Session, new: Sequence[NewCommunity]) -> list[Community | Refusal]:
    """Create communities with their ledgers' heads, accounts and queues. The session holds the city's head."""
    return [await _create(session, item) for item in new]


async def _create(session: Session, new: NewCommunity) -> Community | Refusal:
    if await store.by_code(session, new.code) is not None:
        return CommunityExists(resource=new.code)
    number = await store.last_number(session) + 1
    community = Community(
        number=number,
        id=new_id(),
        code=new.code,
        name=new.name,
        district=new.district,
        subdistrict=new.subdistrict,
        timezone=new.timezone,
        verification=new.verification,
        redemption_hold_hours=new.redemption_hold_hours,
        demo=new.demo,
        created_at=session.now(CITY),
    )
    await store.insert(session, community)
    await session.open_head(number)
    await jobs.open_queue(session, number)
    await ledger.open_accounts(session, accounts_of(number))
    await append(session, [Event(number, "community.created", {"community_id": str(community.id)})])
    tomorrow = session.now(number) + timedelta(days=1)
    await jobs.enqueue(session, [jobs.NewJob(number, FORGET_ANSWERS, tomorrow, {})])
    return community


def accounts_of(number: int) -> list[NewAccount]:
    """The accounts that are opened for a community."""
    return [
        NewAccount(number, MINUTES_GIVEN, "MINUTE", MAY_OVERDRAW),
        NewAccount(number, POINTS_ISSUED, "POINT", MAY_OVERDRAW),
        NewAccount(number, POINTS_REDEEMED, "POINT", NEVER_NEGATIVE),
        NewAccount(number, POINTS_EXPIRED, "POINT", NEVER_NEGATIVE),
        NewAccount(number, POINTS_POOL, "POINT", NEVER_NEGATIVE),
    ]


def communities_by_number(dialect: str, numbers: Iterable[int]) -> Read[dict[int, Community]]:
    """Ask for communities by their small numbers."""
    return store.by_number(dialect, numbers)


def communities_by_id(dialect: str, ids: Iterable[UUID]) -> Read[dict[UUID, Community]]:
    """Ask for communities by their ids; unknown ones are missing."""
    return store.by_ids(dialect, ids)


async def find_community(session: Session, code: str) -> Community | None:
    """Find the community with a code."""
    return await store.by_code(session, code)


async def list_communities(session: Session, _: int, paging: Paging) -> list[Community]:
    """The city's communities, newest first."""
    return await store.page(session, paging)


async def change_settings(session: Session, changes: Sequence[SettingsChange]) -> list[Community | Refusal]:
    """Change communities' settings in order. What differs in nothing changes nothing.

    What was decided by the settings before stays as it was: records that wait for a second person, holds that run.
    """
    communities = await session.ask(store.by_number(session.dialect, {item.community for item in changes}))
    outcomes: list[Community | Refusal] = []
    for item in changes:
        before = communities[item.community]
        refusal = item.expected.refusal(before.revision)
        if refusal is not None:
            outcomes.append(refusal)
            continue
        after = edited(before, item.values)
        outcomes.append(after)
        if after is not before:
            communities[item.community] = after
            await store.change(session, item.community, {**item.values, "revision": after.revision})
            different = sorted(name for name, value in item.values.items() if getattr(before, name) != value)
            await append(session, [Event(item.community, "community.changed", {"settings": different})])
    return outcomes


class Directory:
    """Ids and small numbers of communities. Neither ever changes, so each is looked up once."""

    def __init__(self, database: Database) -> None:
        """Begin with nothing looked up."""
        self._database = database
        self._numbers: dict[UUID, int] = {}

    async def number_of(self, community_id: UUID) -> int | None:
        """Give the small number of a community."""
        if community_id not in self._numbers:
            async with self._database.read() as session:
                community = await store.by_id(session, community_id)
            if community is None:
                return None
            self._numbers[community_id] = community.number
        return self._numbers[community_id]

    def known(self, community_id: UUID) -> int | None:
        """Give the small number of a community that was looked up before."""
        return self._numbers.get(community_id)

    async def id_of(self, community: int) -> UUID | None:
        """Give the id of the community with a small number."""
        async with self._database.read() as session:
            found = await session.ask(store.by_number(session.dialect, [community]))
        return found[community].id if community in found else None
