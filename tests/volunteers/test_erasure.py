"""Erasure: the personal data is gone for good, ids and postings stay, and no backup brings anything back."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

import psycopg
import pytest
import sqlalchemy as sa

from app.kernel.persons import person_keys
from tests.bank import done, refused
from tests.conftest import new_postgresql, run_cli
from tests.contract.stored import everything_stored
from tests.races.books import assert_books_agree
from tests.volunteers.people import GUARDIAN, person

if TYPE_CHECKING:
    import httpx

    from app.settings import Settings
    from tests.bank import Bank

PERSON = person(
    name="张文静", phone="13911112222", sex="female", guardian=GUARDIAN, estate="北川小区", skills=["会藏语"],
    political_status="党员", external_ids={"city": "XN-778"},
)  # fmt: skip
OF_THE_PERSON = ("张文静", "13911112222", "王秀英", "北川小区", "会藏语", "党员", "XN-778")


async def erase(bank: Bank, volunteer: dict[str, Any], *, key: str | None = None) -> httpx.Response:
    """Erase a volunteer as the manager."""
    return await bank.manager.post(f"volunteers/{volunteer['id']}/erasure", {"reason": "本人申请"}, key=key)


async def served(bank: Bank) -> dict[str, Any]:
    """A volunteer with hours, points, and a redemption that was collected."""
    await bank.kind(points_per_hour=60)
    volunteer: dict[str, Any] = done(await bank.desk.post("volunteers", PERSON, key="registered"), 201)
    await bank.hours(volunteer["id"], minutes=60)
    article = await bank.goods(price=20)
    reserved = await bank.reserve(volunteer["id"], article["id"])
    path = f"redemptions/{reserved['id']}/collection"
    done(await bank.desk.post(path, {"pickup_code": reserved["pickup_code"]}), 200)
    return volunteer


async def test_erasing_destroys_what_is_personal_and_keeps_the_books(bank: Bank, settings: Settings) -> None:
    volunteer = await served(bank)
    path = f"volunteers/{volunteer['id']}"
    kept = [done(await bank.desk.get(f"{path}/{what}"), 200) for what in ("balance", "statement")]
    own = await bank.volunteer_api(volunteer["id"])
    async with bank.database.read(bank.number) as session:
        wrapped = (await session.execute(sa.select(person_keys.c.wrapped_key))).scalar_one()
    erased = done(await erase(bank, volunteer, key="k"), 200)
    assert erased == {
        "volunteer_id": volunteer["id"],
        "erased_at": "2026-03-02T04:00:00Z",
        "erased_by": bank.manager.client_id,
        "reason": "本人申请",
    }
    assert done(await erase(bank, volunteer, key="k"), 200) == erased
    refused(await erase(bank, volunteer), "volunteer-erased", status=410)
    refused(await bank.desk.get(path), "volunteer-erased", status=410)
    refused(await bank.desk.patch(path, {"name": "王强"}), "volunteer-erased")
    refused(await own.get("/v1/me"), "volunteer-erased")
    assert done(await bank.desk.get("volunteers"), 200)["items"] == []
    assert done(await bank.desk.get("volunteers", phone="13911112222"), 200)["items"] == []
    assert [done(await bank.desk.get(f"{path}/{what}"), 200) for what in ("balance", "statement")] == kept
    assert [word for word in (*OF_THE_PERSON, wrapped) if word in everything_stored(settings)] == []
    await assert_books_agree(bank.database, bank.number)


async def test_nothing_new_is_taken_for_an_erased_volunteer_and_nothing_old_fails(bank: Bank) -> None:
    volunteer, article = await served(bank), await bank.goods()
    pending = done(await bank.desk.post("service-records", bank.record(volunteer["id"], start="2026-02-20T09:00")), 201)
    home = done(await bank.desk.post("households", {"volunteer_ids": [volunteer["id"]]}), 201)
    done(await erase(bank, volunteer), 200)
    lines = [{"goods_id": article["id"], "quantity": 1}]
    for path, body in (
        ("service-records", bank.record(volunteer["id"], start="2026-02-21T09:00")),
        ("redemptions", {"volunteer_id": volunteer["id"], "lines": lines}),
        ("households", {"volunteer_ids": [volunteer["id"]]}),
    ):
        refused(await bank.desk.post(path, body), "unknown-volunteer")
    refused(await bank.desk.post(f"volunteers/{volunteer['id']}/cards", {}), "not-found")
    refused(await bank.desk.post("volunteers", PERSON, key="registered"), "idempotency-answer-erased", status=410)
    assert done(await bank.desk.get(f"households/{home['id']}"), 200)["volunteer_ids"] == []
    for path in ("service-records", "redemptions", "events", "ledger/transactions"):
        assert done(await bank.auditor.get(path), 200)["items"]
    done(await bank.manager.post(f"service-records/{pending['id']}/verification", {"decision": "approve"}), 200)
    anew = done(await bank.desk.post("volunteers", PERSON), 201)
    assert anew["id"] != volunteer["id"]
    await assert_books_agree(bank.database, bank.number)


async def test_who_has_goods_reserved_is_not_erased_before_they_are_collected_or_cancelled(bank: Bank) -> None:
    volunteer, article = await served(bank), await bank.goods(price=10)
    reserved = await bank.reserve(volunteer["id"], article["id"])
    refused(await erase(bank, volunteer), "redemptions-open", status=409, points_reserved=10)
    assert done(await bank.desk.get(f"volunteers/{volunteer['id']}"), 200)["name"] == "张文静"
    done(await bank.desk.post(f"redemptions/{reserved['id']}/cancellation", {}), 200)
    done(await erase(bank, volunteer), 200)


async def test_a_restored_backup_from_before_is_erased_again_by_replaying_the_log(
    bank: Bank, settings: Settings, tmp_path: Path
) -> None:
    volunteer, other = await served(bank), await bank.volunteer(name="马晓燕")
    backup = tmp_path / "backup.sql"
    with closing(restored_copy(settings, backup)) as restoring:
        restored_url = next(restoring)
        done(await erase(bank, volunteer), 200)
        log = tmp_path / "erasures.jsonl"
        exported = run_cli("erasures", "export", str(log), LOVEBANK_DATABASE_URL=settings.database_url)
        assert exported.returncode == 0, exported.stderr
        (line,) = log.read_text(encoding="utf-8").splitlines()
        assert json.loads(line)["volunteer_id"] == volunteer["id"]
        environment = {"LOVEBANK_DATABASE_URL": restored_url, "LOVEBANK_SECRET_PEPPER": pepper_of(settings)}
        for again in (1, 0):
            replayed = run_cli("erasures", "replay", str(log), **environment)
            assert (replayed.returncode, replayed.stderr) == (0, "")
            assert replayed.stdout.startswith(f"{again} of 1 erased again")
        restored = settings.model_copy(update={"database_url": restored_url})
        stored = everything_stored(restored)
        assert [word for word in OF_THE_PERSON if word in stored] == []
        assert keys_of(restored_url) == {other["id"]}
        audited = run_cli("audit", **environment)
        assert (audited.returncode, audited.stdout) == (0, "")


def pepper_of(settings: Settings) -> str:
    """The pepper that a service over these settings' database needs."""
    assert settings.secret_pepper is not None
    return settings.secret_pepper.get_secret_value()


