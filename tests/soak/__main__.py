"""Long runs under every fault: `python3 dev.py soak [--minutes N | --smoke]`, with a table of what was done.

Everything random follows from the seed, which is printed first.
"""

from __future__ import annotations

import argparse
import os
import secrets
import sys
import time
import traceback
from typing import TYPE_CHECKING

import structlog
from rich.console import Console
from rich.table import Table

from tests.soak.catalogue import PARTS
from tests.soak.parts import BOTH, BROKEN, Part, Plan, ViolationError, say

if TYPE_CHECKING:
    from collections.abc import Sequence

_minutes = 60.0


def run_parts(parts: Sequence[Part], engines: Sequence[str], *, seed: int, minutes: float | None) -> int:
    """Run parts on engines, a smoke run where no minutes are given; the exit code, 0 when every promise was kept."""
    runs = [(part, engine) for part in parts for engine in part.engines if engine in engines]
    weights = sum(part.weight for part, _ in runs)
    table = Table("part", "engine", "done", "slowest", "seconds", "result")
    code = 0
    for part, engine in runs:
        seconds = part.smoke_seconds if minutes is None else minutes * 60 * part.weight / weights
        goals = {} if minutes is None else {what: goal / len(part.engines) for what, goal in part.targets.items()}
        plan = Plan(engine, f"{seed}/{part.name}/{engine}", seconds, goals)
        say(f"{part.name} on {engine}, up to {seconds:.0f} s ...")
        began = time.monotonic()
        result = "kept"
        try:
            part.run(plan)
        except Exception as error:  # noqa: BLE001  whatever it was, it is told, and the other parts have their turn
            broken = _tells_of_a_violation(error)
            result = "BROKEN" if broken else "FAILED"
            code = BROKEN if broken else code or 1
            say(traceback.format_exc())
        done = ", ".join(f"{what} {count:,}" for what, count in sorted(plan.counts.items()))
        slowest = ", ".join(f"{what} {seconds:.2f} s" for what, seconds in sorted(plan.slowest.items()))
        table.add_row(part.name, engine, done, slowest, f"{time.monotonic() - began:.0f}", result)
    Console(width=None if sys.stdout.isatty() else 200).print(table)
    return code


def _tells_of_a_violation(error: Exception) -> bool:
    """Whether a promise was broken, by itself or among what failed together."""
    if isinstance(error, ExceptionGroup):
        return any(_tells_of_a_violation(one) for one in error.exceptions)
    return isinstance(error, ViolationError)


def main(arguments: list[str]) -> None:
    """Read the command line and run; the exit code is 3 when a promise was broken, 1 when the harness failed."""
    parser = argparse.ArgumentParser(prog="dev.py soak", description=__doc__)
    parser.add_argument("--seed", type=int, default=secrets.randbelow(2**31))
    parser.add_argument("--engine", choices=BOTH, action="append", help="both when absent")
    names = [part.name for part in PARTS]
    parser.add_argument("--part", choices=names, action="append", metavar="PART", help=f"of {', '.join(names)}")
    length = parser.add_mutually_exclusive_group()
    length.add_argument("--minutes", type=float, default=_minutes, help="how long all parts may take together")
    length.add_argument("--smoke", action="store_true", help="each part for a short while")
    options = parser.parse_args(arguments)
    parts = [part for part in PARTS if not options.part or part.name in options.part]
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory())
    say(f"seed {options.seed}")
    minutes = None if options.smoke else options.minutes
    sys.exit(run_parts(parts, options.engine or BOTH, seed=options.seed, minutes=minutes))


if __name__ == "__main__":
    if "TEST_DATABASE_URL" not in os.environ:
        sys.exit("TEST_DATABASE_URL names no PostgreSQL; run this as `python3 dev.py soak`.")
    main(sys.argv[1:])
