"""Sites: registered with their activities, opened by their footfall, helped at, and left by who does not come."""

from __future__ import annotations

import datetime as dt
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

import pytest

from app.stalls.service import complaints_around, get_site, use_of_pitches
from app.worker import run_due
from tests.bank import done, refused
from tests.needs.acts import need
from tests.signups.acts import cancel
from tests.stalls.acts import EVENING, apply, calendar, evening, make_draw, shifts_of, site
from tests.vendors.acts import vendor

if TYPE_CHECKING:
    from app.settings import Settings
    from tests.bank import Bank


async def test_a_site_is_registered_with_its_stalls_and_who_helps_there_earns(bank: Bank) -> None:
    await bank.kind("stall_help")
    made = await site(bank.manager, code="qilian", guards=3, help={"service_kind": "stall_help", "capacity": 4})
    assert done(await bank.auditor.get(f"sites/{made['id']}"), 200) == made
    assert done(await bank.auditor.get("sites"), 200)["items"] == [made]
    stalls = done(await bank.desk.get(f"activities/{made['activity_id']}"), 200)
    helping = done(await bank.desk.get(f"activities/{made['help_activity_id']}"), 200)
    assert [(one["kind"], one["counts_as_volunteering"], one["service_kind"]) for one in (stalls, helping)] == [
        ("tide_stall", False, None),
        ("tide_stall", True, "stall_help"),
    ]
    positions = [
        (one["participants"], one["capacity"], one["allocation"])
        for one in (*stalls["positions"], *helping["positions"])
    ]
    assert positions == [("vendor", 2, "draw"), ("member", 3, "first_come"), ("volunteer", 4, "first_come")]
    body = {"code": "qilian", "name": "夜市", "place": "空地", "pitches": 1, "organiser": "居委会"}
    refused(await bank.manager.post("sites", body), "site-code-taken", site_code="qilian", status=409)
    unknown = {**body, "code": "other", "help": {"service_kind": "nothing", "capacity": 1}}
    refused(await bank.manager.post("sites", unknown), "unknown-service-kind")
    refused(await bank.desk.post("sites", {**body, "code": "other"}), "role-missing")
    refused(await bank.desk.get(f"sites/{uuid4()}"), "not-found", resource="site")
    assert len(done(await bank.desk.get("activities"), 200)["items"]) == 2


async def test_a_site_opens_by_its_footfall_and_a_new_calendar_ends_the_one_before(bank: Bank) -> None:
    await bank.kind("stall_help")
    made = await site(bank.manager, help={"service_kind": "stall_help", "capacity": 4})
    path = f"sites/{made['id']}/footfall-calendar"
    refused(await bank.desk.get(path), "not-found", resource="footfall calendar")
    quiet = {"weekday": 5, "hour": 21, "footfall": 199}
    first = await calendar(bank.manager, made, lines=[quiet, *EVENING])
    (friday,) = first["openings"]
    assert (friday["weekday"], friday["hour"], friday["hours"]) == (5, 18, 3)
    assert first["lines"] == [*EVENING, quiet]
    assert done(await bank.auditor.get(path), 200) == first
    for activity_id in (made["activity_id"], made["help_activity_id"]):
        shifts = await shifts_of(bank.manager, activity_id)
        # Fridays from 6 March to 24 April, eight weeks from today: six in the evening until nine in Xining.
        assert len(shifts) == 8
        assert (shifts[0]["starts_at"], shifts[0]["ends_at"]) == ("2026-03-06T10:00:00Z", "2026-03-06T13:00:00Z")
    saturday = [{"weekday": 6, "hour": 9, "footfall": 500}]
    second = await calendar(bank.manager, made, effective_from="2026-03-20", lines=saturday)
    assert done(await bank.desk.get(path, on="2026-03-19"), 200) == first
    assert done(await bank.desk.get(path, on="2026-03-20"), 200) == second
    refused(await bank.desk.get(path, on="2026-03-02"), "not-found")
    starts = [one["starts_at"] for one in await shifts_of(bank.manager, made["activity_id"])]
    assert starts[:3] == ["2026-03-06T10:00:00Z", "2026-03-13T10:00:00Z", "2026-03-21T01:00:00Z"]
    third = await calendar(bank.manager, made, effective_from="2026-03-10", threshold=501, lines=saturday)
    assert third["openings"] == []
    starts = [one["starts_at"] for one in await shifts_of(bank.manager, made["activity_id"])]
    assert starts == ["2026-03-06T10:00:00Z"]
    assert done(await bank.desk.get(path, on="2026-12-01"), 200) == third


