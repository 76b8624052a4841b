"""What stands in calendars: shifts with their statuses, nobody's name and nobody's home."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

import icalendar

from app.activities.service import NewActivity, NewPosition, create_activities
from tests.activities.acts import span
from tests.bank import done, refused
from tests.feeds.acts import events, feed, fetched, statuses
from tests.signups.acts import Open, another, cancel, for_people, opened, signed_up
from tests.teams import acts as teams

if TYPE_CHECKING:
    from tests.bank import Bank


async def at_site(bank: Bank, site_id: str) -> dict[str, Any]:
    """An activity at a site, as the feature of sites makes it."""
    new = NewActivity(
        community=bank.number,
        kind="tide_stall",
        service_kind=None,
        name="夜市",
        place="空地",
        content="摆摊",
        organiser="祁连路西社区居委会",
        created_by="test",
        positions=(NewPosition("摊位", 2, participants="vendor"),),
        site_id=UUID(site_id),
    )
    async with bank.database.write(bank.number) as session:
        (made,) = await create_activities(session, [new])
    return {"id": str(made.id)}  # type: ignore[union-attr]


async def test_calendar_of_a_volunteer_shows_each_shift_with_where_one_stands(bank: Bank) -> None:
    who, first = await bank.volunteer(), await bank.volunteer()
    seat = await opened(bank, name="巡逻", place="祁连路, 东口; 北侧")
    await signed_up(bank, seat, who)
    queue = await opened(bank, for_people(capacity=1), start="2026-03-06T09:00")
    await signed_up(bank, queue, first)
    await signed_up(bank, queue, who)
    given_back = await opened(bank, start="2026-03-07T09:00")
    done(await cancel(bank.desk, await signed_up(bank, given_back, who)), 200)
    again = await opened(bank, start="2026-03-08T09:00")
    done(await cancel(bank.desk, await signed_up(bank, again, who)), 200)
    await signed_up(bank, again, who)
    skipped = await opened(bank, start="2026-03-09T09:00")
    await signed_up(bank, skipped, who)
    done(await bank.desk.post(f"shifts/{skipped.id}/skipping", {"reason": "下雪"}), 200)
    await opened(bank, start="2026-03-10T09:00")
    made = await feed(bank.desk, who["id"])
    assert await statuses(bank, made) == {
        seat.id: "CONFIRMED",
        queue.id: "TENTATIVE",
        given_back.id: "CANCELLED",
        again.id: "CONFIRMED",
        skipped.id: "CANCELLED",
    }
    event = (await events(bank, made))[0]
    assert event["UID"] == f"{seat.id}@{bank.database.signer.origin}"
    assert (event["SUMMARY"], event["LOCATION"]) == ("巡逻", "祁连路, 东口; 北侧")
    assert event["SEQUENCE"] == 1
    body = {**span("2026-03-05T18:00", "2026-03-05T19:30"), "place": "南口", "reason": "改期"}
    done(await bank.desk.post(f"shifts/{seat.id}/move", body), 200)
    moved = (await events(bank, made))[0]
    assert (moved["UID"], moved["SEQUENCE"], moved["LOCATION"]) == (event["UID"], 2, "南口")
    assert moved["DTSTART"].to_ical() == b"20260305T100000Z"
    assert moved["DTEND"].to_ical() == b"20260305T113000Z"
    assert moved["DTSTAMP"].to_ical() == b"20260302T040000Z"


async def test_calendar_goes_from_thirty_days_back_to_sixty_ahead(bank: Bank) -> None:
    who = await bank.volunteer()
    first = await opened(bank, start="2026-03-05T09:00")
    await signed_up(bank, first, who)
    # 12:00 on 1 May is sixty days after noon on 2 March.
    within, beyond = [await another(bank, first.activity, f"2026-05-01T{hour}") for hour in ("11:59", "12:00")]
    other = await bank.volunteer()
    await signed_up(bank, within, who)
    await signed_up(bank, beyond, other)
    made, made_other = await feed(bank.desk, who["id"]), await feed(bank.desk, other["id"])
    assert set(await statuses(bank, made)) == {first.id, within.id}
    assert await statuses(bank, made_other) == {}
    bank.clock.move(hours=1)
    assert set(await statuses(bank, made_other)) == {beyond.id}
    bank.clock.moment = bank.clock.moment.replace(month=4, day=4, hour=1, minute=0)
    assert set(await statuses(bank, made)) == {first.id, within.id}
    bank.clock.move(seconds=1)
    assert set(await statuses(bank, made)) == {within.id}


async def test_calendar_is_written_as_rfc_5545_has_it(bank: Bank) -> None:
    who = await bank.volunteer(name="张文静")
    place = "城北区朝阳街道祁连路西社区党群服务中心二楼大会议室, 门口; 左手 \\ 边" * 2
    await signed_up(bank, await opened(bank, name="消防演练", place=place), who)
    answer = await fetched(bank, await feed(bank.desk, who["id"]))
    assert answer.headers["content-type"] == "text/calendar; charset=utf-8"
    lines = answer.content.split(b"\r\n")
    assert (lines[0], lines[-2:]) == (b"BEGIN:VCALENDAR", [b"END:VCALENDAR", b""])
    assert max(map(len, lines)) <= 75
    assert not any(b"\n" in line or b"\r" in line for line in lines)
    # No character is cut: each line is UTF-8 by itself.
    assert [line.decode() for line in lines]
    unfolded = answer.content.replace(b"\r\n ", b"").decode().split("\r\n")
    escaped = place.replace("\\", "\\\\").replace(",", "\\,").replace(";", "\\;")
    for line in (
        "VERSION:2.0",
        "METHOD:PUBLISH",
        "REFRESH-INTERVAL;VALUE=DURATION:PT1H",
        "X-PUBLISHED-TTL:PT1H",
        "DTSTART:20260305T010000Z",
        "DTEND:20260305T030000Z",
        "DTSTAMP:20260302T040000Z",
        "STATUS:CONFIRMED",
        f"LOCATION:{escaped}",
    ):
        assert line in unfolded, line
    assert "张文静" not in answer.text
    (event,) = icalendar.Calendar.from_ical(answer.content).walk("VEVENT")
    assert event["LOCATION"] == place


async def test_names_bring_no_lines_of_their_own_into_a_calendar(bank: Bank) -> None:
    evil = "祁连路西; 社区, \\n\nX-EVIL:1\u2028X-EVIL:2"
    await bank.open_community(name=evil)
    who = await bank.volunteer()
    await signed_up(bank, await opened(bank, name=evil, place=evil), who)
    made = await feed(bank.desk, who["id"])
    (event,) = await events(bank, made)
    assert (event["SUMMARY"], event["LOCATION"]) == (evil, evil)
    unfolded = (await fetched(bank, made)).content.replace(b"\r\n ", b"").decode().split("\r\n")
    escaped = evil.replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,").replace("\n", "\\n")
    assert [line for line in unfolded if "NAME:" in line] == [
        f"NAME:{escaped} 我的班次",
        f"X-WR-CALNAME:{escaped} 我的班次",
    ]


async def test_calendar_does_not_tell_whose_home_is_visited(bank: Bank) -> None:
    who = await bank.volunteer()
    visit = await opened(bank, kind="home_visit", name="探访邓阿姨", place="祁连家园 3 号楼 201")
    await signed_up(bank, visit, who)
    made = await feed(bank.desk, who["id"])
    (event,) = await events(bank, made)
    assert event["SUMMARY"] == "入户探访"
    assert "LOCATION" not in event
    text = (await fetched(bank, made)).text
    assert [word for word in ("邓", "祁连家园", "201") if word in text.replace("20260", "")] == []


async def test_calendar_of_a_team_shows_what_its_members_do_here_while_they_are_on_it(bank: Bank) -> None:
    stays, leaves, stranger = [await teams.member(bank) for _ in range(3)]
    of_these, other = await teams.team(bank, stays, leaves), await teams.team(bank, stranger)
    for one in (of_these, other):
        await teams.post(bank, one)
    path = f"/v1/teams/{of_these['id']}/members/{leaves['id']}/ending"
    both = await opened(bank, for_people(participants="member", capacity=4), name="值守", kind="team_duty")
    late = await another(bank, both.activity, "2026-03-08T09:00")
    of_other = await another(bank, both.activity, "2026-03-09T09:00")
    await signed_up(bank, both, stays)
    await signed_up(bank, both, leaves)
    await signed_up(bank, late, leaves)
    await signed_up(bank, of_other, stranger)
    made = await feed(bank.desk, of_these["id"], "team")
    assert await statuses(bank, made) == {both.id: "CONFIRMED", late.id: "CONFIRMED"}
    done(await bank.city.post(path, {"last_day": "2026-03-07"}), 200)
    assert await statuses(bank, made) == {both.id: "CONFIRMED"}
    assert await statuses(bank, await feed(bank.desk, other["id"], "team")) == {of_other.id: "CONFIRMED"}


async def test_team_that_is_posted_elsewhere_has_no_feed_here(bank: Bank) -> None:
    away = await teams.team(bank, await teams.member(bank))
    await teams.post(bank, away)
    await bank.open_community()
    body = {"subject": "team", "subject_id": away["id"]}
    refused(await bank.desk.post("calendar-feeds", body), "unknown-subject", status=422, **body)


async def test_calendar_of_a_site_shows_the_shifts_of_its_activities(bank: Bank) -> None:
    site_id = str(uuid4())
    body = {"subject": "site", "subject_id": site_id}
    refused(await bank.desk.post("calendar-feeds", body), "unknown-subject", **body)
    activity = await at_site(bank, site_id)
    held: Open = await another(bank, activity, "2026-03-05T18:00")
    skipped = await another(bank, await at_site(bank, site_id), "2026-03-06T18:00")
    await another(bank, await at_site(bank, str(uuid4())), "2026-03-07T18:00")
    done(await bank.desk.post(f"shifts/{skipped.id}/skipping", {"reason": "下雪"}), 200)
    made = await feed(bank.desk, site_id, "site")
    assert await statuses(bank, made) == {held.id: "CONFIRMED", skipped.id: "CANCELLED"}
    assert (await events(bank, made))[0]["SUMMARY"] == "夜市"
