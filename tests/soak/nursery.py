"""Starts soaks in copies of the project quickly: what they need of others' code is loaded once, and they are forks.

It runs as a program that loads nothing of the project itself. It reads orders, a line of JSON each, one after the
other, for each of which it says the process's id and, at its end, the exit code.
"""

from __future__ import annotations

import importlib
import json
import os
import runpy
import sys
import traceback
from pathlib import Path
from typing import NamedTuple, NoReturn

LOADED = (
    "alembic.command",
    "apsw",
    "chinese_calendar",
    "fastapi_offline",
    "httpx",
    "hypothesis",
    "joserfc.jwt",
    "psycopg",
    "pwdlib.hashers.argon2",
    "pydantic_settings",
    "pytest",
    "rich.table",
    "sqlalchemy.dialects.postgresql.psycopg",
    "sqlalchemy.dialects.sqlite.aiosqlite",
    "structlog",
    "yaml",
)
"""What takes long to load. None of it remembers anything of who used it before."""


class Order(NamedTuple):
    """A soak to run: the copy's folder, what comes after `python -m tests.soak`, and the file that gets its words."""

    folder: str
    arguments: list[str]
    log: str


def main() -> None:
    """Load, and then be told what to run until nobody is there to tell any more."""
    for name in LOADED:
        importlib.import_module(name)
    for line in sys.stdin:
        order = Order(*json.loads(line))
        child = os.fork()
        if child == 0:
            become(order)
        _tell(child)
        _, status = os.waitpid(child, 0)
        _tell(os.waitstatus_to_exitcode(status))


def _tell(number: int) -> None:
    os.write(1, f"{number}\n".encode())


def become(order: Order) -> NoReturn:
    """Be the process that was ordered, with a session of its own, which can be ended as a whole."""
    code: object = 1
    try:
        os.setsid()
        os.chdir(order.folder)
        with Path(order.log).open("wb") as log, Path(os.devnull).open("rb") as nothing:
            os.dup2(nothing.fileno(), 0)
            os.dup2(log.fileno(), 1)
            os.dup2(log.fileno(), 2)
        os.environ["PYTHONPATH"] = order.folder
        sys.path.insert(0, order.folder)
        sys.argv = ["soak", *order.arguments]
        runpy.run_module("tests.soak", run_name="__main__", alter_sys=True)
        code = 0
    except SystemExit as ending:
        code = ending.code or 0
    except BaseException:  # noqa: BLE001  whatever it was, this process ends here, and says why
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        # Nothing of the parent's may be done here a second time.
        os._exit(code if isinstance(code, int) else 1)


if __name__ == "__main__":
    main()
