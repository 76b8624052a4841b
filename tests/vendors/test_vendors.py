"""Vendors: registered by phone, seen by role, ended, erased."""

from __future__ import annotations

import json
from contextlib import closing
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

import pytest

from app.vendors.service import known_vendors
from tests.bank import done, refused
from tests.conftest import run_cli
from tests.contract.stored import everything_stored
from tests.vendors.acts import vendor
from tests.volunteers.test_erasure import pepper_of, restored_copy

if TYPE_CHECKING:
    from pathlib import Path

    from app.settings import Settings
    from tests.bank import Bank

PHONE = "13897123456"
WHOLE = {"name": "马福祥", "phone": PHONE, "goods_sold": "烤红薯、酿皮"}
LISTED = {**WHOLE, "phone": "138****3456"}
NOBODY = dict.fromkeys(WHOLE)
# By role: what the vendor's own page shows, and what a list shows.
SEEN = {
    "city_admin": (WHOLE, LISTED),
    "manager": (WHOLE, LISTED),
    "front_desk": (WHOLE, LISTED),
    "verifier": (LISTED, LISTED),
    "auditor": (NOBODY, NOBODY),
    "integrator": (NOBODY, NOBODY),
}
REASON = {"reason": "不再摆摊了"}


def of_person(shown: dict[str, Any]) -> dict[str, Any]:
    """What of a vendor is personal."""
    return {name: shown[name] for name in WHOLE}


async def known(bank: Bank, *vendors: dict[str, Any]) -> list[bool]:
    """Which of these vendors may take part."""
    keys = [(bank.number, UUID(one["id"])) for one in vendors]
    async with bank.database.read(bank.number) as session:
        found = await known_vendors(session, [*keys, (bank.number, uuid4())])
        assert await known_vendors(session, []) == set()
    return [key in found for key in keys]


async def test_a_phone_is_registered_once_among_vendors_who_come(bank: Bank) -> None:
    first = await vendor(bank, phone=PHONE)
    assert first == {
        **WHOLE,
        "id": first["id"],
        "status": "active",
        "registered_by": bank.desk.client_id,
        "registered_at": "2026-03-02T04:00:00Z",
        "ended_at": None,
        "ended_by": None,
        "ended_reason": None,
    }
    same = {"name": "韩梅", "phone": PHONE, "goods_sold": "鲜花"}
    problem = refused(await bank.desk.post("vendors", same), "already-registered", status=409)
    assert first["id"] not in str(problem)
    path = f"vendors/{first['id']}/ending"
    ended = done(await bank.desk.post(path, REASON), 200)
    told = {"status": "ended", "ended_at": "2026-03-02T04:00:00Z", "ended_by": bank.desk.client_id}
    assert ended == {**first, **told, "ended_reason": "不再摆摊了"}
    assert done(await bank.desk.get(f"vendors/{first['id']}"), 200) == ended
    refused(await bank.desk.post(path, REASON), "vendor-ended", status=409)
    refused(await bank.desk.post(f"vendors/{uuid4()}/ending", REASON), "not-found", resource="vendor")
    again = done(await bank.desk.post("vendors", same), 201)
    assert await known(bank, first, again) == [False, True]
    for query, expected in (
        ({"phone": PHONE}, [again, first]),
        ({"phone": PHONE, "status": "ended"}, [first]),
        ({"status": "active"}, [again]),
        ({"phone": bank.phone()}, []),
    ):
        items = done(await bank.desk.get("vendors", **query), 200)["items"]
        assert [item["id"] for item in items] == [one["id"] for one in expected], query
    events = done(await bank.auditor.get("events"), 200)["items"]
    assert [(one["type"], one["data"]) for one in events if one["type"].startswith("vendor.")] == [
        ("vendor.registered", {"vendor_id": first["id"]}),
        ("vendor.ended", {"vendor_id": first["id"]}),
        ("vendor.registered", {"vendor_id": again["id"]}),
    ]


async def test_each_role_sees_as_much_of_a_vendor_as_its_work_needs(bank: Bank) -> None:
    made = await vendor(bank, phone=PHONE)
    for role, (page, listed) in SEEN.items():
        api = bank.roles.get(role, bank.city)
        url = f"{bank.desk.base}/vendors"
        assert of_person(done(await api.get(f"{url}/{made['id']}"), 200)) == page, role
        (item,) = done(await api.get(url), 200)["items"]
        assert of_person(item) == listed, role
    refused(await bank.auditor.get("vendors", phone=PHONE), "role-missing")


async def test_erasing_destroys_what_is_personal(bank: Bank, settings: Settings) -> None:
    made = done(await bank.desk.post("vendors", WHOLE, key="registered"), 201)
    path = f"vendors/{made['id']}"
    done(await bank.desk.post(f"{path}/ending", REASON, key="ended"), 200)
    refused(await bank.desk.post(f"{path}/erasure", {}), "role-missing")
    erased = done(await bank.manager.post(f"{path}/erasure", {"reason": "本人申请"}), 200)
    assert erased == {
        "vendor_id": made["id"],
        "erased_at": "2026-03-02T04:00:00Z",
        "erased_by": bank.manager.client_id,
        "reason": "本人申请",
    }
    refused(await bank.manager.post(f"{path}/erasure", {}), "vendor-erased", status=410)
    refused(await bank.desk.get(path), "vendor-erased", erased_at="2026-03-02T04:00:00+00:00")
    refused(await bank.desk.post(f"{path}/ending", REASON), "vendor-erased")
    refused(await bank.desk.post("vendors", WHOLE, key="registered"), "idempotency-answer-erased")
    assert done(await bank.desk.get("vendors"), 200)["items"] == []
    assert await known(bank, made) == [False]
    stored = everything_stored(settings)
    assert [word for word in (*WHOLE.values(), REASON["reason"]) if word in stored] == []


async def test_a_restored_backup_forgets_an_erased_vendor_again(bank: Bank, settings: Settings, tmp_path: Path) -> None:
    made = done(await bank.desk.post("vendors", WHOLE), 201)
    with closing(restored_copy(settings, tmp_path / "backup.sql")) as restoring:
        restored_url = next(restoring)
        done(await bank.manager.post(f"vendors/{made['id']}/erasure", {}), 200)
        log = tmp_path / "erasures.jsonl"
        exported = run_cli("erasures", "export", str(log), LOVEBANK_DATABASE_URL=settings.database_url)
        assert exported.returncode == 0, exported.stderr
        assert json.loads(log.read_text(encoding="utf-8"))["vendor_id"] == made["id"]
        environment = {"LOVEBANK_DATABASE_URL": restored_url, "LOVEBANK_SECRET_PEPPER": pepper_of(settings)}
        for again in (1, 0):
            replayed = run_cli("erasures", "replay", str(log), **environment)
            assert (replayed.returncode, replayed.stderr) == (0, "")
            assert replayed.stdout.startswith(f"{again} of 1 erased again")


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_vendor_has_a_mobile_phone_and_sells_something(bank: Bank) -> None:
    for fields, place in (({"phone": "0971-6123456"}, "/phone"), ({"goods_sold": " "}, "/goods_sold")):
        body = {"name": "马福祥", "phone": PHONE, "goods_sold": "鲜花", **fields}
        problem = refused(await bank.desk.post("vendors", body), "invalid-request")
        assert [error["pointer"] for error in problem["errors"]] == [place]
