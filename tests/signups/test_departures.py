"""What becomes of the sign-ups of who is gone: nobody keeps a seat who will not come, and who waits moves up."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from tests.bank import done, refused
from tests.beneficiaries.acts import beneficiary
from tests.conftest import run_cli
from tests.signups.acts import another, events, for_people, opened, sign_up, signed_up, state
from tests.vendors.acts import vendor
from tests.volunteers.test_erasure import pepper_of, restored_copy

if TYPE_CHECKING:
    from pathlib import Path

    from app.settings import Settings
    from tests.bank import Bank

PLURALS = {"volunteer": "volunteers", "beneficiary": "beneficiaries", "vendor": "vendors"}
MAKERS = {"volunteer": lambda bank: bank.volunteer(), "beneficiary": beneficiary, "vendor": vendor}
WHY = "搬到女儿家住了"

ends = pytest.mark.parametrize(
    ("kind", "how"),
    [
        ("volunteer", "erasure"),
        ("beneficiary", "ending"),
        ("beneficiary", "erasure"),
        ("vendor", "ending"),
        ("vendor", "erasure"),
    ],
)


async def gone(bank: Bank, kind: str, who: dict[str, Any], how: str) -> Any:
    """Let somebody go."""
    return done(await bank.manager.post(f"{PLURALS[kind]}/{who['id']}/{how}", {"reason": WHY}), 200)


@ends
async def test_who_is_gone_gives_up_what_is_to_come_and_who_waits_moves_up(bank: Bank, kind: str, how: str) -> None:
    place = for_people(participants=kind, capacity=1)
    first = await opened(bank, place, start="2026-03-05T09:00")
    later = await another(bank, first.activity, "2026-03-06T09:00")
    past = await another(bank, first.activity, "2026-03-01T09:00")
    leaver, stays = [await MAKERS[kind](bank) for _ in range(2)]
    own = [await signed_up(bank, to, leaver) for to in (first, past)]
    holds = await signed_up(bank, later, stays)
    waits = await signed_up(bank, first, stays)
    own.append(await signed_up(bank, later, leaver))
    await gone(bank, kind, leaver, how)
    states = [await state(bank, one) for one in own]
    assert states == [("released", None), ("confirmed", 1), ("released", None)]
    assert [await state(bank, one) for one in (waits, holds)] == [("confirmed", 1)] * 2
    assert [event["type"] for event in await events(bank)][-3:] == ["signup.released"] * 2 + ["signup.promoted"]
    # Why somebody is gone is nobody's business who sees sign-ups.
    shown = done(await bank.desk.get(f"signups/{own[0]['id']}"), 200)
    assert (shown["reason"], shown["closed_by"], shown["closed_at"]) == (None, "service", "2026-03-02T04:00:00Z")
    refused(await sign_up(bank.desk, first, leaver), f"unknown-{kind}")


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_who_is_erased_again_after_a_restore_gives_up_what_the_backup_brought_back(
    bank: Bank, settings: Settings, tmp_path: Path
) -> None:
    visit = await opened(bank, for_people(capacity=1), start="2190-03-05T09:00")
    leaver, backup = await bank.volunteer(), tmp_path / "backup.db"
    seat = await signed_up(bank, visit, leaver)
    waits = await signed_up(bank, visit)
    with closing(restored_copy(settings, backup)) as restoring:
        environment = {"LOVEBANK_DATABASE_URL": next(restoring), "LOVEBANK_WHY_PEPPER": pepper_of(settings)}
        await gone(bank, "volunteer", leaver, "erasure")
        log = str(tmp_path / "erasures.jsonl")
        assert run_cli("erasures", "export", log, LOVEBANK_DATABASE_URL=settings.database_url).returncode == 0
        replayed = run_cli("erasures", "replay", log, **environment)
        assert (replayed.returncode, replayed.stderr) == (0, "")
        with closing(sqlite3.connect(backup)) as restored:
            found = dict(restored.execute("SELECT signup_id, status FROM signups").fetchall())
    assert found == {seat["id"]: "released", waits["id"]: "confirmed"}
