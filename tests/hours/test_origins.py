"""A service record may say whom it was for and in which shift it was given; one that does not is as it always was."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

from app.hours.rules import ServiceFacts, content_of
from app.hours.service import NewServiceRecord, record_services
from app.kernel.references import content_hash
from app.reports.service import audit_community
from tests.bank import done, refused
from tests.beneficiaries.acts import beneficiary
from tests.hours.acts import approved, record
from tests.hours.counting import statements

if TYPE_CHECKING:
    from tests.bank import Bank

AT = datetime(2026, 3, 1, 1, tzinfo=UTC)
FACTS = ServiceFacts("home_visit", "入户探访", "祁连家园", "陪伴", "居委会", AT, AT.replace(hour=2), 60)
SOMEBODY, SHIFT = UUID(int=1), UUID(int=2)


def test_content_without_an_origin_hashes_as_it_did_before_records_could_have_one() -> None:
    """Hashes are stored for good: one that came out differently would make every old reference a reused one."""
    written = (
        "service_kind activity_name place content organiser started_at ended_at minutes recorder_name external_ids"
    )
    of_before = {name: getattr(FACTS, name) for name in written.split()}
    assert content_hash(content_of(FACTS)) == content_hash(of_before)


def test_records_for_others_or_of_other_shifts_are_not_the_same() -> None:
    others = [
        FACTS._replace(beneficiary_id=SOMEBODY),
        FACTS._replace(shift_id=SOMEBODY),
        FACTS._replace(beneficiary_id=SOMEBODY, shift_id=SHIFT),
        FACTS._replace(beneficiary_id=SHIFT, shift_id=SHIFT),
    ]
    assert len({content_hash(content_of(facts)) for facts in [FACTS, *others]}) == 5


async def test_a_record_names_whom_it_was_for(bank: Bank) -> None:
    await bank.kind()
    who, volunteer = await beneficiary(bank), await bank.volunteer()
    named = await approved(bank, volunteer, beneficiary_id=who["id"])
    assert (named["beneficiary_id"], named["shift_id"]) == (who["id"], None)
    assert done(await bank.desk.get(f"service-records/{named['id']}"), 200) == named
    nobody = await approved(bank, volunteer, start="2026-03-01T14:00")
    assert (nobody["beneficiary_id"], nobody["shift_id"]) == (None, None)
    async with bank.database.read(bank.number) as session:
        assert await audit_community(session, bank.number) == []


async def test_whoever_is_unknown_or_forgotten_is_named_by_no_record(bank: Bank) -> None:
    await bank.kind()
    elsewhere = await beneficiary(bank)
    await bank.open_community()
    await bank.kind()
    volunteer, forgotten = await bank.volunteer(), await beneficiary(bank)
    done(await bank.manager.post(f"beneficiaries/{forgotten['id']}/erasure", {}), 200)
    for one in (forgotten["id"], elsewhere["id"], str(uuid4())):
        body = bank.record(volunteer["id"], beneficiary_id=one)
        refused(await bank.desk.post("service-records", body), "unknown-beneficiary", beneficiary_id=one)
        rows: list[dict[str, Any]] = [{**body, "reference": one}]
        batch = done(await bank.desk.post("service-record-batches", {"records": rows}), 200)
        assert batch["items"][0]["problem"]["code"] == "unknown-beneficiary"


async def test_what_was_done_for_somebody_is_recorded_and_corrected_after_they_left_too(bank: Bank) -> None:
    await bank.kind()
    who, volunteer = await beneficiary(bank), await bank.volunteer()
    named = await approved(bank, volunteer, beneficiary_id=who["id"])
    done(await bank.desk.post(f"beneficiaries/{who['id']}/ending", {"reason": "搬走了"}), 200)
    body = {"reason": "时间记错了", "replacement": bank.record(volunteer["id"], beneficiary_id=who["id"], minutes=60)}
    path = f"service-records/{named['id']}/correction"
    corrected = done(await bank.manager.post(path, body), 200)
    replacement = done(await bank.desk.get(f"service-records/{corrected['correction']['replacement_id']}"), 200)
    assert replacement["beneficiary_id"] == who["id"]
    later = await record(bank, volunteer, start="2026-03-01T14:00")
    done(await bank.verifier.post(f"service-records/{later['id']}/verification", {"decision": "approve"}), 200)
    replaced = {**bank.record(volunteer["id"], start="2026-03-01T14:00"), "beneficiary_id": str(uuid4())}
    body = {"reason": "漏了受助人", "replacement": replaced}
    refused(await bank.manager.post(f"service-records/{later['id']}/correction", body), "unknown-beneficiary")


async def test_records_that_name_nobody_send_no_statement_more_than_before(bank: Bank) -> None:
    await bank.kind()
    volunteer, who = await bank.volunteer(), await beneficiary(bank)
    sent = []
    for hour, named in enumerate((None, UUID(who["id"]))):
        at = AT.replace(hour=1 + 2 * hour)
        facts = FACTS._replace(started_at=at, ended_at=at.replace(hour=at.hour + 1), beneficiary_id=named)
        new = NewServiceRecord(bank.number, UUID(volunteer["id"]), facts, bank.desk.client_id)
        async with bank.database.write(bank.number) as session, statements(session) as counted:
            await record_services(session, [new])
        sent.append(len(counted))
    assert sent[1] == sent[0] + 1