async def test_what_no_calendar_can_be_is_refused(bank: Bank) -> None:
    made = await site(bank.manager)
    path = f"sites/{made['id']}/footfall-calendar"
    body: dict[str, Any] = {"threshold": 200, "effective_from": "2026-03-03", "lines": EVENING}
    for fields, place in (
        ({"effective_from": "2026-03-02"}, "/effective_from"),
        ({"lines": [*EVENING, EVENING[0]]}, "/lines"),
        ({"lines": [*EVENING, {"weekday": 8, "hour": 1, "footfall": 1}]}, "/lines/3/weekday"),
        ({"lines": []}, "/lines"),
        ({"threshold": 0}, "/threshold"),
    ):
        problem = refused(await bank.desk.post(path, {**body, **fields}), "invalid-request")
        assert [error["pointer"] for error in problem["errors"]] == [place]
    refused(await bank.desk.post(f"sites/{uuid4()}/footfall-calendar", body), "not-found", resource="site")
    done(await bank.desk.post(f"activities/{made['activity_id']}/ending", {"reason": "场地另有用途"}), 200)
    refused(await bank.desk.post(path, body), "activity-ended", activity_id=made["activity_id"])


async def miss(bank: Bank, place: dict[str, Any], who: dict[str, Any]) -> dict[str, Any]:
    """Let a vendor have a pitch on an evening and not come; gives the sign-up, some hours later."""
    shift = await evening(bank.manager, place, bank.clock.moment + dt.timedelta(hours=2))
    await make_draw(bank.manager, shift)
    signup: dict[str, Any] = done(await apply(bank.manager, shift, who), 201)
    assert signup["status"] == "confirmed"
    bank.clock.move(hours=3)
    listed = {"items": [{"signup_id": signup["id"], "outcome": "absent"}]}
    done(await bank.desk.post(f"shifts/{shift['id']}/attendance", listed), 200)
    return {**signup, "shift_id": shift["id"]}


async def test_who_does_not_come_twice_is_barred_until_the_month_is_over(bank: Bank) -> None:
    place, who = await site(bank.manager), await vendor(bank)
    await miss(bank, place, who)
    bank.clock.move(days=7)
    await miss(bank, place, who)
    bank.clock.move(days=7)
    shift = await evening(bank.manager, place, bank.clock.moment + dt.timedelta(days=30))
    problem = refused(await apply(bank.manager, shift, who), "vendor-barred", status=409)
    # The second one began on 9 March at nine in the morning in London, three hours after the first week's.
    assert problem["until"] == "2026-04-08T09:00:00+00:00"
    assert done(await apply(bank.manager, shift, await vendor(bank)), 201)["status"] == "applied"
    bank.clock.move(days=23)
    assert done(await apply(bank.manager, shift, who), 201)["status"] in {"applied", "confirmed"}


@pytest.mark.usefixtures("own_database")
async def test_who_is_barred_is_left_out_of_the_series_they_stand_in_until_it_is_over(
    bank: Bank, settings: Settings
) -> None:
    place, who = await site(bank.manager), await vendor(bank)
    await miss(bank, place, who)
    await miss(bank, place, who)
    position = done(await bank.desk.get(f"activities/{place['activity_id']}"), 200)["positions"][0]["id"]
    (friday,) = (await calendar(bank.manager, place))["openings"]
    path = f"series/{friday['series_id']}/standing-signups"
    standing = done(await bank.desk.post(path, {"position_id": position, "participant_id": who["id"]}), 201)
    assert standing["signups"] == []
    assert [one["code"] for one in standing["refused"]] == ["vendor-barred"] * 8
    # Each Friday's shift is made eight weeks ahead, on the Friday.
    bank.clock.move(days=7)
    await run_due(bank.database, settings)
    assert done(await bank.desk.get("signups", participant_id=who["id"], status="applied"), 200)["items"] == []
    bank.clock.move(days=28)
    await run_due(bank.database, settings)
    applied = done(await bank.desk.get("signups", participant_id=who["id"], status="applied"), 200)["items"]
    assert len(applied) == 4


