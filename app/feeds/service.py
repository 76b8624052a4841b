"""Calendar feeds: made with an address that is shown once, revoked, listed, and read by whoever has the address."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from app.communities.service import communities_by_number
from app.feeds import store
from app.feeds.errors import FeedRevoked, TooManyFeeds, UnknownSubject
from app.feeds.rules import (
    AHEAD,
    LIVE_MAX,
    PAST,
    SITE,
    TEAM,
    VOLUNTEER,
    Calendar,
    Feed,
    Planned,
    occurrences_of,
    token_of,
)
from app.kernel import persons
from app.kernel.errors import NotFound, Refusal, Refused
from app.kernel.events import Event, append
from app.kernel.ids import new_id
from app.teams.service import is_posted_today, times_on_team
from app.volunteers.service import consent_dates

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from uuid import UUID

    from app.communities.rules import Community
    from app.kernel.database import Session
    from app.kernel.paging import Paging

_purpose = "calendar feed"
_secret_bytes = 32
_names = {VOLUNTEER: "我的班次", TEAM: "服务队班次", SITE: "潮汐摊位"}


@dataclass(frozen=True, slots=True)
class NewFeed:
    """A feed to make: of the shifts of a volunteer, a team or a site."""

    community: int
    subject: str
    subject_id: UUID
    created_by: str


@dataclass(frozen=True, slots=True)
class FeedRevocation:
    """A feed to revoke; one of a volunteer's own, if the volunteer is named."""

    community: int
    feed_id: UUID
    revoked_by: str
    volunteer_id: UUID | None = None


async def create_feeds(session: Session, new: Sequence[NewFeed]) -> list[Feed | Refusal]:
    """Make feeds with new tokens in order; only a keyed hash of each token is stored. The session sees the city."""
    return [await _create(session, item) for item in new]


async def _create(session: Session, item: NewFeed) -> Feed | Refusal:
    if not await _is_there(session, item.community, item.subject, item.subject_id):
        return UnknownSubject(subject=item.subject, subject_id=item.subject_id)
    if await store.count_live(session, item.community, item.subject, item.subject_id) >= LIVE_MAX:
        return TooManyFeeds(feeds_max=LIVE_MAX)
    feed_id, token = new_id(), token_of(item.community, secrets.token_urlsafe(_secret_bytes))
    ids = {"feed_id": str(feed_id), "subject": item.subject, "subject_id": str(item.subject_id)}
    (number,) = await append(session, [Event(item.community, "calendar_feed.created", ids)])
    feed = Feed(
        id=feed_id,
        community=item.community,
        number=number,
        subject=item.subject,
        subject_id=item.subject_id,
        created_by=item.created_by,
        created_at=session.now(item.community),
        token=token,
    )
    await store.insert_feeds(session, [(feed, session.vault.hash(_purpose, token))])
    return feed


async def _is_there(session: Session, community: int, subject: str, subject_id: UUID) -> bool:
    if subject == SITE:
        return await store.has_site(session, community, subject_id)
    if subject == TEAM:
        return await is_posted_today(session, subject_id, community)
    key = (community, subject_id)
    # Who was erased is still among the volunteers, but has no key any more.
    return key in await session.ask(consent_dates(session.dialect, [key])) and await _has_key(session, key)


async def _has_key(session: Session, key: persons.Person) -> bool:
    return key in await persons.load_keys(session, [key])


async def revoke_feeds(session: Session, revocations: Sequence[FeedRevocation]) -> list[Feed | Refusal]:
    """Revoke feeds in order, each once: from now on nothing is at their addresses."""
    outcomes: list[Feed | Refusal] = []
    for item in revocations:
        feed = await store.load_feed(session, item.community, item.feed_id)
        if feed is None or item.volunteer_id not in {None, feed.subject_id}:
            outcomes.append(NotFound(resource="calendar feed"))
        elif feed.revoked_at is not None:
            outcomes.append(FeedRevoked(revoked_at=feed.revoked_at))
        else:
            revoked = replace(feed, revoked_at=session.now(item.community), revoked_by=item.revoked_by)
            await append(session, [Event(item.community, "calendar_feed.revoked", {"feed_id": str(feed.id)})])
            await store.revoke_feeds(session, [revoked])
            outcomes.append(revoked)
    return outcomes


async def list_feeds(session: Session, community: int, paging: Paging) -> list[Feed]:
    """Feeds with the revoked ones, newest first; filters: `subject`, `subject_id`."""
    return await store.page_of_feeds(session, community, paging)


async def read_calendar(session: Session, community: int, token: str) -> Calendar:
    """Read what stands in the calendar whose address has this token, which names the community.

    The hash that is looked up is keyed, so how long that takes tells nothing about tokens. The session sees the city.
    Raises `Refused(NotFound)` if there is no such feed, it was revoked, or its volunteer was erased.
    """
    feed = await store.find_live_feed(session, community, session.vault.hash(_purpose, token))
    if feed is None or (feed.subject == VOLUNTEER and not await _has_key(session, (community, feed.subject_id))):
        raise Refused(NotFound(resource="calendar"))
    home = (await session.ask(communities_by_number(session.dialect, [community])))[community]
    now = session.now(community)
    planned = await _planned(session, feed, home, now)
    return Calendar(f"{home.name} {_names[feed.subject]}", now, occurrences_of(planned))


async def _planned(session: Session, feed: Feed, home: Community, now: datetime) -> list[Planned]:
    since, before = now - PAST, now + AHEAD
    if feed.subject == SITE:
        return await store.planned_at(session, feed.community, feed.subject_id, since, before)
    if feed.subject == VOLUNTEER:
        return await store.planned_for(session, feed.community, [feed.subject_id], since, before)
    times = await times_on_team(session, feed.subject_id, home.local_date(since), home.local_date(before))
    found = await store.planned_for(session, feed.community, {one.member_id for one in times}, since, before)
    return [
        one
        for one in found
        if any(time.member_id == one.participant_id and time.covers(home.local_date(one.starts_at)) for time in times)
    ]
