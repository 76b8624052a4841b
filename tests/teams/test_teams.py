"""Departments, members and teams of the city: made, put together, leaving, erased."""

from __future__ import annotations

import json
from contextlib import closing
from datetime import date
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

import sqlalchemy as sa

from app.kernel.events import events
from app.kernel.heads import CITY
from app.teams.members import NewMember, NewMembership, add_members, register_members
from app.teams.postings import NewPosting, post_teams
from app.teams.service import NewNamed, create_departments, create_teams
from tests.bank import done, refused
from tests.conftest import run_cli
from tests.contract.stored import everything_stored
from tests.teams.acts import department, join, member, team
from tests.volunteers.test_erasure import pepper_of, restored_copy

if TYPE_CHECKING:
    from pathlib import Path

    from app.settings import Settings
    from tests.bank import Bank


async def of_the_city(bank: Bank) -> list[tuple[str, Any]]:
    """What happened in the city: types and ids."""
    async with bank.database.read(CITY) as session:
        found = await session.execute(
            sa.select(events.c.type, events.c.data).where(events.c.community_id == CITY).order_by(events.c.number)
        )
        return [(row[0], row[1]) for row in found]


async def test_city_makes_departments_members_and_teams_and_announces_them_by_ids(bank: Bank) -> None:
    before = len(await of_the_city(bank))
    answer = await bank.city.post("/v1/departments", {"code": "police", "name": "城北区公安分局"})
    police = done(answer, 201)
    assert answer.headers["location"] == f"/v1/departments/{police['id']}"
    who = await member(bank, department_id=police["id"])
    assert done(await bank.city.get(f"/v1/team-members/{who['id']}"), 200) == who
    assert (who["name"], who["left_on"], who["erased_at"]) == ("马建国", None, None)
    made = await team(bank)
    assert done(await bank.city.get(f"/v1/teams/{made['id']}"), 200) == made
    time = await join(bank, made, who)
    assert time == {
        "team_id": made["id"],
        "member_id": who["id"],
        "department_id": police["id"],
        "name": "马建国",
        "from": "2025-03-01",
        "until": None,
    }
    assert done(await bank.city.get(f"/v1/teams/{made['id']}/members"), 200)["items"] == [time]
    assert done(await bank.city.get("/v1/departments"), 200)["items"][0] == police
    assert done(await bank.city.get("/v1/teams"), 200)["items"] == [made]
    assert (await of_the_city(bank))[before:] == [
        ("department.created", {"department_id": police["id"]}),
        ("member.registered", {"member_id": who["id"]}),
        ("team.created", {"team_id": made["id"]}),
        ("team_membership.began", {"team_id": made["id"], "member_id": who["id"]}),
    ]


async def test_codes_are_taken_once_and_unknown_things_refused(bank: Bank) -> None:
    for path in ("departments", "teams"):
        done(await bank.city.post(f"/v1/{path}", {"code": "one", "name": "甲"}), 201)
        refused(await bank.city.post(f"/v1/{path}", {"code": "one", "name": "乙"}), "already-exists", resource="one")
    nobody = str(uuid4())
    body = {"name": "马建国", "department_id": nobody, "joined_on": "2025-03-01"}
    refused(await bank.city.post("/v1/team-members", body), "unknown-department", status=422, department_id=nobody)
    made, who = await team(bank), await member(bank)
    path = f"/v1/teams/{made['id']}/members"
    refused(await bank.city.post(path, {"member_id": nobody, "from": "2025-03-01"}), "unknown-member", status=422)
    refused(await bank.city.post(path, {"member_id": who["id"], "from": "2025-02-28"}), "invalid-request")
    body = {"member_id": who["id"], "from": "2025-03-01"}
    refused(await bank.city.post(f"/v1/teams/{nobody}/members", body), "not-found")
    refused(await bank.city.post(f"{path}/{who['id']}/ending", {"last_day": "2025-03-01"}), "not-found")
    for what in (f"teams/{nobody}", f"team-members/{nobody}", f"teams/{nobody}/members", f"teams/{nobody}/postings"):
        refused(await bank.city.get(f"/v1/{what}"), "not-found")
    leaving = f"/v1/team-members/{nobody}/leaving"
    refused(await bank.city.post(leaving, {"last_day": "2025-03-01"}), "not-found")
    refused(await bank.city.post(f"/v1/team-members/{nobody}/erasure"), "not-found")


