"""The demo's year, and that every point of those who visit can be followed back to the shift that it was earned in."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from app.demo.service import DemoKeeper
from app.settings import Settings
from tests.conftest import run_cli
from tests.running.test_sealing import proof_of
from tests.running.test_serve import PEPPER

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.running.conftest import Demo, Served

pytestmark = pytest.mark.xdist_group("demo")

PHONES = {
    "李佳儒": "13900000001",
    "张文静": "13900000002",
    "冶晓梅": "13900000003",
    "韩春兰": "13900000004",
    "赵建国": "13900000005",
}

VISIT, CLINIC, EVENING = 18, 45, 24
"""Points of ninety minutes at 12 an hour, of three hours at 15, and of three hours at 8."""


@pytest.fixture(scope="module")
def year(first_start: Demo, tmp_path_factory: pytest.TempPathFactory) -> Demo:
    """A copy for all these tests, which only look."""
    return first_start.copied(tmp_path_factory.mktemp("year"))


@pytest.fixture(scope="module")
def served(year: Demo) -> Iterator[Served]:
    with year.served() as running:
        yield running


def volunteer(served: Served, name: str) -> Any:
    """One of those who are not of the paper."""
    (found,) = served.items("front_desk", f"{served.base}/volunteers", phone=PHONES[name])
    assert found["name"] == name
    return found


def earned(served: Served, name: str) -> dict[str, list[int]]:
    """Somebody's points by kind of activity: from each line of the statement by its record to the shift it was of."""
    base, who = served.base, volunteer(served, name)
    path = f"{base}/volunteers/{who['id']}"
    lines = [line for line in served.items("front_desk", f"{path}/statement") if line["unit"] == "POINT"]
    assert sum(line["amount"] for line in lines) == served.get("front_desk", f"{path}/balance")["points"]
    points: dict[str, list[int]] = {}
    for line in lines:
        record = served.get("front_desk", f"{base}/{line['reference']}")
        assert record["volunteer_id"] == who["id"]
        assert record["transaction_id"] == line["transaction_id"]
        assert record["award"]["points"] == line["amount"]
        shift = served.get("front_desk", f"{base}/shifts/{record['shift_id']}")
        assert shift["starts_at"] == record["started_at"] < line["posted_at"]
        activity = served.get("front_desk", f"{base}/activities/{shift['activity_id']}")
        assert activity["beneficiary_id"] == record["beneficiary_id"]
        points.setdefault(activity["kind"], []).append(line["amount"])
    return points


def test_every_point_of_those_who_visit_leads_to_its_shift(served: Served) -> None:
    visits = served.items("front_desk", f"{served.base}/visits")
    status = {name: sum(visit["status"] == name for visit in visits) for name in ("done", "absent", "refused")}
    skipped = sum(visit["status"] == "skipped" for visit in visits)
    held = 53 - skipped
    assert status == {"done": held - 5, "absent": 3, "refused": 2}
    assert {visit["status"] for visit in visits} <= {*status, "skipped", "due"}
    assert 0 <= skipped <= 2
    (escalation,) = served.items("front_desk", f"{served.base}/visit-escalations")
    assert escalation["status"] == "closed"

    done = held - 5
    assert earned(served, "李佳儒") == {"free_clinic": [CLINIC], "home_visit": [VISIT] * done}
    # Once she did not come.
    assert earned(served, "张文静") == {
        "free_clinic": [CLINIC],
        "home_visit": [VISIT] * (done - 1),
        "tide_stall": [EVENING],
    }


def test_the_city_posts_118_members_of_4_departments_in_31_teams_to_31_communities(served: Served) -> None:
    departments = {one["id"] for one in served.items("city_admin", "/v1/departments")}
    members = served.items("city_admin", "/v1/team-members")
    assert (len(departments), len(members)) == (4, 118)
    assert {one["department_id"] for one in members} == departments
    teams = served.items("city_admin", "/v1/teams")
    postings = [one for team in teams for one in served.items("city_admin", f"/v1/teams/{team['id']}/postings")]
    of_teams = [
        one["member_id"] for team in teams for one in served.items("city_admin", f"/v1/teams/{team['id']}/members")
    ]
    communities = {one["id"] for one in served.items("city_admin", "/v1/communities")}
    assert sorted(of_teams) == sorted(one["id"] for one in members)
    assert len(teams) == len(postings) == len(communities) == 31
    assert {one["community_id"] for one in postings} == communities
    assert len(served.items("manager", f"{served.base}/teams")) == 1


def test_one_clinic_was_held_and_the_pitches_of_one_evening_were_drawn(served: Served) -> None:
    base = served.base
    (clinic,) = served.items("front_desk", f"{base}/clinics")
    (held,) = served.get("front_desk", f"{base}/clinics/{clinic['activity']['id']}")["shifts"]
    assert held["head_count"]["counts"]["served"] == 58

    (site,) = served.items("front_desk", f"{base}/sites")
    shifts = served.items("front_desk", f"{base}/shifts", activity_id=site["activity_id"])
    draws = [served.get("front_desk", f"{base}/shifts/{shift['id']}/draw") for shift in shifts]
    (drawn,) = [one for one in draws if one["applicants"]]
    assert (len(drawn["applicants"]), len(drawn["lots"])) == (10, 10)
    assert sorted(lot["seat"] for lot in drawn["lots"] if lot["seat"]) == list(range(1, 9))
    attendance = served.items("front_desk", f"{base}/shifts/{drawn['shift_id']}/attendance")
    came: dict[str, list[str]] = {"vendor": [], "member": []}
    for line in attendance:
        came[line["participants"]].append(line["outcome"])
        assert line["service_record_id"] is None
    assert sorted(came["vendor"]) == ["absent", *["attended"] * 7]
    assert came["member"] == ["attended"] * 2
    assert earned(served, "赵建国") == {"tide_stall": [EVENING]}

    needs = served.items("front_desk", f"{base}/needs")
    assert {one["status"]: one["telling"] is not None for one in needs} == {
        "planned": True,
        "answered": True,
        "open": False,
    }


def test_the_paper_is_imported_as_ever_and_the_whole_ledger_is_sealed_and_agrees(year: Demo, served: Served) -> None:
    expected = json.loads((DemoKeeper(Settings()).data / "expected.json").read_text(encoding="utf-8"))
    base = served.base
    held = {one["account"]: one["balance"] for one in served.items("auditor", f"{base}/ledger/accounts")}
    walked = [served.get("front_desk", f"{base}/volunteers/{volunteer(served, name)['id']}/balance") for name in PHONES]
    assert -held["community/minutes_given"] == expected["minutes"] + sum(one["minutes"] for one in walked)
    assert -held["community/points_issued"] == expected["points_issued"] + sum(one["points"] for one in walked)
    assert held["community/points_redeemed"] == expected["points_redeemed"]
    there = served.items("front_desk", f"{base}/volunteers")
    assert len(there) == expected["volunteers"]["created"] + len(PHONES)

    newest = served.get("auditor", f"{base}/ledger/transactions", limit=1)["items"][0]["id"]
    token = served.roles["auditor"]["Authorization"].removeprefix("Bearer ")
    assert proof_of(served.client, f"{base}/ledger/transactions/{newest}/proof", token)
    assert served.client.get("/v1/ledger/checkpoint").raise_for_status().text
    audit = run_cli("audit", LOVEBANK_DATABASE_URL=year.url, **PEPPER)
    assert (audit.returncode, audit.stdout) == (0, ""), audit.stdout + audit.stderr
