"""What makes the values that requests of the work behind the hours may name, and brings things into a needed state."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.contract import (
    making_activities,
    making_attendance,
    making_clinics,
    making_feeds,
    making_people,
    making_signups,
    making_stalls,
    making_teams,
    making_visits,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from tests.contract.furnished import Furnished

MAKERS: Mapping[str, Callable[[Furnished], Awaitable[dict[str, Any]]]] = {
    **making_activities.MAKERS,
    **making_clinics.MAKERS,
    **making_feeds.MAKERS,
    **making_signups.MAKERS,
    **making_teams.MAKERS,
    **making_people.MAKERS,
    **making_stalls.MAKERS,
    **making_visits.MAKERS,
}
"""By the name of a parameter or field: what makes a value that is still to be used, and others that come with it."""

PREPARING: Mapping[str, Callable[[Furnished, dict[str, Any]], Awaitable[Any]]] = {
    **making_people.PREPARING,
    **making_attendance.PREPARING,
    **making_signups.PREPARING,
    **making_clinics.PREPARING,
    **making_feeds.PREPARING,
    **making_teams.PREPARING,
    **making_stalls.PREPARING,
    **making_visits.PREPARING,
}
"""By operation: what brings the values of its path and body into the state that it works on."""

NARROWER: Mapping[str, Mapping[str, str]] = {
    **making_clinics.NARROWER,
    **making_stalls.NARROWER,
    **making_visits.NARROWER,
}
"""By operation: parameters that name a narrower kind of thing there than elsewhere, and what has such a one."""
