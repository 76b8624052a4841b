"""`python3 dev.py bench`: how fast the service is through HTTP, beside what the same database does without it."""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import structlog
from rich.console import Console
from rich.table import Table

from tests.bench.growth import growing
from tests.bench.load import BenchError, find_wrk
from tests.bench.rows import Plan, Row, at_rest, importing, on_postgresql, on_sqlite, sealing, several_processes
from tests.postgres import URL_VARIABLE, running

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_parts: dict[str, Callable[[Plan], Iterator[Row]]] = {
    "postgresql": on_postgresql,
    "sqlite": on_sqlite,
    "sealing": sealing,
    "processes": several_processes,
    "import": importing,
    "rest": at_rest,
    "growth": growing,
}


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.2f}"


def _table(rows: list[Row]) -> Table:
    table = Table(title="love-bank to its peers: medians of pairs that took turns")
    for heading in ("", "service", "peer", "unit", "ratio", "goal", ""):
        table.add_column(heading, justify="left" if heading in {"", "unit"} else "right")
    for row in rows:
        ours, peer = sorted(row.pairs, key=lambda pair: pair[0] / pair[1])[len(row.pairs) // 2]
        goal = f"{'≤' if row.at_most else '≥'} {row.goal:g}"
        reached = "reached" if row.reached else "missed"
        table.add_row(row.name, _number(ours), _number(peer), row.unit, f"{row.ratio:.2f}", goal, reached)
    return table


def _write(path: Path, rows: list[Row]) -> None:
    path.write_text(
        json.dumps(
            {
                "at": datetime.now(UTC).isoformat(timespec="seconds"),
                "python": platform.python_version(),
                "machine": f"{platform.machine()}, {os.cpu_count()} cores",
                "rows": [
                    {
                        "name": row.name,
                        "unit": row.unit,
                        "goal": row.goal,
                        "at_most": row.at_most,
                        "ratio": round(row.ratio, 3),
                        "reached": row.reached,
                        "pairs": row.pairs,
                    }
                    for row in rows
                ],
            },
            ensure_ascii=False,
            indent=1,
        )
        + "\n",
        encoding="utf-8",
    )


def main(arguments: list[str]) -> int:
    """Measure what the command line asks for; 1 when a goal is missed, 2 when nothing can be measured."""
    parser = argparse.ArgumentParser(prog="dev.py bench", description=__doc__)
    parser.add_argument("parts", nargs="*", choices=[*_parts, []], help="what to measure; all without any")
    parser.add_argument("--seconds", type=float, default=8, help="length of each measurement")
    parser.add_argument("--pairs", type=int, default=3, help="how often both sides take turns")
    parser.add_argument("--json", type=Path, default=Path("bench.json"), help="where to write the figures")
    options = parser.parse_args(arguments)
    # What is furnished here is no request of the service that is measured.
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory())
    console, errors = Console(), Console(stderr=True)
    rows: list[Row] = []
    try:
        find_wrk()
        with errors.status("starting") as status, running(durable=True) as url:
            os.environ[URL_VARIABLE] = url
            plan = Plan(options.seconds, options.pairs, status.update)
            for part in options.parts or _parts:
                for row in _parts[part](plan):
                    rows.append(row)
                    _write(options.json, rows)
                    errors.log(f"{row.name}: {row.ratio:.2f}")
    except BenchError as error:
        errors.print(f"bench: {error}")
        return 2
    console.print(_table(rows))
    return 0 if all(row.reached for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
