"""A beneficiary's erasure: nothing personal is left, and the log of erasures has a restored backup forget again."""

from __future__ import annotations

import json
from contextlib import closing
from typing import TYPE_CHECKING
from uuid import UUID

import pytest

from app.beneficiaries.service import known_beneficiaries, load_beneficiaries
from tests.bank import done, refused
from tests.beneficiaries.acts import beneficiary, served
from tests.conftest import run_cli
from tests.contract.stored import everything_stored
from tests.needs.acts import need
from tests.volunteers.test_erasure import keys_of, pepper_of, restored_copy

if TYPE_CHECKING:
    from pathlib import Path

    from app.settings import Settings
    from tests.bank import Bank

OF_THE_PERSON = ("邓秀兰", "0971-6123456", "祁连家园 3 号楼 201", "1939-05-02", "搬到女儿家住了")
REASON = {"reason": "家属申请"}


async def test_erasing_destroys_what_is_personal(bank: Bank, settings: Settings) -> None:
    made = done(await bank.desk.post("beneficiaries", served(birth_date="1939-05-02"), key="registered"), 201)
    path = f"beneficiaries/{made['id']}"
    done(await bank.desk.post(f"{path}/ending", {"reason": "搬到女儿家住了"}, key="ended"), 200)
    refused(await bank.desk.post(f"{path}/erasure", REASON), "role-missing")
    erased = done(await bank.manager.post(f"{path}/erasure", REASON, key="k"), 200)
    assert erased == {
        "beneficiary_id": made["id"],
        "erased_at": "2026-03-02T04:00:00Z",
        "erased_by": bank.manager.client_id,
        "reason": "家属申请",
    }
    assert done(await bank.manager.post(f"{path}/erasure", REASON, key="k"), 200) == erased
    refused(await bank.manager.post(f"{path}/erasure", REASON), "beneficiary-erased", status=410)
    refused(await bank.desk.get(path), "beneficiary-erased", erased_at="2026-03-02T04:00:00+00:00")
    refused(await bank.desk.patch(path, {"name": "邓兰"}), "beneficiary-erased")
    refused(await bank.desk.post(f"{path}/ending", REASON), "beneficiary-erased")
    for answer in (
        await bank.desk.post("beneficiaries", served(birth_date="1939-05-02"), key="registered"),
        await bank.desk.post(f"{path}/ending", {"reason": "搬到女儿家住了"}, key="ended"),
    ):
        refused(answer, "idempotency-answer-erased")
    assert done(await bank.desk.get("beneficiaries"), 200)["items"] == []
    async with bank.database.read(bank.number) as session:
        key = (bank.number, UUID(made["id"]))
        assert await known_beneficiaries(session, [key]) == set()
        assert await load_beneficiaries(session, [key]) == {}
    stored = everything_stored(settings)
    assert [word for word in OF_THE_PERSON if word in stored] == []
    assert done(await bank.desk.post("beneficiaries", served()), 201)["id"] != made["id"]
    events = done(await bank.auditor.get("events"), 200)["items"]
    assert {"beneficiary_id": made["id"]} in [one["data"] for one in events if one["type"] == "beneficiary.erased"]


async def test_a_restored_backup_forgets_every_kind_of_person_by_the_same_log(
    bank: Bank, settings: Settings, tmp_path: Path
) -> None:
    made, volunteer = await beneficiary(bank), await bank.volunteer(name="张文静")
    complaint = await need(bank.desk)
    with closing(restored_copy(settings, tmp_path / "backup.sql")) as restoring:
        restored_url = next(restoring)
        done(await bank.manager.post(f"beneficiaries/{made['id']}/erasure", REASON), 200)
        done(await bank.manager.post(f"volunteers/{volunteer['id']}/erasure", REASON), 200)
        done(await bank.manager.post(f"needs/{complaint['id']}/erasure", REASON), 200)
        log = tmp_path / "erasures.jsonl"
        exported = run_cli("erasures", "export", str(log), LOVEBANK_DATABASE_URL=settings.database_url)
        assert exported.returncode == 0, exported.stderr
        first, second, third = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
        assert (first["volunteer_id"], second["beneficiary_id"]) == (volunteer["id"], made["id"])
        assert third["need_id"] == complaint["id"]
        environment = {"LOVEBANK_DATABASE_URL": restored_url, "LOVEBANK_SECRET_PEPPER": pepper_of(settings)}
        for again in (3, 0):
            replayed = run_cli("erasures", "replay", str(log), **environment)
            assert (replayed.returncode, replayed.stderr) == (0, "")
            assert replayed.stdout.startswith(f"{again} of 3 erased again")
        stored = everything_stored(settings.model_copy(update={"database_url": restored_url}))
        assert [word for word in (made["name"], made["address"], "张文静") if word in stored] == []
        assert keys_of(restored_url) == set()
        audited = run_cli("audit", **environment)
        assert (audited.returncode, audited.stdout) == (0, "")


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_log_of_persons_that_this_version_does_not_know_is_told(settings: Settings, tmp_path: Path) -> None:
    log = tmp_path / "erasures.jsonl"
    ids = {"community_id": str(UUID(int=1)), "robot_id": str(UUID(int=2))}
    line = {**ids, "erased_at": "2026-03-02T04:00:00Z", "erased_by": "x", "reason": None}
    log.write_text(json.dumps(line), encoding="utf-8")
    unknown = run_cli("erasures", "replay", str(log), LOVEBANK_DATABASE_URL=settings.database_url)
    assert (unknown.returncode, unknown.stderr) == (2, f"{log}: this version knows no robot.\n")
