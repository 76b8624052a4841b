"""Furnishes a community with the work behind the hours: a row in every table of it."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from tests.activities import acts
from tests.attendance import acts as attending
from tests.bank import done
from tests.beneficiaries.acts import beneficiary
from tests.clinics import acts as clinics
from tests.feeds.acts import feed
from tests.needs.acts import need
from tests.qualifications.acts import qualification
from tests.stalls import acts as stalls
from tests.teams import acts as teams
from tests.vendors.acts import vendor
from tests.visits import acts as visiting

if TYPE_CHECKING:
    from tests.bank import Bank


async def furnish_work(bank: Bank, volunteer_id: str) -> None:
    """Let the bank's community organise a recurring activity, a single shift and a clinic; the city posts a team there.

    It draws the pitches of an evening, visits one person and has forgotten another, has checked what the volunteer
    can do, and lets the volunteer take part in the series and have a calendar feed.
    Somebody comes to a shift of today.
    """
    activity = await acts.activity(bank, service_kind="home_visit")
    series = await acts.series(bank, activity["id"])
    body = {"position_id": activity["positions"][0]["id"], "participant_id": volunteer_id}
    done(await bank.desk.post(f"series/{series['id']}/standing-signups", body), 201)
    await acts.shift(bank, activity["id"])
    await _visit(bank)
    forgotten = await beneficiary(bank)
    done(await bank.manager.post(f"beneficiaries/{forgotten['id']}/erasure", {}), 200)
    await qualification(bank, volunteer_id)
    await need(bank.desk)
    await feed(bank.desk, volunteer_id)
    await _draw_pitches(bank)
    of_today = await attending.begun(bank)
    await attending.listed(bank, of_today, [await attending.signed_up(bank, of_today)])
    await teams.post(bank, await teams.team(bank, await teams.member(bank)))
    clinic = await clinics.clinic(bank.desk, service_kind="home_visit")
    await clinics.count(bank.desk, clinic)


async def _visit(bank: Bank) -> None:
    """Plan to visit somebody, who was not at home twice."""
    of = await visiting.visited(bank)
    await visiting.missed_twice(bank.desk, of.plan, bank.clock.moment - dt.timedelta(hours=1))


async def _draw_pitches(bank: Bank) -> None:
    """Open a site by a calendar, and draw the pitches of an evening so soon that the draw is due at once."""
    site = await stalls.site(bank.manager)
    await stalls.calendar(bank.manager, site, effective_from=str(bank.clock.moment.date() + dt.timedelta(days=2)))
    evening = await stalls.evening(bank.manager, site, bank.clock.moment + dt.timedelta(hours=2))
    done(await stalls.apply(bank.manager, evening, await vendor(bank)), 201)
    await stalls.make_draw(bank.manager, evening)
