"""One tide-stall evening: more vendors than pitches, guards from the team, residents who help, and what led to it."""

from __future__ import annotations

import datetime as dt
from functools import partial
from operator import attrgetter
from typing import TYPE_CHECKING

from app.activities.rules import MEMBERS, VENDORS, VOLUNTEERS
from app.activities.service import load_activities
from app.demo.stage import Scene, accepted, close_shift, enrol, last_day, seat, shifts_of, verify
from app.demo.visits import ESTATE, ZHANG
from app.kernel.paging import Paging
from app.needs.rules import ANSWERED, COMPLAINT, OPEN, PLANNED, Asker
from app.needs.service import NewDecision, NewNeed, NewTelling, decide_needs, file_needs, list_needs, tell_needs
from app.signups.closing import Cancellation, cancel_signups
from app.signups.service import live_signups
from app.stalls.changing import NewCalendar, set_calendars
from app.stalls.rules import DRAW_HOURS_DEFAULT, Footfall
from app.stalls.service import NewHelp, NewSite, register_sites
from app.vendors.rules import Particulars
from app.vendors.service import Registration, list_vendors, register_vendors
from app.worker import EFFECTS, run_due

if TYPE_CHECKING:
    from uuid import UUID

    from app.demo.stage import Stage
    from app.kernel.database import Session
    from app.signups.rules import Signup

PITCHES = 8

PLACE = "祁连路与门源路口空地"

WARES = ("酿皮", "羊肉串", "老酸奶", "炒面片", "甜醅", "水果", "蔬菜", "手工布鞋", "日用百货", "玩具")
"""What those sell who apply for the pitches, each something else."""

_helper = "赵建国"
_phones = {_helper: "13900000005"}
_guards = 2
_friday = 4
_open_hours = range(18, 21)
_quiet, _busy, _threshold = 90, 320, 200
_day = dt.timedelta(days=1)


def scenes(stage: Stage) -> list[Scene]:
    """From the needs that were filed weeks before to the end of the evening."""
    day = last_day(stage.today, _friday)
    drawn_at = stage.at(day, _open_hours[0]) - dt.timedelta(hours=DRAW_HOURS_DEFAULT)
    return [
        Scene(stage.at(day - 23 * _day, 10), partial(_ask, stage)),
        Scene(stage.at(day - 10 * _day, 10), partial(_open_site, stage, day)),
        Scene(stage.at(day - 3 * _day, 10), partial(_sign_up, stage, day)),
        Scene(drawn_at, partial(run_due, stage.database, stage.settings)),
        Scene(stage.at(day, 10), partial(_give_back, stage, day)),
        Scene(stage.at(day, 14), partial(_complain, stage)),
        Scene(stage.at(day, 21, 30), partial(_end, stage, day)),
        Scene(stage.at(day, 22), partial(verify, stage)),
    ]


async def _ask(stage: Stage) -> None:
    """File what becomes the stalls, and what is answered and told the same day."""
    desk = stage.clients["front_desk"]
    wish = NewNeed(
        community=stage.number,
        kind="need",
        category="stalls",
        place=PLACE,
        text="下班后附近没有地方买菜，希望晚上有几个摊位",
        filed_by=desk,
        asker=Asker("祁女士", None),
    )
    lift = NewNeed(
        community=stage.number,
        kind="need",
        category="elevator",
        place=ESTATE,
        text="老楼能不能加装电梯",
        filed_by=desk,
        asker=Asker("韩先生", None),
    )
    async with stage.write() as session:
        _, asked = accepted(await file_needs(session, [wish, lift]))
        why = "本单元还有两户没有同意，意见征集到月底，结果会贴在单元门口"
        answer = NewDecision(stage.number, asked.id, ANSWERED, stage.clients["manager"], reason=why)
        accepted(await decide_needs(session, [answer]))
        accepted(await tell_needs(session, [NewTelling(stage.number, asked.id, "phone", desk)]))


