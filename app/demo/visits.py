"""A year of weekly visits: 李佳儒 and 张文静 go to see 邓阿姨, who is 86 and lives alone."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from app.activities.service import Skipping, skip_shifts
from app.beneficiaries.rules import Particulars
from app.demo.stage import Scene, accepted, enrol, last_day, shifts_of, submit, take_in, verify
from app.kernel.paging import Paging
from app.visits.escalations import Closing, close_escalations, list_escalations
from app.visits.plans import NewPlan, create_plans
from app.visits.recording import NewOutcome, record_outcomes
from app.visits.rules import ABSENT, DONE, OPEN, REFUSED
from app.worker import EFFECTS, run_due

if TYPE_CHECKING:
    from app.demo.stage import Stage

LI, ZHANG = "李佳儒", "张文静"
DENG = "邓阿姨"

ESTATE = "祁连家园"
"""Where they live: of the address it is all that anybody but the desk sees."""

VISITS = 53
"""Planned over the year; those of Spring Festival are skipped."""

NOT_AT_HOME = frozenset({13, 28, 29})
"""At which of the visits that were not skipped, from 0 on, nobody opened; of two running somebody is told."""

NOT_WANTED = frozenset({7, 40})
"""When 邓阿姨 would rather be left alone."""

WITHOUT_ZHANG = frozenset({34})
"""When 张文静 does not come."""

_phones = {LI: "13900000001", ZHANG: "13900000002"}
_age = 86
_wednesday = 2
_afternoon, _minutes = 15, 90
_day, _week = dt.timedelta(days=1), dt.timedelta(weeks=1)
_before = 2 * _day
_tasks = ("paperwork", "cleaning", "company", "shopping")

# Spring Festival follows the moon.
_new_years = (
    dt.date(2025, 1, 29),
    dt.date(2026, 2, 17),
    dt.date(2027, 2, 6),
    dt.date(2028, 1, 26),
    dt.date(2029, 2, 13),
    dt.date(2030, 2, 3),
    dt.date(2031, 1, 23),
    dt.date(2032, 2, 11),
    dt.date(2033, 1, 31),
    dt.date(2034, 2, 19),
    dt.date(2035, 2, 8),
)


def begins_on(today: dt.date) -> dt.date:
    """The day on which all begins: two before the first visit, about a year ago."""
    return last_day(today, _wednesday) - (VISITS - 1) * _week - _before


def is_holiday(day: dt.date) -> bool:
    """Whether a visit is skipped: in the seven days from the eve of the lunar new year on."""
    return any(new_year - _day <= day < new_year + 6 * _day for new_year in _new_years)


def scenes(stage: Stage) -> list[Scene]:
    """The year, from the registrations before the first visit on, with the jobs that fall due each week."""
    first = begins_on(stage.today) + _before
    days = [first + number * _week for number in range(VISITS)]
    jobs_at = [stage.at(day - _before, 6) for day in days[1:]]
    played = [Scene(stage.at(first - _before, 9), partial(_begin, stage, first))]
    played += [Scene(moment, partial(run_due, stage.database, stage.settings)) for moment in jobs_at]
    for day in filter(is_holiday, days):
        played.append(Scene(stage.at(day - _day, 10), partial(_skip, stage, day)))
    held = [day for day in days if not is_holiday(day)]
    for number, day in enumerate(held):
        played.append(Scene(stage.at(day, 17), partial(_tell, stage, day, number)))
        played.append(Scene(stage.at(day, 20), partial(verify, stage)))
    last_absence = held[max(NOT_AT_HOME)]
    played.append(Scene(stage.at(last_absence + _day, 10), partial(_see_to_it, stage)))
    return played


async def _begin(stage: Stage, first: dt.date) -> None:
    async with stage.write() as session:
        await enrol(stage, session, _phones, ESTATE)
        born = dt.date(first.year - _age, 3, 8)
        person = Particulars(DENG, None, f"{ESTATE} 1 号楼 1 单元 101 室", born)
        await take_in(stage, session, [person], ("blood_pressure", *sorted(_tasks)))
        plan = NewPlan(
            community=stage.number,
            beneficiary_id=stage.beneficiaries[DENG],
            volunteer_ids=(stage.volunteers[LI], stage.volunteers[ZHANG]),
            service_kind="home_visit",
            rule="FREQ=WEEKLY",
            starts_on=first,
            starts_at_minute=_afternoon * 60,
            minutes=_minutes,
            place=ESTATE,
            organiser=f"{stage.community.name}居委会",
            created_by=stage.clients["front_desk"],
        )
        accepted(await create_plans(session, [plan], effects=EFFECTS))


async def _skip(stage: Stage, day: dt.date) -> None:
    async with stage.write() as session:
        (shift,) = await shifts_of(stage, session, day)
        accepted(await skip_shifts(session, [Skipping(stage.number, shift.id, "春节放假")], effects=EFFECTS))


async def _tell(stage: Stage, day: dt.date, number: int) -> None:
    """Say what came of a visit, and submit who was there."""
    outcome = ABSENT if number in NOT_AT_HOME else REFUSED if number in NOT_WANTED else DONE
    async with stage.write() as session:
        (shift,) = await shifts_of(stage, session, day)
        new = NewOutcome(stage.number, shift.id, outcome, stage.clients["front_desk"])
        if outcome == DONE:
            missing = (stage.volunteers[ZHANG],) if number in WITHOUT_ZHANG else ()
            tasks = ("blood_pressure", _tasks[number % len(_tasks)])
            new = replace(new, tasks=tasks, absent_volunteer_ids=missing)
        accepted(await record_outcomes(session, [new]))
        await submit(stage, session, shift.id)


async def _see_to_it(stage: Stage) -> None:
    async with stage.write() as session:
        (opened,) = await list_escalations(session, stage.number, Paging(filters={"status": OPEN}))
        closing = Closing(
            community=stage.number,
            escalation_id=opened.id,
            reason="老人去女儿家住了两周，没来得及告诉我们",
            action="电话联系到女儿，约好以后外出先说一声",
            closed_by=stage.clients["manager"],
        )
        accepted(await close_escalations(session, [closing]))
