"""Backups of SQLite: taken while the service writes, whole, checked, and a true picture of one moment."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
from contextlib import closing
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from app.kernel.backup import DamagedBackupError, back_up
from tests.bank import done
from tests.conftest import run_cli

if TYPE_CHECKING:
    from pathlib import Path

    from app.settings import Settings
    from tests.bank import Bank

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def source_of(settings: Settings) -> Path:
    """The database's file."""
    return settings.keys_folder / settings.database_url.rsplit("/", 1)[1]


async def test_a_backup_taken_while_points_move_is_a_moment_of_their_history(
    bank: Bank, settings: Settings, tmp_path: Path
) -> None:
    await bank.open_community(verification="recorder")
    await bank.kind(points_per_hour=60)
    volunteer = await bank.volunteer()
    running = True

    async def keep_posting() -> int:
        number = 0
        while running:
            # Sixteen half hours a day: more would wait for a manager.
            start = datetime(2025, 1, 2, 9) + timedelta(days=number // 16, minutes=30 * (number % 16))  # noqa: DTZ001
            record = bank.record(volunteer["id"], start=start.isoformat(), minutes=30)
            done(await bank.desk.post("service-records", record), 201)
            number += 1
        return number

    posting = asyncio.create_task(keep_posting())
    taken = []
    for number in range(3):
        await asyncio.sleep(0.2)
        target = tmp_path / f"backup-{number}.db"
        answer = await asyncio.to_thread(run_cli, "backup", str(target), LOVEBANK_DATABASE_URL=settings.database_url)
        assert (answer.returncode, answer.stderr) == (0, "")
        assert answer.stdout == f"{target}: {target.stat().st_size} bytes, checked.\n"
        taken.append(target)
    running = False
    posted = await posting
    balance = await bank.balance(volunteer["id"])
    assert (balance["points"], balance["version"]) == (30 * posted, posted)
    before = 0
    for target in taken:
        assert target.stat().st_mode & 0o777 == 0o600
        environment = {"LOVEBANK_DATABASE_URL": f"sqlite:///{target}"}
        audited = run_cli("audit", **environment)
        assert (audited.returncode, audited.stdout) == (0, ""), audited.stderr
        with closing(sqlite3.connect(target)) as copy:
            ((deposits,),) = copy.execute("SELECT count(*) FROM ledger_transactions WHERE kind = 'deposit'")
        assert before < deposits <= posted
        before = deposits
    assert before > 0


def test_a_file_that_is_there_is_not_replaced_and_nothing_is_left_behind(settings: Settings, tmp_path: Path) -> None:
    target = tmp_path / "backups" / "backup.db"
    missing = run_cli("backup", str(target), LOVEBANK_DATABASE_URL=settings.database_url)
    assert missing.returncode == 1
    assert "No such file or directory" in missing.stderr
    target.parent.mkdir()
    target.write_text("precious")
    refused = run_cli("backup", str(target), LOVEBANK_DATABASE_URL=settings.database_url)
    assert (refused.returncode, refused.stderr) == (1, f"{target}: is there already.\n")
    assert target.read_text() == "precious"
    assert list(target.parent.iterdir()) == [target]


def test_a_backup_that_cannot_be_taken_is_a_sentence(settings: Settings, tmp_path: Path) -> None:
    target = tmp_path / "backup.db"
    on_postgresql = run_cli("backup", str(target), LOVEBANK_DATABASE_URL="postgresql://nobody@nowhere/none")
    assert on_postgresql.returncode == 2
    assert on_postgresql.stderr.startswith("PostgreSQL is backed up with")
    nothing = run_cli("backup", str(target), LOVEBANK_DATABASE_URL=f"sqlite:///{tmp_path}/none.db")
    assert (nothing.returncode, nothing.stderr) == (1, f"{tmp_path}/none.db: there is no such database.\n")
    damaged = tmp_path / "damaged.db"
    shutil.copy(source_of(settings), damaged)
    with damaged.open("r+b") as file:
        file.seek(4096 * 5)
        file.write(b"\xff" * 4096 * 3)
    with pytest.raises((DamagedBackupError, sqlite3.DatabaseError)):
        back_up(damaged, target, lambda *_: None)
    assert not target.exists()
