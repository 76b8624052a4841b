"""Load on a server, by wrk: a compiled generator, so that what is measured is the service."""

from __future__ import annotations

import json
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg

from tests.running.test_serve import free_port, wait_until_it_answers

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tests.bench.world import Target, World

CONNECTIONS = 32
BATCH_ROWS = 500

SERVICES_MAX = 40 * 630 * 8
"""Services that fit into a community: of each volunteer eight hours on each day that `load.lua` knows."""

_script = Path(__file__).with_name("load.lua")


class BenchError(Exception):
    """What keeps a benchmark from telling anything."""


@dataclass(frozen=True, slots=True)
class Load:
    """What came of a load: answers and seconds, and the time of an answer in milliseconds."""

    requests: int
    seconds: float
    failed: int
    p50_ms: float
    p99_ms: float

    @property
    def per_second(self) -> float:
        """Answers a second."""
        return self.requests / self.seconds


def find_wrk() -> str:
    """The program. Raises `BenchError` with how to install it."""
    program = shutil.which("wrk")
    if program is None:
        message = "wrk is missing: `apt install wrk` on Debian, `brew install wrk` on macOS"
        raise BenchError(message)
    return program


def loaded(
    world: World, url: str, what: str, *, seconds: float, targets: Sequence[Target] = (), connections: int = CONNECTIONS
) -> Load:
    """Send one kind of request for some seconds.

    Raises `BenchError` when one of them failed, or when deposits were not what came of it.
    """
    listed = world.folder / "targets"
    targets = targets or world.targets
    listed.write_text("".join(target.line() for target in targets), encoding="utf-8")
    before = deposits(world)
    options = ["-t", "1", "-c", str(connections), "-d", f"{seconds:g}s", "--timeout", "30s", "-s", str(_script)]
    command = [find_wrk(), *options, url, "--", str(listed), what, str(BATCH_ROWS), str(world.services)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    _, found, result = done.stdout.partition("RESULT ")
    if not found:
        message = f"wrk failed: {done.stdout}{done.stderr}"
        raise BenchError(message)
    load = Load(**json.loads(result))
    services = {"deposits": 1, "batches": BATCH_ROWS}.get(what, 0)
    # Those under way at the end were never counted, and may have been carried out.
    world.services += -(-(load.requests + connections) // len(targets)) * services
    if load.failed:
        message = f"{load.failed} of {load.requests} requests ({what}) failed; the log: {world.folder / 'service.log'}"
        raise BenchError(message)
    if deposits(world) - before < load.requests * services:
        message = f"{load.requests} requests ({what}) made {deposits(world) - before} deposits"
        raise BenchError(message)
    if world.services > SERVICES_MAX:
        message = "there is no day left to serve on: measure for a shorter time"
        raise BenchError(message)
    return load


def deposits(world: World) -> int:
    """How many transactions the ledgers have."""
    counting = "SELECT sum(transaction_number) FROM ledger_heads"
    if world.settings.on_sqlite:
        with closing(sqlite3.connect(world.settings.database_url.removeprefix("sqlite:///"))) as connection:
            return int(connection.execute(counting).fetchone()[0])
    with psycopg.connect(world.settings.database_url) as server:
        return int((server.execute(counting).fetchone() or (0,))[0])


@contextmanager
def empty_route() -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """Serve a FastAPI app with one empty route, and give its address and process."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    process = subprocess.Popen([sys.executable, "-m", "tests.bench.empty", str(port)])
    try:
        wait_until_it_answers(process, f"{url}/")
        yield url, process
    finally:
        process.kill()
        process.wait()