def restored_copy(settings: Settings, backup: Path) -> Any:
    """Copy the database as it is now, and give the copy's URL."""
    if settings.on_sqlite:
        with closing(sqlite3.connect(settings.database_url.removeprefix("sqlite:///"))) as live:
            live.execute(f"VACUUM INTO '{backup}'")
        yield f"sqlite:///{backup}"
        return
    name = settings.database_url.partition("?")[0].rsplit("/", 1)[1]
    with psycopg.connect(settings.database_url, autocommit=True) as live:
        live.execute(
            b"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
            b" AND pid <> pg_backend_pid()"
        )
    with new_postgresql(name) as url:
        yield url


def keys_of(url: str) -> set[str]:
    """The persons who have a key in a database."""
    statement = "SELECT CAST(person_id AS text) FROM person_keys"
    if url.startswith("sqlite"):
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as connection:
            return {row[0] for row in connection.execute(statement)}
    with psycopg.connect(url) as pg:
        return {row[0] for row in pg.execute(statement.encode())}


def files_of(path: Path) -> bytes:
    """The bytes of a SQLite database with its log."""
    return b"".join(file.read_bytes() for file in path.parent.glob(f"{path.name}*"))


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_not_a_byte_of_an_erased_persons_key_is_left_in_the_file(bank: Bank, settings: Settings) -> None:
    volunteer = await served(bank)
    path = Path(settings.database_url.removeprefix("sqlite:///"))
    async with bank.database.read(bank.number) as session:
        row = await session.execute(
            sa.select(person_keys.c.wrapped_key).where(person_keys.c.person_id == UUID(volunteer["id"]))
        )
        wrapped = row.scalar_one().encode()
    await bank.database.close()
    assert wrapped in files_of(path)
    done(await erase(bank, volunteer), 200)
    # At once, in the log beside the file too, while the service goes on.
    left = files_of(path)
    assert wrapped not in left
    assert [word for word in OF_THE_PERSON if word.encode() in left] == []


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_log_that_is_none_is_told(settings: Settings, tmp_path: Path) -> None:
    log = tmp_path / "erasures.jsonl"
    missing = run_cli("erasures", "replay", str(log), LOVEBANK_DATABASE_URL=settings.database_url)
    assert (missing.returncode, missing.stderr) == (1, f"{log}: No such file or directory.\n")
    for text in ("no JSON\n", "{}\n", "[]\n", '{"volunteer_id": 5}\n'):
        log.write_text(text, encoding="utf-8")
        broken = run_cli("erasures", "replay", str(log), LOVEBANK_DATABASE_URL=settings.database_url)
        assert broken.returncode == 2
        assert broken.stderr.startswith(f"{log}: ")
        assert "Traceback" not in broken.stderr