async def _open_site(stage: Stage, day: dt.date) -> None:
    """Register the site with its calendar and vendors, and tell who wished for it."""
    manager, desk = stage.clients["manager"], stage.clients["front_desk"]
    async with stage.write() as session:
        (site,) = accepted(await register_sites(session, [_site(stage)]))
        lines = tuple(
            Footfall(weekday, hour, _busy if weekday == day.isoweekday() and hour in _open_hours else _quiet)
            for weekday in range(1, 8)
            for hour in range(17, 22)
        )
        calendar = NewCalendar(stage.number, site.id, _threshold, day - _day, lines, manager)
        accepted(await set_calendars(session, [calendar], effects=EFFECTS))
        (wish,) = await list_needs(session, stage.number, Paging(filters={"status": OPEN}))
        planned = NewDecision(stage.number, wish.id, PLANNED, manager, activity_id=site.activity_id)
        accepted(await decide_needs(session, [planned]))
        accepted(await tell_needs(session, [NewTelling(stage.number, wish.id, "counter", desk)]))
        vendors = [
            Registration(stage.number, Particulars(f"{wares}摊主", f"139000001{place:02}"), wares, desk)
            for place, wares in enumerate(WARES)
        ]
        accepted(await register_vendors(session, vendors))


def _site(stage: Stage) -> NewSite:
    return NewSite(
        community=stage.number,
        code="qilian-menyuan",
        name="祁连路潮汐摊位",
        place=PLACE,
        pitches=PITCHES,
        draw_hours_before=DRAW_HOURS_DEFAULT,
        organiser=f"{stage.community.name}居委会",
        content="傍晚集中摆摊，摊位免费",
        guards=_guards,
        help=NewHelp("tide_stall_duty", 2),
        registered_by=stage.clients["manager"],
    )


async def _sign_up(stage: Stage, day: dt.date) -> None:
    """Let the vendors apply, two of the team guard, and residents help: what they give is volunteering."""
    async with stage.write() as session:
        await enrol(stage, session, _phones, ESTATE)
        coming = {
            VENDORS: [one.id for one in await list_vendors(session, stage.number, Paging())],
            MEMBERS: stage.guards[:_guards],
            VOLUNTEERS: [stage.volunteers[ZHANG], stage.volunteers[_helper]],
        }
        shifts = await shifts_of(stage, session, day)
        activities = await load_activities(session, {(one.community, one.activity_id) for one in shifts})
        for shift in shifts:
            for position in activities[shift.community, shift.activity_id].positions:
                await seat(stage, session, shift.id, position.id, coming[position.participants])


async def _drawn(stage: Stage, session: Session, day: dt.date) -> tuple[UUID, list[Signup]]:
    """The evening's shift of stalls, with those who have its pitches, in the order of these."""
    shifts = await shifts_of(stage, session, day)
    activities = await load_activities(session, {(one.community, one.activity_id) for one in shifts})
    pitches = {
        position.id for one in activities.values() for position in one.positions if position.participants == VENDORS
    }
    signups = await live_signups(session, [(one.community, one.id) for one in shifts])
    having = [
        one for of_shift in signups.values() for one in of_shift if one.position_id in pitches and one.seat is not None
    ]
    return having[0].shift_id, sorted(having, key=attrgetter("seat"))


async def _give_back(stage: Stage, day: dt.date) -> None:
    """Let one of the vendors give the pitch back, which goes to the first of those who wait."""
    async with stage.write() as session:
        _, (*_, last) = await _drawn(stage, session, day)
        given_back = Cancellation(stage.number, last.id, stage.clients["front_desk"], "家里有事，来不了")
        accepted(await cancel_signups(session, [given_back]))


async def _complain(stage: Stage) -> None:
    """File a complaint about the place, the last before it opens; it is still open."""
    complaint = NewNeed(
        community=stage.number,
        kind=COMPLAINT,
        category="obstruction",
        place=PLACE,
        text="空地上乱停车，晚上不好走",
        filed_by=stage.clients["front_desk"],
        asker=Asker("马师傅", None),
    )
    async with stage.write() as session:
        accepted(await file_needs(session, [complaint]))


async def _end(stage: Stage, day: dt.date) -> None:
    """Submit who came: all but one of the vendors."""
    async with stage.write() as session:
        of_stalls, (absent, *_) = await _drawn(stage, session, day)
        for shift in await shifts_of(stage, session, day):
            missing = {absent.participant_id} if shift.id == of_stalls else set()
            await close_shift(stage, session, shift.id, missing=missing)
