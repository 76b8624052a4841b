"""Postings: where a team serves when, what a community sees of it, and what other features ask."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

from hypothesis import given
from hypothesis import strategies as st

from app.kernel.heads import CITY
from app.teams.errors import NotPostedHere, UnknownMember
from app.teams.rules import Posting, overlapping
from app.teams.service import known_members
from tests.bank import NOW, done, refused
from tests.teams.acts import join, member, post, team

if TYPE_CHECKING:
    from tests.bank import Api, Bank

DAY = date(2025, 3, 1)
NOBODY = UUID(int=0)
spans = st.tuples(st.integers(0, 12), st.none() | st.integers(0, 5)).map(
    lambda span: (DAY + timedelta(days=span[0]), None if span[1] is None else DAY + timedelta(days=span[0] + span[1]))
)


async def ids(api: Api, **asked: Any) -> list[str]:
    """The teams that a community sees."""
    return [one["id"] for one in done(await api.get("teams", **asked), 200)["items"]]


async def test_team_serves_in_one_community_at_a_time(bank: Bank) -> None:
    made, first = await team(bank), bank.community["id"]
    posting = await post(bank, made, until="2025-12-31")
    assert {name: posting[name] for name in ("community_id", "from", "until", "posted_by")} == {
        "community_id": first,
        "from": "2025-03-01",
        "until": "2025-12-31",
        "posted_by": bank.city.client_id,
    }
    await bank.open_community()
    path = f"/v1/teams/{made['id']}/postings"
    for body in ({"from": "2025-12-31"}, {"from": "2025-01-01"}, {"from": "2025-02-01", "until": "2025-03-01"}):
        answer = await bank.city.post(path, {"community_id": bank.community["id"], **body})
        refused(answer, "already-posted", status=409, posting_id=posting["id"])
    earlier = await post(bank, made, "2025-01-01", until="2025-02-28")
    later = await post(bank, made, "2026-01-01")
    assert done(await bank.city.get(path), 200)["items"] == [later, earlier, posting]
    ending = f"{path}/{later['id']}/ending"
    refused(await bank.city.post(ending, {"last_day": "2025-12-31"}), "invalid-request")
    assert done(await bank.city.post(ending, {"last_day": "2026-03-01"}), 200) == {**later, "until": "2026-03-01"}
    refused(await bank.city.post(ending, {"last_day": "2026-03-01"}), "already-ended", status=409)
    assert done(await bank.city.post(ending, {"last_day": "2026-02-01"}), 200)["until"] == "2026-02-01"
    elsewhere = await team(bank)
    other = f"/v1/teams/{elsewhere['id']}/postings/{posting['id']}/ending"
    refused(await bank.city.post(other, {"last_day": "2025-06-01"}), "not-found")


async def test_postings_to_nowhere_of_nothing_or_backwards_are_refused(bank: Bank) -> None:
    nobody = str(uuid4())
    made = await team(bank)
    path = f"/v1/teams/{made['id']}/postings"
    refused(await bank.city.post(path, {"community_id": nobody, "from": "2025-03-01"}), "unknown-community", status=422)
    body = {"community_id": bank.community["id"], "from": "2025-03-01"}
    refused(await bank.city.post(f"/v1/teams/{nobody}/postings", body), "not-found")
    refused(await bank.city.post(path, {**body, "until": "2025-02-28"}), "invalid-request")
    refused(await bank.city.post(f"{path}/{nobody}/ending", {"last_day": "2025-03-01"}), "not-found")


async def test_community_sees_the_teams_and_members_of_a_day_and_no_others(bank: Bank) -> None:
    who, gone = await member(bank, "马建国"), await member(bank, "王芳")
    made = await team(bank, who, gone)
    leave = f"/v1/teams/{made['id']}/members/{gone['id']}/ending"
    done(await bank.city.post(leave, {"last_day": "2025-12-31"}), 200)
    await post(bank, made, until="2026-03-02")
    here = bank.desk
    assert await ids(here) == [made["id"]]
    assert await ids(here, day="2026-03-03") == []
    assert await ids(here, day="2025-02-28") == []
    (today,) = done(await here.get(f"teams/{made['id']}/members"), 200)["items"]
    assert (today["member_id"], today["name"]) == (who["id"], "马建国")
    then = done(await here.get(f"teams/{made['id']}/members", day="2025-12-31"), 200)["items"]
    assert [one["name"] for one in then] == ["王芳", "马建国"]
    refused(await here.get(f"teams/{made['id']}/members", day="2026-03-03"), "not-found")
    # Monday noon by the clock, and Tuesday by the community's calendar twelve hours later.
    bank.clock.move(hours=12, minutes=1)
    assert await ids(here) == []
    bank.clock.moment = NOW
    await bank.open_community()
    assert await ids(bank.desk) == []
    refused(await bank.desk.get(f"teams/{made['id']}/members"), "not-found")


async def test_names_of_members_are_for_those_who_need_them(bank: Bank) -> None:
    who = await member(bank, "哈斯其木格")
    made = await team(bank, who)
    await post(bank, made)
    expected = {
        bank.manager: "哈斯其木格",
        bank.desk: "哈斯其木格",
        bank.verifier: "哈斯其木格",
        bank.auditor: "哈**",
        bank.integrator: "哈**",
    }
    for api, name in expected.items():
        (shown,) = done(await api.get(f"teams/{made['id']}/members"), 200)["items"]
        assert shown["name"] == name
    done(await bank.city.post(f"/v1/team-members/{who['id']}/erasure"), 200)
    for api in expected:
        assert done(await api.get(f"teams/{made['id']}/members"), 200)["items"][0]["name"] is None


async def test_members_who_serve_here_on_a_day_are_known_and_the_others_refused_with_a_reason(bank: Bank) -> None:
    here = bank.number
    who, elsewhere, nowhere, erased = [UUID((await member(bank))["id"]) for _ in range(4)]
    made, other = await team(bank), await team(bank)
    await join(bank, made, {"id": str(who)})
    await join(bank, made, {"id": str(erased)})
    await join(bank, other, {"id": str(elsewhere)})
    await post(bank, made, until="2025-12-31")
    done(await bank.city.post(f"/v1/team-members/{erased}/erasure"), 200)
    await bank.open_community()
    await post(bank, other)
    await post(bank, made, "2026-01-01")
    there, before, after = bank.number, date(2025, 12, 31), date(2026, 1, 1)
    asked = {
        (here, who, before): None,
        (here, who, after): NotPostedHere(member_id=who, day=after),
        (there, who, before): NotPostedHere(member_id=who, day=before),
        (there, who, after): None,
        (there, elsewhere, after): None,
        (here, elsewhere, after): NotPostedHere(member_id=elsewhere, day=after),
        (here, nowhere, before): NotPostedHere(member_id=nowhere, day=before),
        (here, erased, before): UnknownMember(member_id=erased),
        (here, NOBODY, before): UnknownMember(member_id=NOBODY),
    }
    async with bank.database.read(here, CITY) as session:
        assert await known_members(session, list(asked)) == asked
        assert await known_members(session, []) == {}
    assert {refusal.code for refusal in asked.values() if refusal} == {"not-posted-here", "unknown-member"}
    # A command of the community that looks at the city's rows besides.
    async with bank.database.write(there, seen=[CITY]) as session:
        assert await known_members(session, [(there, who, after)]) == {(there, who, after): None}


@given(spans, spans)
def test_two_spans_overlap_if_and_only_if_they_share_a_day(
    one: tuple[date, date | None], other: tuple[date, date | None]
) -> None:
    def covered(first: date, last: date | None) -> set[int]:
        return set(range(first.toordinal(), (last or DAY + timedelta(days=30)).toordinal() + 1))

    posting = Posting(NOBODY, 0, NOBODY, 1, NOBODY, *one, "x", NOW)
    assert (overlapping([posting], *other) is posting) == bool(covered(*one) & covered(*other))
