"""Backups of a SQLite database while the service goes on writing, by SQLite's own backup API."""

from __future__ import annotations

import os
import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_pages_per_step = 1024


class DamagedBackupError(Exception):
    """What was copied does not pass SQLite's own check."""


def back_up(source: Path, target: Path, progress: Callable[[int, int], None]) -> None:
    """Copy a database as it is at this moment to a new file, which gets its name once it is whole and checked.

    `progress` is told pages done and in all. Raises `FileExistsError`, `OSError`, `sqlite3.Error` and
    `DamagedBackupError`.
    """
    if target.exists():
        raise FileExistsError(17, "is there already", str(target))
    descriptor, unfinished = tempfile.mkstemp(prefix=f"{target.name}.", dir=target.parent)
    os.close(descriptor)
    try:
        _copy(source, Path(unfinished), progress)
        with Path(unfinished).open("rb") as file:
            os.fsync(file.fileno())
        # Unlike a renaming, a link does not replace what somebody put there in the meantime.
        os.link(unfinished, target)
    finally:
        Path(unfinished).unlink()
    folder = os.open(target.parent, os.O_RDONLY)
    os.fsync(folder)
    os.close(folder)


def _copy(source: Path, target: Path, progress: Callable[[int, int], None]) -> None:
    with closing(sqlite3.connect(source, isolation_level=None)) as live, closing(sqlite3.connect(target)) as copy:
        # A reader's transaction holds one picture of the database. Without it every write would start the copy anew.
        live.execute("BEGIN")
        live.execute("SELECT count(*) FROM sqlite_master").fetchone()
        live.backup(copy, pages=_pages_per_step, progress=lambda _, left, total: progress(total - left, total), sleep=0)
        live.execute("ROLLBACK")
        # One file, with no log beside it.
        copy.execute("PRAGMA journal_mode = DELETE").fetchone()
        found = copy.execute("PRAGMA integrity_check").fetchall()
    if found != [("ok",)]:
        raise DamagedBackupError("; ".join(str(row[0]) for row in found[:3]))