async def test_attendance_put_right_lifts_a_bar(bank: Bank) -> None:
    place, who = await site(bank.manager), await vendor(bank)
    await miss(bank, place, who)
    second = await miss(bank, place, who)
    shift = await evening(bank.manager, place, bank.clock.moment + dt.timedelta(days=3))
    refused(await apply(bank.manager, shift, who), "vendor-barred")
    listed = {"items": [{"signup_id": second["id"], "outcome": "excused"}]}
    done(await bank.desk.post(f"shifts/{second['shift_id']}/attendance", listed), 200)
    done(await apply(bank.manager, shift, who), 201)


async def test_use_of_pitches_tells_what_was_offered_taken_and_attended(bank: Bank) -> None:
    place, other = await site(bank.manager, pitches=3), await site(bank.manager)
    since = bank.clock.moment
    shift = await evening(bank.manager, place, since + dt.timedelta(hours=2))
    await evening(bank.manager, other, since + dt.timedelta(hours=4))
    await make_draw(bank.manager, shift)
    comes, stays_away, cancels = [done(await apply(bank.manager, shift, await vendor(bank)), 201) for _ in range(3)]
    done(await cancel(bank.manager, cancels), 200)
    bank.clock.move(hours=6)
    outcomes = {comes["id"]: "attended", stays_away["id"]: "absent"}
    listed = {"items": [{"signup_id": one, "outcome": outcome} for one, outcome in outcomes.items()]}
    done(await bank.desk.post(f"shifts/{shift['id']}/attendance", listed), 200)
    assert await used(bank, since, site_id=UUID(place["id"])) == [(3, 2, 1)]
    assert await used(bank, since) == [(3, 2, 1), (2, 0, 0)]
    assert await used(bank, bank.clock.moment) == []


async def used(bank: Bank, since: datetime, *, site_id: UUID | None = None) -> list[tuple[int, int, int]]:
    """How pitches were used since a moment."""
    before = since + dt.timedelta(days=1)
    async with bank.database.read(bank.number) as session:
        found = await use_of_pitches(session, bank.number, since, before, site_id=site_id)
    return [(one.offered, one.taken, one.attended) for one in found]


async def test_complaints_about_the_place_are_counted_in_as_long_a_time_before_it_opened_as_since(bank: Bank) -> None:
    place = await site(bank.manager, place="祁连路口")
    # Four days before the opening is too long before: it counts as long as since, which is not three days.
    for days, about in ((0, "祁连路口"), (2, "祁连路口"), (1, "祁连路口"), (0, "别处")):
        bank.clock.move(days=days)
        await need(bank.desk, place=about)
    bank.clock.move(days=1)
    assert await complaints(bank, place) is None
    await evening(bank.manager, place, bank.clock.moment + dt.timedelta(hours=2))
    assert await complaints(bank, place) is None
    bank.clock.move(days=3)
    await need(bank.desk, place="祁连路口")
    bank.clock.move(hours=1)
    assert await complaints(bank, place) == (2, 1)


async def complaints(bank: Bank, place: dict[str, Any]) -> tuple[int, int] | None:
    """The complaints about a site's place before and after it opened, once it has."""
    async with bank.database.read(bank.number) as session:
        found = await complaints_around(session, await get_site(session, bank.number, UUID(place["id"])))
    return found and (found.before, found.after)


async def test_who_is_barred_by_the_draw_gets_no_pitch_though_they_applied_before(bank: Bank) -> None:
    place, who = await site(bank.manager), await vendor(bank)
    shift = await evening(bank.manager, place, bank.clock.moment + dt.timedelta(days=9))
    early = done(await apply(bank.manager, shift, who), 201)
    for _ in range(2):
        await miss(bank, place, who)
    bank.clock.move(days=8)
    made = await make_draw(bank.manager, shift)
    assert [(lot["participant_id"], lot["rank"], lot["seat"]) for lot in made["lots"]] == [(who["id"], 1, None)]
    # Nor does anybody's coming or going let them move up before it is over.
    other = done(await apply(bank.manager, shift, await vendor(bank)), 201)
    assert other["seat"] == 1
    done(await bank.desk.post(f"signups/{other['id']}/cancellation"), 200)
    assert done(await bank.desk.get(f"signups/{early['id']}"), 200)["status"] == "waitlisted"


async def test_no_pitch_is_added_beside_the_draw(bank: Bank) -> None:
    place = await site(bank.manager)
    added = {"name": "加摊", "participants": "vendor", "capacity": 1}
    refused(await bank.desk.post(f"activities/{place['activity_id']}/positions", added), "invalid-request")
