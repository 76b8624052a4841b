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
from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

import structlog
from rich.console import Console
from rich.table import Table

from tests.postgres import exit_on_sigterm
from tests.soak.catalogue import PARTS
from tests.soak.parts import BOTH, BROKEN, FAILED, NOT_TRIED, SLOW, SMOKE_SECONDS, Part, Plan, code_of, say
from tests.soak.rounds import HTTP_OPERATIONS

if TYPE_CHECKING:
    from collections.abc import Sequence

_minutes = 60.0
_targets = {HTTP_OPERATIONS: 100_000, "operations": 1_000_000}
"""Of all parts together: over HTTP under faults, and on the services."""


def run_parts(parts: Sequence[Part], engines: Sequence[str], *, seed: int, minutes: float | None) -> int:
    """Run parts on engines, a smoke run where no minutes are given; the exit code, 0 when every promise was kept."""
    runs = [(part, engine) for part in parts for engine in part.engines if engine in engines]
    weights = sum(part.weight for part, _ in runs)
    table = Table("part", "engine", "done", "slowest", "seconds", "result")
    until = time.monotonic() + SMOKE_SECONDS
    results: list[_Result] = []
    sums: Counter[str] = Counter()
    for part, engine in runs:
        of_smoke = max(0.0, min(part.smoke_seconds, until - time.monotonic()))
        seconds = of_smoke if minutes is None else minutes * 60 * part.weight / weights
        goals = {} if minutes is None else {what: goal / len(part.engines) for what, goal in part.targets.items()}
        plan = Plan(engine, f"{seed}/{part.name}/{engine}", seconds, goals)
        say(f"{part.name} on {engine}, up to {seconds:.0f} s ...")
        began = time.monotonic()
        result = _result_of(part, plan)
        results.append(result)
        sums.update(plan.counts)
        slowest = ", ".join(f"{what} {seconds:.2f} s" for what, seconds in sorted(plan.slowest.items()))
        table.add_row(part.name, engine, _done(plan), slowest, f"{time.monotonic() - began:.0f}", result.told)
    Console(width=None if sys.stdout.isatty() else 200).print(table)
    say(", ".join(f"{what}: {sums[what]:,} of {target:,}" for what, target in _targets.items()))
    return next((code for code in (BROKEN, FAILED, SLOW) if any(result.code == code for result in results)), 0)


class _Result(NamedTuple):
    told: str
    code: int


def _result_of(part: Part, plan: Plan) -> _Result:
    """Run a part, and tell whether every promise was kept, and in time."""
    if absence := part.absence(plan.engine):
        return _Result(f"left out: {absence}", 0)
    try:
        part.run(plan)
    except Exception as error:  # noqa: BLE001  whatever it was, it is told, and the other parts have their turn
        say(traceback.format_exc())
        return _Result("BROKEN", BROKEN) if code_of(error) == BROKEN else _Result("FAILED", FAILED)
    if count := plan.counts[NOT_TRIED]:
        say(f"{count} {NOT_TRIED}: the {plan.seconds:.0f} s were over")
        return _Result("FAILED", FAILED)
    if plan.too_slow:
        say("\n".join(plan.too_slow))
        return _Result("TOO SLOW", SLOW)
    missed = any(plan.counts[what] < goal for what, goal in plan.goals.items())
    return _Result("kept, short of its target" if missed else "kept", 0)


def _done(plan: Plan) -> str:
    """What a run counted, each with what it was to reach, if there is such."""
    goals = {what: f" of {goal:,.0f}" for what, goal in plan.goals.items()}
    counts = {**dict.fromkeys(goals, 0), **plan.counts}
    return ", ".join(f"{what} {count:,}{goals.get(what, '')}" for what, count in sorted(counts.items()))


def main(arguments: list[str]) -> None:
    """Read the command line and run.

    The exit code is 3 when a promise was broken, 1 when the harness failed, 4 when only something took too long.
    """
    exit_on_sigterm()
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
