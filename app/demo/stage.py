"""What the scenes of the demo's year share: who is there, what day it is, and how a shift ends in points."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from operator import attrgetter
from typing import TYPE_CHECKING, TypeVar

from app.activities.service import list_shifts
from app.attendance.rules import ABSENT, ATTENDED, Listed
from app.attendance.service import NewList, record_lists
from app.attendance.submitting import Submission, submit_attendance
from app.beneficiaries.rules import Consent as BeneficiaryConsent
from app.beneficiaries.rules import Particulars
from app.beneficiaries.service import Registration as BeneficiaryRegistration
from app.beneficiaries.service import register_beneficiaries
from app.hours.rules import PENDING
from app.hours.service import Verification, list_records, verify_records
from app.kernel.errors import Refusal, Refused
from app.kernel.heads import CITY
from app.kernel.paging import Paging
from app.signups.rules import CONFIRMED
from app.signups.service import NewSignup, live_signups, sign_up
from app.volunteers.rules import Consent, Person
from app.volunteers.service import Registration, register_volunteers
from app.worker import OBJECTIONS

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
    from contextlib import AbstractAsyncContextManager
    from datetime import datetime
    from uuid import UUID

    from app.activities.rules import Shift
    from app.communities.rules import Community
    from app.demo.walking import WalkingClock
    from app.imports.service import Step
    from app.kernel.database import Database, Session
    from app.settings import Settings
    from app.signups.rules import Signup

AnyT = TypeVar("AnyT")

WEEKS = "weeks walked"
"""What a progress bar calls the walk."""

_week = dt.timedelta(weeks=1)
_consent_version = "2024-09"


@dataclass(frozen=True, slots=True)
class Scene:
    """Something that happens at a moment of the walk."""

    at: datetime
    play: Callable[[], Awaitable[object]]


@dataclass(frozen=True, slots=True)
class Stage:
    """Where the demo's year takes place. `today` is the local date on which it is loaded, by which all is dated.

    `clients` are client ids by role; `volunteers` and `beneficiaries` fill as persons are registered, by name.
    """

    database: Database
    settings: Settings
    community: Community
    today: dt.date
    clients: Mapping[str, str]
    volunteers: dict[str, UUID] = field(default_factory=dict)
    beneficiaries: dict[str, UUID] = field(default_factory=dict)
    guards: list[UUID] = field(default_factory=list)
    """The members of the team that is posted here."""

    @property
    def number(self) -> int:
        """The community's small number."""
        return self.community.number

    def at(self, day: dt.date, hour: int, minute: int = 0) -> datetime:
        """The moment at which the community's clocks show this."""
        return self.community.moment_of(day, hour * 60 + minute)

    def write(self) -> AbstractAsyncContextManager[Session]:
        """Open a transaction that changes the community, and sees the city's teams."""
        return self.database.write(self.number, seen=[CITY])


def last_day(today: dt.date, weekday: int) -> dt.date:
    """The last day of the week of this kind before today; Monday is 0."""
    yesterday = today - dt.timedelta(days=1)
    return yesterday - dt.timedelta(days=(yesterday.weekday() - weekday) % 7)


def accepted(outcomes: Sequence[AnyT | Refusal]) -> list[AnyT]:
    """What was done, if none of it was refused. Raises `Refused`."""
    done: list[AnyT] = []
    for outcome in outcomes:
        if isinstance(outcome, Refusal):
            raise Refused(outcome)
        done.append(outcome)
    return done


async def walk(clock: WalkingClock, scenes: Iterable[Scene], progress: Callable[[Step], None]) -> None:
    """Play scenes in the order of their moments, each at its own, and tell of each week that has passed."""
    in_order = sorted(scenes, key=attrgetter("at"))
    first, weeks, told = in_order[0].at, (in_order[-1].at - in_order[0].at) // _week, 0
    progress((WEEKS, 0, weeks))
    for scene in in_order:
        clock.walk_to(scene.at)
        await scene.play()
        passed = (scene.at - first) // _week
        if passed > told:
            progress((WEEKS, passed - told, weeks))
            told = passed


async def enrol(stage: Stage, session: Session, phones: Mapping[str, str], estate: str) -> None:
    """Register volunteers who live on an estate, with their phones by their names."""
    consent = Consent(_consent_version, session.now(stage.number))
    new = [
        Registration(stage.number, Person(name, phone), consent, stage.clients["front_desk"], estate=estate)
        for name, phone in phones.items()
    ]
    made = accepted(await register_volunteers(session, new))
    stage.volunteers.update({one.name: one.id for one in made})


async def take_in(stage: Stage, session: Session, persons: Sequence[Particulars], needs: tuple[str, ...]) -> None:
    """Register persons to serve, who live alone and need these things done."""
    consent = BeneficiaryConsent(_consent_version, session.now(stage.number), stage.clients["front_desk"])
    new = [BeneficiaryRegistration(stage.number, one, needs, living_alone=True, consent=consent) for one in persons]
    made = accepted(await register_beneficiaries(session, new))
    stage.beneficiaries.update({person.name: one.id for person, one in zip(persons, made, strict=True)})


async def seat(
    stage: Stage, session: Session, shift_id: UUID, position_id: UUID, participants: Iterable[UUID]
) -> list[Signup]:
    """Sign participants up at the desk."""
    desk = stage.clients["front_desk"]
    new = [NewSignup(stage.number, shift_id, position_id, one, desk) for one in participants]
    return accepted(await sign_up(session, new, objections=OBJECTIONS))


async def shifts_of(stage: Stage, session: Session, day: dt.date) -> list[Shift]:
    """The shifts of a day; the walk has those of visits, duty, stalls and clinics on different days of the week."""
    span = {"from": stage.at(day, 0).isoformat(), "to": stage.at(day + dt.timedelta(days=1), 0).isoformat()}
    return await list_shifts(session, stage.number, Paging(filters=span))


async def close_day(stage: Stage, day: dt.date) -> None:
    """Submit that everybody came to the shifts of a day."""
    async with stage.write() as session:
        for shift in await shifts_of(stage, session, day):
            await close_shift(stage, session, shift.id)


async def close_shift(
    stage: Stage, session: Session, shift_id: UUID, *, missing: Collection[UUID] = frozenset()
) -> None:
    """List who came to a shift, all but those missing, and submit that."""
    key = (stage.number, shift_id)
    lines = tuple(
        Listed(one.id, ABSENT if one.participant_id in missing else ATTENDED)
        for one in (await live_signups(session, [key]))[key]
        if one.status == CONFIRMED
    )
    (listed,) = accepted(await record_lists(session, [NewList(*key, lines, stage.clients["front_desk"])]))
    accepted(listed)
    await submit(stage, session, shift_id)


async def submit(stage: Stage, session: Session, shift_id: UUID) -> None:
    """Submit the attendance of a shift, which makes the service records of what counts."""
    submission = Submission(stage.number, shift_id, stage.clients["front_desk"])
    (submitted,) = accepted(await submit_attendance(session, [submission]))
    accepted([one.outcome for one in submitted])


async def verify(stage: Stage) -> None:
    """Let the verifier approve what waits, in the order in which it was recorded: that posts minutes and points."""
    async with stage.write() as session:
        waiting = await list_records(session, stage.number, Paging(filters={"status": PENDING}))
        decisions = [
            Verification(stage.number, one.id, approve=True, verifier=stage.clients["verifier"], manager=False)
            for one in reversed(waiting)
        ]
        accepted(await verify_records(session, decisions))
