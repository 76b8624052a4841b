"""Qualifications hold from their first to their last day, until somebody revokes them, and what they say is sealed."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

import pytest

from app.qualifications.rules import Holding
from app.qualifications.service import held
from tests.bank import done, refused
from tests.beneficiaries.acts import beneficiary
from tests.contract.stored import everything_stored
from tests.qualifications.acts import qualification
from tests.vendors.acts import vendor

if TYPE_CHECKING:
    from app.settings import Settings
    from tests.bank import Bank

on_one_engine = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
CERTIFICATE = "医师资格证 202363110630105"


async def test_manager_checks_a_qualification_in_and_the_nameless_see_no_certificate(bank: Bank) -> None:
    volunteer = await bank.volunteer()
    made = await qualification(bank, volunteer["id"], certificate=CERTIFICATE, valid_until="2028-12-31")
    assert made == {
        "id": made["id"],
        "volunteer_id": volunteer["id"],
        "code": "doctor",
        "certificate": CERTIFICATE,
        "valid_from": "2024-01-01",
        "valid_until": "2028-12-31",
        "checked_by": bank.manager.client_id,
        "checked_at": "2026-03-02T04:00:00Z",
        "revocation": None,
    }
    path = f"volunteers/{volunteer['id']}/qualifications"
    for api, certificate in ((bank.desk, CERTIFICATE), (bank.auditor, None), (bank.integrator, None)):
        for listed in (path, "qualifications"):
            (item,) = done(await api.get(listed), 200)["items"]
            assert item == {**made, "certificate": certificate}
    refused(await bank.desk.post(path, {"code": "doctor", "valid_from": "2024-01-01"}), "role-missing")
    events = done(await bank.auditor.get("events"), 200)["items"]
    ids = {"qualification_id": made["id"], "volunteer_id": volunteer["id"]}
    assert [event["data"] for event in events if event["type"] == "qualification.checked"] == [ids]


@on_one_engine
async def test_what_cannot_be_is_refused(bank: Bank) -> None:
    volunteer = await bank.volunteer()
    path = f"volunteers/{volunteer['id']}/qualifications"
    span = {"valid_from": "2026-03-02", "valid_until": "2026-03-01"}
    refused(await bank.manager.post(path, {"code": "doctor", **span}), "invalid-request")
    refused(await bank.manager.post(path, {"code": "a doctor", "valid_from": "2026-03-02"}), "invalid-request")
    sound = {"code": "doctor", "valid_from": "2026-03-02"}
    for other in (str(uuid4()), (await vendor(bank))["id"], (await beneficiary(bank))["id"]):
        answer = await bank.manager.post(f"volunteers/{other}/qualifications", sound)
        refused(answer, "not-found", resource="volunteer")
    refused(await bank.manager.post(f"qualifications/{uuid4()}/revocation", {"reason": "注销"}), "not-found")


async def test_a_qualification_is_held_from_its_first_to_its_last_day_and_not_from_its_revocation_on(
    bank: Bank,
) -> None:
    one, other = UUID((await bank.volunteer())["id"]), UUID((await bank.volunteer())["id"])
    await qualification(bank, str(one), "doctor", valid_from="2026-02-01", valid_until="2026-04-30")
    nurse = await qualification(bank, str(one), "nurse", valid_from="2026-01-01")
    await qualification(bank, str(other), "doctor", valid_from="2026-03-02")
    revoked = done(await bank.manager.post(f"qualifications/{nurse['id']}/revocation", {"reason": "证书已注销"}), 200)
    assert revoked["revocation"] == {
        "on": "2026-03-02",
        "revoked_at": "2026-03-02T04:00:00Z",
        "revoked_by": bank.manager.client_id,
        "reason": "证书已注销",
    }
    answers = {
        (one, "doctor", "2026-01-31"): False,
        (one, "doctor", "2026-02-01"): True,
        (one, "doctor", "2026-04-30"): True,
        (one, "doctor", "2026-05-01"): False,
        (one, "nurse", "2025-12-31"): False,
        (one, "nurse", "2026-03-01"): True,
        (one, "nurse", "2026-03-02"): False,
        (other, "doctor", "2026-03-01"): False,
        (other, "doctor", "2030-01-01"): True,
        (other, "nurse", "2026-03-01"): False,
        (uuid4(), "doctor", "2026-03-02"): False,
    }
    asked = {
        Holding(bank.number, who, code, dt.date.fromisoformat(day)): yes for (who, code, day), yes in answers.items()
    }
    async with bank.database.read(bank.number) as session:
        assert await session.ask(held(session.dialect, asked)) == {question for question, yes in asked.items() if yes}
    for (who, code, day), yes in answers.items():
        items = done(await bank.desk.get(f"volunteers/{who}/qualifications", code=code, valid_on=day), 200)["items"]
        assert len(items) == yes, (code, day)
    holders = done(await bank.desk.get("qualifications", code="doctor", valid_on="2026-03-02"), 200)["items"]
    assert [item["volunteer_id"] for item in holders] == [str(other), str(one)]


async def test_a_qualification_is_revoked_once(bank: Bank) -> None:
    made = await qualification(bank, (await bank.volunteer())["id"], certificate=CERTIFICATE)
    path = f"qualifications/{made['id']}/revocation"
    refused(await bank.desk.post(path, {"reason": "注销"}), "role-missing")
    first = done(await bank.manager.post(path, {"reason": "注销"}), 200)
    assert first["certificate"] == CERTIFICATE
    refused(
        await bank.manager.post(path, {"reason": "注销"}),
        "qualification-revoked",
        status=409,
        revoked_at="2026-03-02T04:00:00+00:00",
    )
    (shown,) = done(await bank.auditor.get("qualifications"), 200)["items"]
    assert (shown["revocation"]["on"], shown["revocation"]["reason"]) == ("2026-03-02", None)
    events = done(await bank.auditor.get("events"), 200)["items"]
    assert [event["type"] for event in events].count("qualification.revoked") == 1


async def test_of_an_erased_volunteer_nothing_that_was_written_is_left(bank: Bank, settings: Settings) -> None:
    volunteer = await bank.volunteer()
    made = await qualification(bank, volunteer["id"], certificate=CERTIFICATE)
    revoked = await qualification(bank, volunteer["id"], "nurse", certificate=CERTIFICATE)
    done(await bank.manager.post(f"qualifications/{revoked['id']}/revocation", {"reason": "护士证已注销"}), 200)
    stored = everything_stored(settings)
    assert [word for word in (CERTIFICATE, "护士证已注销") if word in stored] == []
    done(await bank.manager.post(f"volunteers/{volunteer['id']}/erasure", {}), 200)
    path = f"volunteers/{volunteer['id']}/qualifications"
    refused(await bank.manager.post(path, {"code": "nurse", "valid_from": "2026-01-01"}), "not-found")
    after = done(await bank.manager.post(f"qualifications/{made['id']}/revocation", {"reason": "本人已故"}), 200)
    assert (after["certificate"], after["revocation"]["reason"]) == (None, None)
    items = done(await bank.desk.get("qualifications"), 200)["items"]
    assert [(item["certificate"], item["revocation"]["reason"]) for item in items] == [(None, None), (None, None)]
