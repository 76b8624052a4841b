"""Furnishes a community with the work behind the hours: a row in every table of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.activities import acts
from tests.attendance import acts as attending
from tests.bank import done
from tests.beneficiaries.acts import beneficiary
from tests.clinics import acts as clinics
from tests.needs.acts import need
from tests.qualifications.acts import qualification
from tests.teams import acts as teams
from tests.vendors.acts import vendor

if TYPE_CHECKING:
    from tests.bank import Bank


async def furnish_work(bank: Bank, volunteer_id: str) -> None:
    """Let the bank's community organise a recurring activity, a single shift and a clinic; the city posts a team there.

    It lets a vendor come, serves one person and has forgotten another, has checked what the volunteer can do, and lets
    the volunteer take part in the series. Somebody comes to a shift of today.
    """
    activity = await acts.activity(bank, service_kind="home_visit")
    series = await acts.series(bank, activity["id"])
    body = {"position_id": activity["positions"][0]["id"], "participant_id": volunteer_id}
    done(await bank.desk.post(f"series/{series['id']}/standing-signups", body), 201)
    await acts.shift(bank, activity["id"])
    await beneficiary(bank)
    forgotten = await beneficiary(bank)
    done(await bank.manager.post(f"beneficiaries/{forgotten['id']}/erasure", {}), 200)
    await qualification(bank, volunteer_id)
    await vendor(bank)
    await need(bank.desk)
    of_today = await attending.begun(bank)
    await attending.listed(bank, of_today, [await attending.signed_up(bank, of_today)])
    await teams.post(bank, await teams.team(bank, await teams.member(bank)))
    clinic = await clinics.clinic(bank.desk, service_kind="home_visit")
    await clinics.count(bank.desk, clinic)
