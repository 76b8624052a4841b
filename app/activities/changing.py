"""What becomes of activities after they were created: they are edited, and they end with all that is to come."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from app.activities import store
from app.activities.rules import skipped
from app.activities.service import activity_event, keep_skipped, running
from app.communities.service import communities_by_number
from app.kernel.editing import edited
from app.kernel.errors import NotFound, Refusal
from app.kernel.events import append

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from uuid import UUID

    from app.activities.effects import Effects
    from app.activities.rules import Activity
    from app.activities.store import Key
    from app.kernel.database import Session
    from app.kernel.editing import Expected


@dataclass(frozen=True, slots=True)
class ActivityChange:
    """New values of an activity, by name as in `Activity`, and the revision that they were made on."""

    community: int
    activity_id: UUID
    values: Mapping[str, Any]
    expected: Expected


@dataclass(frozen=True, slots=True)
class ActivityEnding:
    """An activity that is not to go on."""

    community: int
    activity_id: UUID
    reason: str


async def change_activities(session: Session, changes: Sequence[ActivityChange]) -> list[Activity | Refusal]:
    """Change activities in order; shifts that were made keep their places. What differs in nothing changes nothing."""
    found = await store.load_activities(session, {(item.community, item.activity_id) for item in changes})
    outcomes: list[Activity | Refusal] = []
    changed: dict[Key, Activity] = {}
    happened = []
    for item in changes:
        key = (item.community, item.activity_id)
        refusal = item.expected.refusal(found[key].revision) if key in found else NotFound(resource="activity")
        if refusal is not None:
            outcomes.append(refusal)
            continue
        activity = edited(found[key], item.values)
        outcomes.append(activity)
        if activity is not found[key]:
            found[key] = changed[key] = activity
            happened.append(activity_event(activity, "changed"))
    await store.update_activities(session, changed.values())
    await append(session, happened)
    return outcomes


async def end_activities(
    session: Session, endings: Sequence[ActivityEnding], *, effects: Effects
) -> list[Activity | Refusal]:
    """End activities in order: their series end today, and their shifts that have not begun are skipped."""
    found = await store.load_activities(session, {(item.community, item.activity_id) for item in endings})
    outcomes: list[Activity | Refusal] = []
    reasons: dict[Key, str] = {}
    for item in endings:
        key = (item.community, item.activity_id)
        activity = running(found.get(key), item.activity_id)
        if not isinstance(activity, Refusal):
            now = session.now(item.community)
            activity = found[key] = replace(activity, ended_at=now, revision=activity.revision + 1)
            reasons[key] = item.reason
        outcomes.append(activity)
    ended = [found[key] for key in reasons]
    await append(session, [activity_event(one, "ended") for one in ended])
    await store.update_activities(session, ended)
    await _end_series(session, reasons)
    coming = await store.coming_of_activities(session, reasons)
    await keep_skipped(session, [skipped(one, reasons[key]) for key in reasons for one in coming[key]], effects)
    return outcomes


async def _end_series(session: Session, keys: Collection[Key]) -> None:
    communities = await session.ask(communities_by_number(session.dialect, {community for community, _ in keys}))
    ended = []
    for series in await store.series_of_activities(session, keys):
        today = communities[series.community].local_date(session.now(series.community))
        ended.append(replace(series, ends_on=min(today, series.ends_on or today)))
    await store.update_series(session, ended)
