"""Checking in and out of shifts, at the desk or with the code of the place, which changes every thirty seconds.

A place is known by its code alone: nothing about where anybody is gets taken or stored, and no code is stored either.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

from app.activities.rules import SHIFT_HOURS_MAX
from app.activities.service import get_shift, load_shifts
from app.attendance import store
from app.attendance.errors import NoShiftHere, NotCheckedIn, PlaceCodeInvalid
from app.attendance.rules import (
    AT_DESK,
    BY_CODE,
    CODE_SECONDS,
    check_in_refusal,
    check_out_refusal,
    checked_in,
    checked_out,
    code_of,
    nearest,
    steps_good_at,
)
from app.attendance.service import event_of, keep, lines_of
from app.communities.service import communities_by_number
from app.kernel.errors import NotFound, Refusal
from app.kernel.events import append
from app.signups.errors import SignupNotOpen
from app.signups.rules import CONFIRMED, Signup
from app.signups.service import load_signups

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from uuid import UUID

    from app.activities.rules import Shift
    from app.attendance.rules import Attendance
    from app.attendance.service import Line
    from app.attendance.store import Key
    from app.communities.rules import Community
    from app.kernel.database import Session
    from app.kernel.vault import Vault


_longest = timedelta(hours=SHIFT_HOURS_MAX)


@dataclass(frozen=True, slots=True)
class Check:
    """Somebody who comes, or who goes after so many minutes of breaks: by the sign-up at the desk, or by a code."""

    community: int
    checked_by: str
    leaves: bool = False
    break_minutes: int = 0
    signup_id: UUID | None = None
    participant_id: UUID | None = None
    code: str = ""

    @property
    def method(self) -> str:
        """How it was seen."""
        return BY_CODE if self.signup_id is None else AT_DESK


class PlaceCode(NamedTuple):
    """What a place shows now, and when the next code takes its place."""

    code: str
    valid_until: datetime


async def get_place_code(session: Session, community: int, shift_id: UUID) -> PlaceCode:
    """The code of a shift's place at this moment. Raises `Refused(NotFound)`."""
    shift = await get_shift(session, community, shift_id)
    step, *_ = steps_good_at(session.now(community))
    until = datetime.fromtimestamp((step + 1) * CODE_SECONDS, UTC)
    return PlaceCode(_code(session.vault, community, shift.place, step), until)


def _code(vault: Vault, community: int, place: str, step: int) -> str:
    return code_of(vault.hash("place code", str(community), place, str(step)))


async def check(session: Session, checks: Sequence[Check]) -> list[Line | Refusal]:
    """Check people in and out, in order."""
    grounds = await _gather(session, checks)
    before = await store.load(session, grounds.signups)
    known = dict(before)
    outcomes: list[Key | Refusal] = []
    seen: list[tuple[Signup, str]] = []
    for item in checks:
        now = session.now(item.community)
        signup = grounds.meant(session.vault, item, known, now)
        if isinstance(signup, Refusal):
            outcomes.append(signup)
            continue
        key = (signup.community, signup.id)
        outcome = grounds.checked(item, signup, known.get(key), now)
        if isinstance(outcome, Refusal):
            outcomes.append(outcome)
            continue
        known[key] = outcome
        seen.append((signup, "signup.checked_out" if item.leaves else "signup.checked_in"))
        outcomes.append(key)
    await keep(session, before, known, grounds.signups)
    await append(session, [event_of(signup, what) for signup, what in seen])
    lines = await lines_of(session, list(grounds.signups.values()), known)
    return [outcome if isinstance(outcome, Refusal) else lines[outcome] for outcome in outcomes]


async def _gather(session: Session, checks: Sequence[Check]) -> _Grounds:
    participants = {(item.community, item.participant_id) for item in checks if item.participant_id is not None}
    around = await store.confirmed_around(session, participants) if participants else {}
    asked = {(item.community, item.signup_id) for item in checks if item.signup_id is not None}
    asked |= {(community, one) for (community, _), found in around.items() for one in found}
    signups = await load_signups(session, asked)
    return _Grounds(
        signups,
        await load_shifts(session, {(one.community, one.shift_id) for one in signups.values()}),
        {key: [signups[key[0], one] for one in found] for key, found in around.items()},
        {community: await store.places_around(session, community, _longest) for community, _ in participants},
        await session.ask(communities_by_number(session.dialect, {item.community for item in checks})),
    )


@dataclass(frozen=True, slots=True)
class _Grounds:
    """What checking rests on: of each participant the seats in shifts that are on, and of each community the places."""

    signups: Mapping[Key, Signup]
    shifts: Mapping[Key, Shift]
    around: Mapping[Key, Sequence[Signup]]
    places: Mapping[int, set[str]]
    homes: Mapping[int, Community]

    def meant(self, vault: Vault, item: Check, known: Mapping[Key, Attendance], now: datetime) -> Signup | Refusal:
        """The sign-up that somebody checks in to or out of."""
        if item.signup_id is not None:
            signup = self.signups.get((item.community, item.signup_id))
            if signup is None:
                return NotFound(resource="signup")
            return signup if signup.status == CONFIRMED else SignupNotOpen(signup_status=signup.status)
        place = self._place(vault, item, now)
        if place is None:
            return PlaceCodeInvalid()
        seats = self.around.get((item.community, item.participant_id), ()) if item.participant_id else ()
        here = {self._shift(one): one for one in seats if self._shift(one).place == place}
        if not here:
            return NoShiftHere()
        in_turn = [here[shift] for shift in nearest(here, now)]
        # Of two shifts one after the other, whoever leaves leaves the one that was entered.
        fitting = [one for one in in_turn if not isinstance(self.checked(item, one, _of(known, one), now), Refusal)]
        return (fitting or in_turn)[0]

    def _place(self, vault: Vault, item: Check, now: datetime) -> str | None:
        good = None
        for place in self.places.get(item.community, ()):
            for step in steps_good_at(now):
                if hmac.compare_digest(_code(vault, item.community, place, step).encode(), item.code.encode()):
                    good = place
        return good

    def _shift(self, signup: Signup) -> Shift:
        return self.shifts[signup.community, signup.shift_id]

    def checked(self, item: Check, signup: Signup, before: Attendance | None, now: datetime) -> Attendance | Refusal:
        """What is known of somebody who has checked in or out now, or why that cannot be."""
        shift = self._shift(signup)
        if not item.leaves:
            refusal = check_in_refusal(before, shift, now)
            return refusal or checked_in(signup, by=item.checked_by, at=now, method=item.method)
        if refusal := check_out_refusal(before, shift, now, item.break_minutes):
            return refusal
        if before is None:
            return NotCheckedIn()
        return checked_out(
            before,
            by=item.checked_by,
            at=now,
            method=item.method,
            break_minutes=item.break_minutes,
            service_date=self.homes[item.community].local_date(before.starts_at or now),
        )


def _of(known: Mapping[Key, Attendance], signup: Signup) -> Attendance | None:
    return known.get((signup.community, signup.id))