async def test_member_serves_on_one_team_at_a_time_and_changes_by_ending_the_one_before(bank: Bank) -> None:
    who, one, other = await member(bank), await team(bank), await team(bank)
    await join(bank, one, who)
    body = {"member_id": who["id"], "from": "2026-01-01"}
    refused(await bank.city.post(f"/v1/teams/{other['id']}/members", body), "already-in-team", team_id=one["id"])
    ending = f"/v1/teams/{one['id']}/members/{who['id']}/ending"
    refused(await bank.city.post(ending, {"last_day": "2025-02-28"}), "invalid-request")
    assert done(await bank.city.post(ending, {"last_day": "2025-12-31"}), 200)["until"] == "2025-12-31"
    refused(await bank.city.post(ending, {"last_day": "2026-02-01"}), "already-ended", ends_on="2025-12-31")
    last = {"member_id": who["id"], "from": "2025-12-31"}
    refused(await bank.city.post(f"/v1/teams/{other['id']}/members", last), "already-in-team")
    assert (await join(bank, other, who, "2026-01-01"))["from"] == "2026-01-01"
    # Back again: the newest time on a team is the one that ends.
    done(await bank.city.post(f"/v1/teams/{other['id']}/members/{who['id']}/ending", {"last_day": "2026-01-31"}), 200)
    await join(bank, one, who, "2026-02-01")
    assert done(await bank.city.post(ending, {"last_day": "2026-02-02"}), 200)["from"] == "2026-02-01"


async def test_who_leaves_is_on_no_team_after_the_last_day(bank: Bank) -> None:
    who = await member(bank)
    made = await team(bank, who)
    leaving = f"/v1/team-members/{who['id']}/leaving"
    refused(await bank.city.post(leaving, {"last_day": "2025-02-01"}), "invalid-request")
    left = done(await bank.city.post(leaving, {"last_day": "2026-02-28"}), 200)
    assert left == {**who, "left_on": "2026-02-28"}
    (time,) = done(await bank.city.get(f"/v1/teams/{made['id']}/members"), 200)["items"]
    assert time["until"] == "2026-02-28"
    refused(await bank.city.post(leaving, {"last_day": "2026-03-01"}), "already-ended", ends_on="2026-02-28")
    body = {"member_id": who["id"], "from": "2026-03-01"}
    refused(await bank.city.post(f"/v1/teams/{made['id']}/members", body), "already-ended")
    # Within what is left of the service there may be another time on a team, up to its end.
    done(await bank.city.post(f"/v1/teams/{made['id']}/members/{who['id']}/ending", {"last_day": "2026-01-31"}), 200)
    assert (await join(bank, await team(bank), who, "2026-02-01"))["until"] == "2026-02-28"
    # A time on a team that begins later has to be thought about first.
    problem = refused(await bank.city.post(leaving, {"last_day": "2026-01-31"}), "invalid-request")
    assert [error["pointer"] for error in problem["errors"]] == ["/last_day"]


async def test_erased_member_has_no_name_anywhere_and_the_service_stays(bank: Bank, settings: Settings) -> None:
    who, staying = await member(bank, "哈斯其木格"), await member(bank, "马建国")
    made = await team(bank, who, staying)
    path = f"/v1/team-members/{who['id']}"
    erased = done(await bank.city.post(f"{path}/erasure"), 200)
    assert (erased["name"], erased["erased_at"] is None) == (None, False)
    assert "哈斯其木格" not in everything_stored(settings)
    for what in (f"{path}/erasure", f"{path}/leaving"):
        body = {"last_day": "2026-03-01"} if what.endswith("leaving") else {}
        refused(await bank.city.post(what, body), "member-erased")
    refused(await bank.city.get(path), "member-erased", status=410)
    body = {"member_id": who["id"], "from": "2026-03-01"}
    refused(await bank.city.post(f"/v1/teams/{made['id']}/members", body), "unknown-member")
    times = done(await bank.city.get(f"/v1/teams/{made['id']}/members"), 200)["items"]
    assert [(one["member_id"], one["name"]) for one in times] == [(staying["id"], "马建国"), (who["id"], None)]
    assert [one["id"] for one in done(await bank.city.get("/v1/team-members"), 200)["items"]] == [staying["id"]]
    ending = f"/v1/teams/{made['id']}/members/{who['id']}/ending"
    assert done(await bank.city.post(ending, {"last_day": "2026-03-01"}), 200)["name"] is None


