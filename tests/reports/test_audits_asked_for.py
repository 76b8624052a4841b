"""An audit that is asked for runs as a job: beside posting, again when its worker dies, and with an end in any case."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any
from uuid import UUID

import sqlalchemy as sa

from app import worker
from app.hours.tables import verifications
from app.kernel import jobs
from app.kernel.errors import Unavailable
from app.kernel.events import read_after
from app.reports.audits import AUDIT
from app.reports.service import audit_community
from app.worker import run_due
from tests.bank import done, refused
from tests.tampering import tampered

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    import pytest

    from app.kernel.database import Session
    from app.ledger import Discrepancy
    from app.settings import Settings
    from tests.bank import Bank


async def asked(bank: Bank) -> Any:
    """Ask for an audit."""
    return done(await bank.auditor.post("ledger/audits"), 202)


async def work(bank: Bank) -> int:
    """Let a worker do what is due."""
    return await run_due(bank.database, bank.app.state.context.settings)


async def read(bank: Bank, audit: Any) -> Any:
    """The audit as it is now."""
    return done(await bank.auditor.get(f"ledger/audits/{audit['id']}"), 200)


async def events_of(bank: Bank) -> list[str]:
    """The types of the events of audits."""
    async with bank.database.read(bank.number) as session:
        found = await read_after(session, bank.number, after=0, limit=200)
    return [event.type for event in found if event.type.startswith("audit.")]


async def last_transaction(bank: Bank) -> int:
    """The number of the newest transaction."""
    items = done(await bank.auditor.get("ledger/transactions", limit=1), 200)["items"]
    return int(items[0]["id"])


async def test_audit_is_accepted_at_once_and_a_worker_finishes_it(bank: Bank) -> None:
    await bank.kind()
    await bank.hours((await bank.volunteer())["id"])
    answer = await bank.auditor.post("ledger/audits", key="audit-1")
    pending = done(answer, 202)
    assert answer.headers["location"] == f"{bank.auditor.base}/ledger/audits/{pending['id']}"
    assert (pending["status"], pending["discrepancies"], pending["requested_by"]) == (
        "pending",
        None,
        bank.auditor.client_id,
    )
    again = await bank.auditor.post("ledger/audits", key="audit-1")
    assert (again.status_code, again.content, again.headers["idempotency-replayed"]) == (202, answer.content, "true")
    # Another wish while this one waits is this one: it will see everything there is by then.
    assert (await asked(bank))["id"] == pending["id"]
    bank.clock.move(seconds=5)
    assert await work(bank) == 1
    finished = await read(bank, pending)
    assert finished == {
        **pending,
        "status": "done",
        "started_at": finished["finished_at"],
        "finished_at": "2026-03-02T04:00:05Z",
        "last_transaction_id": await last_transaction(bank),
        "discrepancies_count": 0,
        "discrepancies": [],
    }
    assert await events_of(bank) == ["audit.requested", "audit.started", "audit.done"]
    # One asked for now is a new one.
    assert (await asked(bank))["id"] != pending["id"]
    refused(await bank.auditor.get(f"ledger/audits/{UUID(int=7)}"), "not-found")
    refused(await bank.manager.post("ledger/audits"), "role-missing")


async def test_audit_tells_what_somebody_changed_behind_the_services_back(bank: Bank, settings: Settings) -> None:
    await bank.kind()
    record = await bank.hours((await bank.volunteer())["id"])
    forged = sa.update(verifications).where(verifications.c.community_id == bank.number).values(points=999)
    async with tampered(bank.database, settings, forged) as session:
        await session.connection.commit()
    audit = await asked(bank)
    assert await work(bank) == 1
    found = await read(bank, audit)
    assert (found["status"], found["discrepancies_count"]) == ("done", len(found["discrepancies"]))
    assert {one["check"] for one in found["discrepancies"]} == {"award-wrong", "evidence-differs", "posting-wrong"}
    causes = {one["check"]: one["cause"] for one in found["discrepancies"]}
    assert (causes["evidence-differs"], causes["award-wrong"]) == ("tampering", "tampering-or-bug")
    assert all(record["id"] in one["subject"] for one in found["discrepancies"])


async def test_posting_goes_on_while_an_audit_runs_and_the_audit_sees_one_picture(
    bank: Bank, monkeypatch: pytest.MonkeyPatch
) -> None:
    await bank.kind()
    volunteer = await bank.volunteer()
    await bank.hours(volunteer["id"])
    audit, before = await asked(bank), await last_transaction(bank)

    async def with_a_deposit_in_its_midst(session: Session, community: int) -> list[Discrepancy]:
        await audit_community(session, community)
        assert (await read(bank, audit))["status"] == "running"
        await bank.hours(volunteer["id"], start="2026-03-01T14:00")
        return await audit_community(session, community)

    monkeypatch.setattr(worker, "audit_community", with_a_deposit_in_its_midst)
    assert await work(bank) == 1
    finished = await read(bank, audit)
    assert (finished["last_transaction_id"], finished["discrepancies"]) == (before, [])
    assert await last_transaction(bank) == before + 1


async def test_audit_of_a_worker_that_died_is_run_by_the_next(bank: Bank) -> None:
    audit = await asked(bank)
    async with bank.database.write(bank.number) as session:
        (job,) = await jobs.claim(session, bank.number, alone={AUDIT})
    await worker.audit_ledger(bank.database, job)
    assert (await read(bank, audit))["status"] == "running"
    assert await work(bank) == 0
    bank.clock.move(seconds=60)
    assert await work(bank) == 1
    assert (await read(bank, audit))["status"] == "done"
    assert await events_of(bank) == ["audit.requested", "audit.started", "audit.done"]


async def test_audit_that_always_fails_or_always_kills_its_worker_ends_as_failed(
    bank: Bank, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "audit_community", raising(ZeroDivisionError()))
    failing = await asked(bank)
    for _ in range(jobs.attempts_max):
        assert (await read(bank, failing))["status"] != "failed"
        assert await work(bank) == 0
        bank.clock.move(seconds=2**jobs.attempts_max)
    assert (await read(bank, failing))["status"] == "failed"
    killing = await asked(bank)
    for _ in range(jobs.attempts_max):
        async with bank.database.write(bank.number) as session:
            (job,) = await jobs.claim(session, bank.number, alone={AUDIT})
        bank.clock.move(seconds=jobs.lease.total_seconds())
    assert job.attempts == jobs.attempts_max
    assert await work(bank) == 0
    ended = await read(bank, killing)
    assert (ended["status"], ended["discrepancies_count"], ended["finished_at"] is None) == ("failed", None, False)
    # Neither is ever tried again.
    bank.clock.move(hours=12)
    async with bank.database.write(bank.number) as session:
        assert await jobs.claim(session, bank.number) == []
    assert (await events_of(bank)).count("audit.failed") == 2


async def test_outage_during_an_audit_is_no_attempt(bank: Bank, monkeypatch: pytest.MonkeyPatch) -> None:
    audit = await asked(bank)
    with monkeypatch.context() as broken:
        broken.setattr(worker, "audit_community", raising(Unavailable()))
        for _ in range(jobs.attempts_max + 2):
            assert await work(bank) == 0
            bank.clock.move(seconds=1)
    assert await work(bank) == 1
    assert (await read(bank, audit))["status"] == "done"


async def test_lease_of_a_long_job_is_kept_until_it_is_done(bank: Bank, monkeypatch: pytest.MonkeyPatch) -> None:
    audit = await asked(bank)
    renewed: list[UUID] = []
    renew = jobs.renew

    async def noted(session: Session, job: jobs.Claimed) -> None:
        await renew(session, job)
        renewed.append(job.job_id)

    async def slow(session: Session, community: int) -> list[Discrepancy]:
        before = len(renewed)
        bank.clock.move(seconds=jobs.lease.total_seconds() - 1)
        while len(renewed) < before + 2:  # noqa: ASYNC110  the worker knows nothing of the test
            await asyncio.sleep(0.01)
        bank.clock.move(seconds=2)
        assert await work(bank) == 0
        return await audit_community(session, community)

    monkeypatch.setattr(worker, "_renewed_after_seconds", 0.01)
    monkeypatch.setattr(jobs, "renew", noted)
    monkeypatch.setattr(worker, "audit_community", slow)
    assert await work(bank) == 1
    assert (await read(bank, audit))["status"] == "done"


def raising(error: Exception) -> Callable[[Session, int], Awaitable[list[Discrepancy]]]:
    """An audit that ends like this."""

    async def fails(_session: Session, _community: int) -> list[Discrepancy]:
        raise error

    return fails
