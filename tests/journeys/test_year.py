"""A year of 邓阿姨, who is 86 and lives alone: 李佳儒 and 张文静 visit her on Tuesdays, and every point is followed.

All figures here were worked out by hand. An ordinary visit is 90 minutes for each of the pair, at 10 points an hour 15
points each. At most 120 minutes of a visit earn points; parts of points are not given.

    52 Tuesdays from 3 March 2026 to 23 February 2027, of which one is skipped: 51 visits.
    In vain: 30 June and 7 July running, which escalates once, and 22 September by itself; refused on 7 April.
    Done: 51 - 3 - 1 = 47, all with 李佳儒, 46 with 张文静, who did not come on 5 May.

                        李佳儒 minutes  points   张文静 minutes  points
    ordinary visits     47 x 90 = 4230  705       46 x 90 = 4140  690
    2 June by code      100      + 10   16   + 1   80      - 10   13   - 2
    8 Sept. for long    150      + 60   20   + 5  150      + 60   20   + 5
    8 Dec. with a break  60      - 30   10   - 5   60      - 30   10   - 5
                                 4270       706            4160       688
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from typing import TYPE_CHECKING, Any

from app.reports.service import audit_community
from tests.bank import done
from tests.journeys.year import WEEKS, Week, Year

if TYPE_CHECKING:
    from app.settings import Settings
    from tests.bank import Api, Bank

ORDINARY = Week()
SPECIAL = {
    6: Week("refused"),
    10: Week(only_first=True),
    14: Week(by_code=True),
    18: Week("absent"),
    19: Week("absent"),
    24: Week(told_after_days=2),
    28: Week(span=("14:30", "17:00")),
    30: Week("absent"),
    32: Week(moved_to=(dt.date(2026, 10, 8), "10:00", "11:30")),
    41: Week(break_minutes=30),
    50: Week(is_skipped=True),
}
"""The weeks that are like no other; the sixth has 7 April, the fiftieth 9 February, three days after New Year's Day."""

MINUTES, POINTS = (4270, 4160), (706, 688)
SPENT = (120, 0)
"""李佳儒 takes a quilt in August."""

VISITS = {"done": 47, "absent": 3, "refused": 1, "skipped": 1 + 8}
"""Shifts are made eight weeks ahead, so that eight are skipped when the plan ends."""

MONTHS = (
    ("2026-03", 5, 0, 0, 10, 900, 150),
    ("2026-04", 3, 0, 1, 6, 540, 90),
    ("2026-05", 4, 0, 0, 7, 630, 105),
    ("2026-06", 4, 1, 0, 8, 720, 119),
    ("2026-07", 3, 1, 0, 6, 540, 90),
    ("2026-08", 4, 0, 0, 8, 720, 120),
    ("2026-09", 4, 1, 0, 8, 840, 130),
    ("2026-10", 4, 0, 0, 8, 720, 120),
    ("2026-11", 4, 0, 0, 8, 720, 120),
    ("2026-12", 5, 0, 0, 10, 840, 140),
    ("2027-01", 4, 0, 0, 8, 720, 120),
    ("2027-02", 3, 0, 0, 6, 540, 90),
)
"""Of each month the visits done, in vain and refused, and of both together the service records, minutes and points:
47, 3 and 1 visits, 93 records, 4270 + 4160 = 8430 minutes and 706 + 688 = 1394 points."""

MADE_AHEAD = 8
"""The Tuesdays of the 56 days from any Tuesday on, and from 2 March."""

TOLD = {
    "visit.done": 47,
    "visit.absent": 3,
    "visit.refused": 1,
    "visit.overdue": 1,
    "visit.escalated": 1,
    "escalation.closed": 1,
    "attendance.absent": 1,
    "attendance.submitted": 2 * 51,
    "service_record.approved": 47 + 46,
    "signup.confirmed": 2 * 60,
    "signup.released": 2 * 9,
    "shift.created": 60,
    "shift.skipped": 9,
    "shift.moved": 1,
}
"""How often it happened in the year, by type of event."""