async def test_restored_backup_forgets_a_member_by_the_log_of_erasures(
    bank: Bank, settings: Settings, tmp_path: Path
) -> None:
    who = await member(bank, "哈斯其木格")
    with closing(restored_copy(settings, tmp_path / "backup.sql")) as restoring:
        restored_url = next(restoring)
        done(await bank.city.post(f"/v1/team-members/{who['id']}/erasure", {"reason": "本人申请"}), 200)
        log = tmp_path / "erasures.jsonl"
        exported = run_cli("erasures", "export", str(log), LOVEBANK_DATABASE_URL=settings.database_url)
        assert exported.returncode == 0, exported.stderr
        (line,) = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
        assert (line["member_id"], line["community_id"]) == (who["id"], str(UUID(int=0)))
        assert (line["reason"], line["erased_by"]) == ("本人申请", bank.city.client_id)
        environment = {"LOVEBANK_DATABASE_URL": restored_url, "LOVEBANK_SECRET_PEPPER": pepper_of(settings)}
        for again in (1, 0):
            replayed = run_cli("erasures", "replay", str(log), **environment)
            assert (replayed.returncode, replayed.stderr) == (0, "")
            assert replayed.stdout.startswith(f"{again} of 1 erased again")
        stored = everything_stored(settings.model_copy(update={"database_url": restored_url}))
        assert stored.count("person_erasures: ") == 1
        assert stored.count("person_keys: ") == 0


async def test_names_are_stored_sealed_and_answers_repeated_from_what_is_sealed(bank: Bank, settings: Settings) -> None:
    of = await department(bank)
    body = {"name": "哈斯其木格", "department_id": of["id"], "joined_on": "2025-03-01"}
    first = await bank.city.post("/v1/team-members", body, key="k")
    again = await bank.city.post("/v1/team-members", body, key="k")
    assert again.content == first.content
    assert again.headers["idempotency-replayed"] == "true"
    assert "哈斯其木格" not in everything_stored(settings)
    done(await bank.city.post(f"/v1/team-members/{first.json()['id']}/erasure"), 200)
    refused(await bank.city.post("/v1/team-members", body, key="k"), "idempotency-answer-erased")


async def test_members_are_listed_by_department(bank: Bank) -> None:
    one, other = await member(bank), await member(bank)
    page = done(await bank.city.get("/v1/team-members", department_id=other["department_id"]), 200)
    assert page["items"] == [other]
    assert done(await bank.city.get("/v1/team-members"), 200)["items"] == [other, one]


async def test_hundreds_are_made_in_one_go(bank: Bank) -> None:
    community_id = UUID(bank.community["id"])
    async with bank.database.write(CITY) as session:
        (police, refusal) = await create_departments(session, [NewNamed("police", "公安"), NewNamed("police", "城管")])
        assert not hasattr(police, "detail")
        assert hasattr(refusal, "code")
        found: Any = police
        day = date(2025, 3, 1)
        members: list[Any] = await register_members(
            session, [NewMember(f"队员{n}", found.id, day, "demo") for n in range(118)]
        )
        teams: list[Any] = await create_teams(session, [NewNamed(f"t{n}", f"第{n}组团") for n in range(31)])
        on_teams = [NewMembership(teams[n % 31].id, one.id, day, "demo") for n, one in enumerate(members)]
        added: list[Any] = await add_members(session, on_teams)
        posted: list[Any] = await post_teams(
            session, [NewPosting(one.id, community_id, day, None, "demo") for one in teams]
        )
    assert [one.member_id for one in added] == [one.id for one in members]
    assert {one.posted_to for one in posted} == {bank.number}
    page = done(await bank.desk.get("teams", limit=200), 200)["items"]
    assert [one["id"] for one in page] == [str(one.id) for one in reversed(teams)]
    sizes = [len(done(await bank.desk.get(f"teams/{one['id']}/members"), 200)["items"]) for one in page[:3]]
    assert sizes == [3, 3, 3]
