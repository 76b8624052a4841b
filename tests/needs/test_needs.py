"""Needs are filed for somebody or for nobody, become activities or are answered, and whoever asked is told."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

import pytest

from app.needs.service import NewNeed, complaints_by_place, file_needs
from app.volunteers.errors import UnknownVolunteer
from tests.activities.acts import activity
from tests.bank import NOW, done, refused
from tests.beneficiaries.acts import beneficiary
from tests.contract.stored import everything_stored
from tests.needs.acts import PERSON, TEXT, answer, asked, need

if TYPE_CHECKING:
    from app.settings import Settings
    from tests.bank import Bank

on_one_engine = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


async def ids(bank: Bank, **query: Any) -> list[str]:
    """The needs that a list has, newest first."""
    return [one["id"] for one in done(await bank.desk.get("needs", **query), 200)["items"]]


async def types(bank: Bank) -> list[str]:
    """What happened to needs."""
    events = done(await bank.auditor.get("events", limit=200), 200)["items"]
    return [event["type"] for event in events if event["type"].startswith("need.")]


async def test_complaint_is_answered_and_whoever_asked_is_told(bank: Bank, settings: Settings) -> None:
    made = await need(bank.desk)
    assert made == {
        "id": made["id"],
        **asked(person=PERSON),
        "anonymous": False,
        "volunteer_id": None,
        "beneficiary_id": None,
        "filed_by": bank.desk.client_id,
        "filed_at": "2026-03-02T04:00:00Z",
        "status": "open",
        "decision": None,
        "telling": None,
    }
    path = f"needs/{made['id']}"
    refused(await bank.desk.post(f"{path}/telling", {"channel": "phone"}), "need-not-decided", need_status="open")
    answered = await answer(bank.desk, made)
    decision = {
        "status": "answered",
        "decided_by": bank.desk.client_id,
        "decided_at": "2026-03-02T04:00:00Z",
        "activity_id": None,
        "reason": "晚上十点收摊",
    }
    assert answered == {**made, "status": "answered", "decision": decision}
    assert await ids(bank, untold=True) == [made["id"]]
    told = done(await bank.manager.post(f"{path}/telling", {"channel": "visit"}), 200)
    telling = {"told_by": bank.manager.client_id, "told_at": "2026-03-02T04:00:00Z", "channel": "visit"}
    assert told == {**answered, "telling": telling}
    assert done(await bank.desk.get(path), 200) == told
    assert (await ids(bank, untold=True), await ids(bank, untold=False)) == ([], [made["id"]])
    refused(await bank.desk.post(f"{path}/telling", {"channel": "phone"}), "already-told", status=409)
    for what, body in (("answer", {"reason": "又"}), ("withdrawal", {})):
        refused(await bank.desk.post(f"{path}/{what}", body), "need-not-open", need_status="answered")
    assert await types(bank) == ["need.filed", "need.answered", "need.told"]
    stored = everything_stored(settings)
    assert [word for word in (*PERSON.values(), TEXT, "晚上十点收摊") if word in stored] == []


async def test_one_activity_meets_several_needs(bank: Bank) -> None:
    await bank.kind()
    met = await activity(bank, service_kind="home_visit")
    ended = await activity(bank, service_kind="home_visit")
    done(await bank.desk.post(f"activities/{ended['id']}/ending", {"reason": "人手不够"}), 200)
    needs = [await need(bank.desk, kind="need", category="haircut") for _ in range(3)]
    first = f"needs/{needs[0]['id']}"
    refused(await bank.desk.post(f"{first}/plan", {"activity_id": str(uuid4())}), "unknown-activity", status=422)
    refused(await bank.desk.post(f"{first}/plan", {"activity_id": ended["id"]}), "activity-ended")
    for one in needs[:2]:
        planned = done(await bank.desk.post(f"needs/{one['id']}/plan", {"activity_id": met["id"]}), 200)
        assert (planned["status"], planned["decision"]["activity_id"]) == ("planned", met["id"])
    withdrawn = done(await bank.desk.post(f"needs/{needs[2]['id']}/withdrawal", {"reason": "不用了"}), 200)
    assert withdrawn["decision"]["reason"] == "不用了"
    refused(await bank.desk.post(f"needs/{needs[2]['id']}/telling", {"channel": "phone"}), "need-not-decided")
    assert await ids(bank, status="planned", kind="need") == [needs[1]["id"], needs[0]["id"]]
    assert await ids(bank, untold=True) == [needs[1]["id"], needs[0]["id"]]
    assert await types(bank) == [*["need.filed"] * 3, *["need.planned"] * 2, "need.withdrawn"]


async def test_need_without_a_person_leaves_nobody_to_tell(bank: Bank) -> None:
    made = await need(bank.desk, person=None)
    assert (made["anonymous"], made["text"]) == (True, TEXT)
    await answer(bank.desk, made)
    assert await ids(bank, untold=True) == []
    refused(await bank.desk.post(f"needs/{made['id']}/telling", {"channel": "counter"}), "nobody-to-tell", status=409)


async def test_beneficiary_asks_while_being_served(bank: Bank) -> None:
    who = await beneficiary(bank)
    made = await need(bank.desk, person=None, beneficiary_id=who["id"])
    await need(bank.desk)
    assert (made["anonymous"], made["person"], made["beneficiary_id"]) == (False, None, who["id"])
    assert await ids(bank, beneficiary_id=who["id"]) == [made["id"]]
    path = f"beneficiaries/{who['id']}"
    refused(await bank.manager.post(f"needs/{made['id']}/erasure", {}), "person-registered", beneficiary_id=who["id"])
    done(await bank.desk.post(f"{path}/ending", {"reason": "搬走了"}), 200)
    for named in (who["id"], str(uuid4())):
        body = asked(beneficiary_id=named)
        refused(await bank.desk.post("needs", body), "unknown-beneficiary", status=422, beneficiary_id=named)
    refused(await bank.desk.post("needs", asked(beneficiary_id=who["id"], person=PERSON)), "invalid-request")
    done(await bank.manager.post(f"{path}/erasure", {}), 200)
    after = await answer(bank.desk, made)
    assert (after["text"], after["decision"]["reason"]) == (None, None)


async def test_volunteers_file_read_and_withdraw_their_own_alone(bank: Bank) -> None:
    volunteer = await bank.volunteer()
    own, other = await bank.volunteer_api(volunteer["id"]), await bank.volunteer_api((await bank.volunteer())["id"])
    made = done(await own.post("needs", asked(kind="need")), 201)
    assert (made["volunteer_id"], made["anonymous"], made["text"]) == (volunteer["id"], False, TEXT)
    second = done(await own.post("needs", asked()), 201)
    await answer(bank.desk, made)
    read = done(await own.get(f"needs/{made['id']}"), 200)
    assert (read["decision"]["reason"], read["telling"]) == ("晚上十点收摊", None)
    assert await ids(bank, untold=True) == [made["id"]]
    refused(await other.get(f"needs/{made['id']}"), "not-found")
    refused(await other.post(f"needs/{second['id']}/withdrawal", {}), "not-found")
    assert done(await other.get("needs"), 200)["items"] == []
    withdrawn = done(await own.post(f"needs/{second['id']}/withdrawal", {}), 200)
    assert withdrawn["status"] == "withdrawn"
    items = done(await own.get("needs"), 200)["items"]
    assert [(one["id"], one["status"]) for one in items] == [(second["id"], "withdrawn"), (made["id"], "answered")]
    assert [one["id"] for one in done(await own.get("needs", status="answered"), 200)["items"]] == [made["id"]]
    refused(await own.post("needs", asked(person=PERSON)), "invalid-request")
    refused(await bank.manager.post(f"needs/{made['id']}/erasure", {}), "person-registered")
    done(await bank.manager.post(f"volunteers/{volunteer['id']}/erasure", {}), 200)
    refused(await own.post("needs", asked()), "invalid-token")
    gone = NewNeed(bank.number, "need", "haircut", "广场", TEXT, "import", volunteer_id=UUID(volunteer["id"]))
    async with bank.database.write(bank.number) as session:
        assert await file_needs(session, [gone]) == [UnknownVolunteer(volunteer_id=gone.volunteer_id)]
    assert done(await bank.desk.get(f"needs/{made['id']}"), 200)["text"] is None


@on_one_engine
async def test_what_is_personal_is_for_the_desk_alone(bank: Bank) -> None:
    made = await need(bank.desk)
    await answer(bank.desk, made)
    for role, api in {**bank.roles, "city_admin": bank.city}.items():
        url = f"{bank.desk.base}/needs"
        page, (listed,) = done(await api.get(f"{url}/{made['id']}"), 200), done(await api.get(url), 200)["items"]
        seen = role in {"city_admin", "manager", "front_desk"}
        assert page["person"] == (PERSON if seen else None), role
        assert listed["person"] == ({**PERSON, "phone": "136****1111"} if seen else None), role
        for shown in (page, listed):
            texts = (shown["text"], shown["decision"]["reason"])
            assert texts == ((TEXT, "晚上十点收摊") if seen else (None, None)), role


async def test_open_needs_are_counted_by_their_age(bank: Bank) -> None:
    empty = {"under_7_days": 0, "from_7_to_30_days": 0, "over_30_days": 0, "oldest_at": None}
    assert done(await bank.auditor.get("needs/ages"), 200) == empty
    made = []
    for days_later in (1, 23, 1, 6):
        made.append((await need(bank.desk))["id"])
        bank.clock.move(days=days_later)
    await answer(bank.desk, await need(bank.desk))
    expected = {"under_7_days": 1, "from_7_to_30_days": 2, "over_30_days": 1, "oldest_at": "2026-03-02T04:00:00Z"}
    assert done(await bank.auditor.get("needs/ages"), 200) == expected
    assert await ids(bank, open_for_days=30) == [made[1], made[0]]
    assert await ids(bank, open_for_days=0) == made[::-1]


async def test_where_somebody_needs_something_is_known_to_the_desk_alone_and_no_more_once_erased(
    bank: Bank, settings: Settings
) -> None:
    home = "祁连家园 3 号楼 201"
    made = await need(bank.desk, kind="need", place=home)
    complaint = await need(bank.desk)
    for path in ("needs", f"needs/{made['id']}"):
        for api in (bank.auditor, bank.integrator, bank.verifier):
            assert home not in (await api.get(path)).text
        assert home in (await bank.desk.get(path)).text
    assert await ids(bank, place=home) == []
    assert home not in everything_stored(settings)
    for one in (made, complaint):
        done(await bank.manager.post(f"needs/{one['id']}/erasure", {}), 200)
    places = [done(await bank.desk.get(f"needs/{one['id']}"), 200)["place"] for one in (made, complaint)]
    assert places == [None, "祁连路夜市"]


async def test_complaints_are_counted_by_place_within_a_period(bank: Bank) -> None:
    # On days 0, 5, 5, 5 and 9.
    for days_later, fields in ((5, {}), (0, {}), (0, {"place": "广场"}), (4, {"kind": "need"}), (1, {})):
        await need(bank.desk, **fields)
        bank.clock.move(days=days_later)
    gone = await need(bank.desk)
    done(await bank.desk.post(f"needs/{gone['id']}/withdrawal", {}), 200)
    async with bank.database.read(bank.number) as session:
        counts = [
            await complaints_by_place(session, bank.number, NOW + dt.timedelta(begin), NOW + dt.timedelta(end))
            for begin, end in ((0, 5), (5, 30), (-30, 0))
        ]
    assert counts == [{"祁连路夜市": 1}, {"祁连路夜市": 2, "广场": 1}, {}]
    assert len(await ids(bank, place="广场")) == 1


async def test_who_asked_is_erased_on_request(bank: Bank, settings: Settings) -> None:
    made = await need(bank.desk)
    path = f"needs/{made['id']}"
    erased = done(await bank.manager.post(f"{path}/erasure", {"reason": "本人申请"}), 200)
    assert (erased["need_id"], erased["reason"]) == (made["id"], "本人申请")
    refused(await bank.manager.post(f"{path}/erasure", {}), "need-erased", status=409)
    refused(await bank.manager.post(f"needs/{uuid4()}/erasure", {}), "not-found", resource="need")
    after = await answer(bank.desk, made)
    assert (after["text"], after["person"], after["decision"]["reason"]) == (None, None, None)
    assert "晚上十点收摊" not in everything_stored(settings)
    assert (await types(bank))[:2] == ["need.filed", "need.erased"]