async def test_a_year_of_visits_from_the_plan_to_the_points_and_from_every_point_back(
    bank: Bank, settings: Settings
) -> None:
    await bank.kind(points_per_hour=10, minutes_per_record_max=120)
    quilt = await bank.goods(name="被子", pieces=2, price=SPENT[0])
    year = await Year.begun(bank, settings)
    for number in range(1, WEEKS + 1):
        await year.live(number, SPECIAL.get(number, ORDINARY))
        if number == 19:
            await year.close_escalation()
        if number == 25:
            await take(bank, year.pair[0], quilt)
    # Eight were there before the first; then the worker made one a week, and none a second time.
    assert year.made == [MADE_AHEAD, *range(MADE_AHEAD + 1, MADE_AHEAD + WEEKS + 1)]
    assert len({one["shift_id"] for one in year.visits}) == len({one["starts_at"] for one in year.visits}) == 60
    ending = {"last_day": "2027-02-23", "reason": "邓阿姨搬去和女儿同住"}
    done(await bank.desk.post(f"visit-plans/{year.plan['id']}/ending", ending), 200)
    await year.look()
    assert Counter(one["status"] for one in year.visits) == VISITS
    assert {name: times for name, times in (await events(bank)).items() if name in TOLD} == TOLD
    no_shows = done(await bank.desk.get("no-shows"), 200)["items"]
    assert [(one["participant_id"], one["starts_at"]) for one in no_shows] == [
        (year.pair[1]["id"], "2026-05-05T06:30:00Z")
    ]
    # On 13 August that of the 4th was done, that of the 11th was not told of, and two were to come.
    assert year.while_overdue == [{"month": "2026-08", "due": 2, "done": 1, "absent": 0, "refused": 0, "overdue": 1}]
    await check_reports(bank)
    await check_that_every_point_is_followed_to_the_visit(year)
    async with bank.database.read(bank.number) as session:
        assert await audit_community(session, bank.number) == []


async def take(bank: Bank, volunteer: dict[str, Any], article: dict[str, Any]) -> None:
    """Reserve an article and collect it."""
    reserved = await bank.reserve(volunteer["id"], article["id"])
    path = f"redemptions/{reserved['id']}/collection"
    done(await bank.desk.post(path, {"pickup_code": reserved["pickup_code"]}), 200)


async def events(bank: Bank) -> Counter[str]:
    """How often each type of event happened."""
    seen: Counter[str] = Counter()
    last = 0
    while items := done(await bank.integrator.get("events", after=last, limit=200), 200)["items"]:
        seen.update(one["type"] for one in items)
        last = items[-1]["number"]
    return seen


async def listed(api: Api, path: str) -> list[dict[str, Any]]:
    """Everything in a list, over all its pages."""
    page = done(await api.get(path, limit=200), 200)
    found: list[dict[str, Any]] = page["items"]
    while page["next_cursor"] is not None:
        page = done(await api.get(path, limit=200, cursor=page["next_cursor"]), 200)
        found += page["items"]
    return found


async def check_reports(bank: Bank) -> None:
    """See that the reports of the year say the same, month by month."""
    period = {"from": "2026-03-01", "to": "2027-02-28"}
    hours = done(await bank.auditor.get("reports/service-hours", **period), 200)["rows"]
    assert [(one["month"], one["records"], one["minutes"], one["points"]) for one in hours] == [
        (month, records, minutes, points) for month, _, _, _, records, minutes, points in MONTHS
    ]
    assert {(one["service_kind"], one["volunteers"]) for one in hours} == {("home_visit", 2)}
    visits = done(await bank.auditor.get("reports/visits", **period), 200)["rows"]
    assert visits == [
        {"month": month, "due": 0, "done": made, "absent": in_vain, "refused": unwanted, "overdue": 0}
        for month, made, in_vain, unwanted, *_ in MONTHS
    ]


async def check_that_every_point_is_followed_to_the_visit(year: Year) -> None:
    """From the balance over the statement, the transaction and the service record to the shift of 邓阿姨's plan."""
    bank = year.bank
    transactions = {one["id"]: one for one in await listed(bank.auditor, "ledger/transactions")}
    records = {f"service-records/{one['id']}": one for one in await listed(bank.auditor, "service-records")}
    shifts = {one["id"]: one for one in await listed(bank.auditor, "shifts")}
    activity = done(await bank.auditor.get(f"activities/{year.plan['activity_id']}"), 200)
    assert (activity["kind"], activity["beneficiary_id"]) == ("home_visit", year.person["id"])
    outcomes = {one["shift_id"]: one["status"] for one in year.visits}
    for volunteer, minutes, points, spent in zip(year.pair, MINUTES, POINTS, SPENT, strict=True):
        balance = await bank.balance(volunteer["id"])
        assert (balance["minutes"], balance["points"]) == (minutes, points - spent)
        assert (balance["points_reserved"], balance["points_owed"]) == (0, 0)
        given: Counter[str] = Counter()
        visited: Counter[tuple[str, str]] = Counter()
        for line in await listed(bank.desk, f"volunteers/{volunteer['id']}/statement"):
            reference = transactions[line["transaction_id"]]["reference"]
            if reference not in records:
                assert (line["unit"], line["amount"], reference.partition("/")[0]) == ("POINT", -spent, "redemptions")
                continue
            record = records[reference]
            assert (record["volunteer_id"], record["beneficiary_id"]) == (volunteer["id"], year.person["id"])
            assert line["amount"] == (record["minutes"] if line["unit"] == "MINUTE" else record["award"]["points"])
            assert shifts[record["shift_id"]]["activity_id"] == activity["id"]
            given[line["unit"]] += line["amount"]
            visited[record["shift_id"], line["unit"]] += 1
        assert given == {"MINUTE": minutes, "POINT": points}
        assert set(visited.values()) == {1}
        assert {outcomes[shift_id] for shift_id, _ in visited} == {"done"}
