"""The second pair of eyes: who may verify what, once, and when a manager has to."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import uuid4

from tests.bank import done, refused
from tests.hours.acts import pointers, record, verify

if TYPE_CHECKING:
    from tests.bank import Bank


async def test_four_eyes_approve_a_record_and_say_who_they_were(bank: Bank) -> None:
    await bank.kind()
    volunteer = await bank.volunteer()
    pending = await record(bank, volunteer)
    bank.clock.move(minutes=5)
    approved = done(await verify(bank.verifier, pending, note="已核实"), 200)
    assert approved["status"] == "approved"
    assert (approved["recorded_by"], approved["verified_by"]) == (bank.desk.client_id, bank.verifier.client_id)
    assert (approved["verified_at"], approved["note"]) == ("2026-03-02T04:05:00Z", "已核实")
    assert done(await bank.desk.get(f"service-records/{pending['id']}"), 200) == approved
    transaction = done(await bank.auditor.get(f"ledger/transactions/{approved['transaction_id']}"), 200)
    moved = {entry["account"]: (entry["unit"], entry["amount"]) for entry in transaction["entries"]}
    assert moved == {
        "community/minutes_given": ("MINUTE", -90),
        f"volunteer/{volunteer['id']}/minutes": ("MINUTE", 90),
        "community/points_issued": ("POINT", -15),
        f"volunteer/{volunteer['id']}/points": ("POINT", 15),
    }
    assert (transaction["posted_by"], transaction["kind"]) == (bank.verifier.client_id, "deposit")
    assert transaction["reference"] == f"service-records/{pending['id']}"


async def test_a_record_is_decided_once_and_a_second_decision_is_told_what_the_first_was(bank: Bank) -> None:
    await bank.kind()
    volunteer = await bank.volunteer()
    first, second = await record(bank, volunteer), await record(bank, volunteer, start="2026-02-20T09:00")
    done(await verify(bank.verifier, first), 200)
    rejected = done(await verify(bank.verifier, second, "reject"), 200)
    assert (rejected["status"], rejected["award"], rejected["transaction_id"]) == ("rejected", None, None)
    for decision in ("approve", "reject"):
        answer = await verify(bank.manager, first, decision)
        # `status` is the answer's own (RFC 9457), so that of the record has another name.
        refused(answer, "already-verified", status=409, record_status="approved")
        answer = await verify(bank.manager, second, decision)
        refused(answer, "already-verified", status=409, record_status="rejected")
    # The rejected record earned nothing, then or later.
    held = await bank.balance(volunteer["id"])
    assert (held["minutes"], held["points"]) == (90, 15)


async def test_who_recorded_does_not_verify_and_who_may_not_verify_never_does(bank: Bank) -> None:
    await bank.kind()
    volunteer = await bank.volunteer()
    mine = await record(bank, volunteer, by=bank.manager)
    refused(await verify(bank.manager, mine), "self-verification", status=409)
    refused(await verify(bank.manager, mine, "reject"), "self-verification")
    for api in (bank.desk, bank.auditor, bank.integrator):
        refused(await verify(api, mine), "role-missing", status=403)
    assert done(await bank.desk.get(f"service-records/{mine['id']}"), 200)["status"] == "pending"
    assert done(await verify(bank.verifier, mine), 200)["status"] == "approved"


async def test_a_record_of_nobody_or_of_another_community_is_not_found(bank: Bank) -> None:
    await bank.kind()
    pending = await record(bank, await bank.volunteer())
    refused(await verify(bank.verifier, {"id": str(uuid4())}), "not-found", status=404)
    here = bank.verifier
    await bank.open_community()
    refused(await verify(bank.verifier, pending), "not-found")
    refused(await bank.desk.get(f"service-records/{pending['id']}"), "not-found")
    assert done(await verify(here, pending), 200)["status"] == "approved"


async def test_a_decision_is_approve_or_reject(bank: Bank) -> None:
    await bank.kind()
    pending = await record(bank, await bank.volunteer())
    assert pointers(refused(await verify(bank.verifier, pending, "maybe"), "invalid-request")) == ["/decision"]
    path = f"service-records/{pending['id']}/verification"
    assert pointers(refused(await bank.verifier.post(path, {}), "invalid-request")) == ["/decision"]
    answer = await verify(bank.verifier, pending, points=90)
    assert pointers(refused(answer, "invalid-request")) == ["/points"]


async def test_a_trusted_recorder_approves_by_recording(bank: Bank) -> None:
    await bank.open_community(verification="recorder")
    await bank.kind()
    volunteer = await bank.volunteer()
    made = await record(bank, volunteer)
    assert (made["status"], made["verified_by"]) == ("approved", bank.desk.client_id)
    assert made["verified_at"] == made["recorded_at"]
    assert (made["award"]["points"], made["award"]["minutes_counted"], made["award"]["clipped"]) == (15, 90, [])
    held = await bank.balance(volunteer["id"])
    assert (held["minutes"], held["points"]) == (90, 15)
    refused(await verify(bank.verifier, made), "already-verified")


async def test_over_eight_hours_on_a_date_a_manager_verifies_even_where_recorders_are_trusted(bank: Bank) -> None:
    await bank.open_community(verification="recorder")
    await bank.kind()
    await bank.kind("patrol")
    volunteer = await bank.volunteer()
    # Exactly eight hours, over two kinds, are approved at once.
    for start, minutes, kind in [("06:00", 240, "home_visit"), ("10:00", 240, "patrol")]:
        made = await record(bank, volunteer, start=f"2026-03-01T{start}", minutes=minutes, service_kind=kind)
        assert (made["status"], made["manager_required"]) == ("approved", False)
    over = await record(bank, volunteer, start="2026-03-01T14:00", minutes=1)
    assert (over["status"], over["manager_required"], over["award"]) == ("pending", True, None)
    # The next date is free, although this record was given on the same day by UTC.
    tomorrow = await record(bank, volunteer, start="2026-03-02T00:00", minutes=30)
    assert tomorrow["status"] == "approved"

    refused(await verify(bank.verifier, over), "manager-required", status=403)
    refused(await verify(bank.verifier, over, "reject"), "manager-required")
    assert done(await verify(bank.manager, over), 200)["status"] == "approved"
    assert (await bank.balance(volunteer["id"]))["minutes"] == 511


async def test_a_manager_who_recorded_over_eight_hours_does_not_verify_them_either(bank: Bank) -> None:
    await bank.open_community(verification="recorder")
    await bank.kind()
    volunteer = await bank.volunteer()
    long = await record(bank, volunteer, by=bank.manager, start="2026-03-01T06:00", minutes=481)
    assert (long["status"], long["manager_required"]) == ("pending", True)
    refused(await verify(bank.manager, long), "self-verification")
    # The city may do what a manager may, and is someone else.
    path = f"/v1/communities/{bank.community['id']}/service-records/{long['id']}/verification"
    assert done(await bank.city.post(path, {"decision": "approve"}), 200)["status"] == "approved"


async def test_under_four_eyes_too_only_a_manager_verifies_over_eight_hours(bank: Bank) -> None:
    await bank.kind()
    volunteer = await bank.volunteer()
    first = await record(bank, volunteer, start="2026-03-01T06:00", minutes=300)
    second = await record(bank, volunteer, start="2026-03-01T12:00", minutes=181)
    assert [first["manager_required"], second["manager_required"]] == [False, True]
    # Whether it takes a manager was decided when it was recorded, and stays so when the other minutes go away.
    done(await verify(bank.verifier, first, "reject"), 200)
    refused(await verify(bank.verifier, second), "manager-required")
    # A rejected record's minutes are live no more: the next record finds 181.
    third = await record(bank, volunteer, start="2026-03-01T06:00", minutes=299)
    fourth = await record(bank, volunteer, start="2026-03-01T16:00", minutes=1)
    assert [third["manager_required"], fourth["manager_required"]] == [False, True]
    for api, one in [(bank.manager, second), (bank.verifier, third), (bank.manager, fourth)]:
        assert done(await verify(api, one), 200)["status"] == "approved"
