"""The city sends embedded teams: 118 members of 4 departments in 31 teams, each posted to one of 31 communities."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from app.activities.rules import MEMBERS
from app.activities.service import NewActivity, NewPosition, NewShift, create_activities, create_shifts
from app.communities.service import NewCommunity, create_communities
from app.demo.stage import Scene, accepted, close_day, last_day, seat
from app.kernel.heads import CITY
from app.teams.members import NewMember, NewMembership, add_members, register_members
from app.teams.postings import NewPosting, post_teams
from app.teams.service import NewNamed, create_departments, create_teams
from app.worker import EFFECTS

if TYPE_CHECKING:
    from app.demo.stage import Stage

MEMBERS_SENT, TEAMS = 118, 31

DEPARTMENTS = {
    "public-security": "公安局",
    "urban-management": "城市管理局",
    "civil-affairs": "民政局",
    "health": "卫生健康局",
}

_thursday = 3
_day, _week = dt.timedelta(days=1), dt.timedelta(weeks=1)


def scenes(stage: Stage) -> list[Scene]:
    """The postings of some weeks ago, and an afternoon of duty in the first community."""
    duty = last_day(stage.today, _thursday) - _week
    return [
        Scene(stage.at(duty - 2 * _week, 10), partial(_send, stage)),
        Scene(stage.at(duty - _day, 10), partial(_plan_duty, stage, duty)),
        Scene(stage.at(duty, 18), partial(close_day, stage, duty)),
    ]


async def _send(stage: Stage) -> None:
    admin = stage.clients["city_admin"]
    async with stage.database.write(CITY) as session:
        new = [
            NewCommunity(
                code=f"demo-{number:02}",
                name=f"演示社区 {number:02}",
                district=stage.community.district,
                subdistrict=stage.community.subdistrict,
                demo=True,
            )
            for number in range(2, TEAMS + 1)
        ]
        communities = [stage.community, *accepted(await create_communities(session, new))]
        named = [NewNamed(code, name) for code, name in DEPARTMENTS.items()]
        departments = accepted(await create_departments(session, named))
        numbered = [NewNamed(f"team-{number:02}", f"下沉服务队 {number:02}") for number in range(1, TEAMS + 1)]
        teams = accepted(await create_teams(session, numbered))
        sent = [
            NewMember(f"演示队员{number + 1:03}", departments[number % len(departments)].id, stage.today, admin)
            for number in range(MEMBERS_SENT)
        ]
        today = stage.community.local_date(session.now(CITY))
        members = accepted(await register_members(session, [replace(one, joined_on=today) for one in sent]))
        put = [NewMembership(teams[place % TEAMS].id, one.id, today, admin) for place, one in enumerate(members)]
        accepted(await add_members(session, put))
        posted = [
            NewPosting(team.id, home.id, today, None, admin) for team, home in zip(teams, communities, strict=True)
        ]
        accepted(await post_teams(session, posted))
    stage.guards.extend(one.id for one in members[::TEAMS])


async def _plan_duty(stage: Stage, day: dt.date) -> None:
    desk = stage.clients["front_desk"]
    duty = NewActivity(
        community=stage.number,
        kind="team_duty",
        service_kind=None,
        name="下沉服务队值班",
        place="党群服务中心",
        content="接待居民、巡查楼院",
        organiser=f"{stage.community.name}居委会",
        created_by=desk,
        positions=(NewPosition("值班", len(stage.guards), participants=MEMBERS),),
    )
    async with stage.write() as session:
        (activity,) = accepted(await create_activities(session, [duty]))
        new = NewShift(stage.number, activity.id, stage.at(day, 14), stage.at(day, 17, 30))
        (shift,) = accepted(await create_shifts(session, [new], effects=EFFECTS))
        await seat(stage, session, shift.id, activity.positions[0].id, stage.guards)
