"""The table of benchmarks: each row a ratio of the service to a peer, in pairs that take turns within one run."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING

import psycopg
from pydantic import SecretStr

from app.imports.service import import_folder
from app.kernel.migrating import migrate
from app.main import open_database
from app.settings import Settings
from tests.bench import peers
from tests.bench.load import BATCH_ROWS, Load, empty_route, loaded
from tests.bench.world import furnished
from tests.conftest import new_postgresql
from tests.imports.test_import import PAPER

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from app.imports.service import Step
    from tests.bench.world import World

COMMUNITIES = 50
READERS = 8
WARM_UP_SECONDS = 3.0
_batch_connections = 4


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the table: what is measured, the goal of its ratio, and the pairs (the service's, the peer's)."""

    name: str
    unit: str
    goal: float
    pairs: list[tuple[float, float]]
    at_most: bool = False

    @property
    def ratio(self) -> float:
        """The median of the pairs' ratios."""
        return median(ours / peer for ours, peer in self.pairs)

    @property
    def reached(self) -> bool:
        """Whether the goal is reached."""
        return self.ratio <= self.goal if self.at_most else self.ratio >= self.goal


@dataclass(frozen=True, slots=True)
class Plan:
    """How long and how often to measure, and whom to tell of each step."""

    seconds: float
    pairs: int
    step: Callable[[str], None]

    def take(self, name: str, ours: Callable[[], float], peer: Callable[[], float]) -> list[tuple[float, float]]:
        """Measure both sides in turn."""
        found = []
        for number in range(1, self.pairs + 1):
            self.step(f"{name}: {number} of {self.pairs}")
            found.append((ours(), peer()))
        return found


def on_postgresql(plan: Plan) -> Iterator[Row]:
    """Deposits, batches and reads on PostgreSQL, and what a posting takes on its disk."""
    plan.step("furnishing PostgreSQL")
    with furnished("postgresql", COMMUNITIES) as world:
        peers.create_function(world)
        with world.served() as url:
            loaded(world, url, "deposits", seconds=WARM_UP_SECONDS)
            peers.settle(world)
            yield from _deposits(plan, world, url)
            yield from _reads(plan, world, url)
        yield _bytes_on_postgresql(world)


def _deposits(plan: Plan, world: World, url: str) -> Iterator[Row]:
    numbers = [target.number for target in world.targets]
    loads: list[Load] = []

    def deposits(count: int) -> Callable[[], float]:
        def measure() -> float:
            loads.append(loaded(world, url, "deposits", seconds=plan.seconds, targets=world.targets[:count]))
            return loads[-1].per_second

        return measure

    def batches() -> float:
        load = loaded(world, url, "batches", seconds=plan.seconds, connections=_batch_connections)
        return load.per_second * BATCH_ROWS

    def function(count: int) -> Callable[[], float]:
        return lambda: peers.pgbench(world, numbers[:count], plan.seconds)

    name = f"deposits, {COMMUNITIES} communities"
    yield Row(name, "deposits/s", 1.0, plan.take(name, deposits(COMMUNITIES), function(COMMUNITIES)))
    yield Row(f"{name}: p99 to p50", "ms", 4.0, [(load.p99_ms, load.p50_ms) for load in loads], at_most=True)
    name = "deposits, one community"
    yield Row(name, "deposits/s", 4.0, plan.take(name, deposits(1), function(1)))
    name = f"batches of {BATCH_ROWS}"
    yield Row(name, "deposits/s", 6.0, plan.take(name, batches, function(COMMUNITIES)))


def _reads(plan: Plan, world: World, url: str) -> Iterator[Row]:
    with empty_route() as (empty, _):
        for what, goal in (("balance", 0.75), ("statement", 0.3)):
            pairs = plan.take(
                what,
                lambda what=what: loaded(world, url, what, seconds=plan.seconds).per_second,  # type: ignore[misc]
                lambda: loaded(world, empty, "empty", seconds=plan.seconds).per_second,
            )
            yield Row(f"{what} to an empty route", "requests/s", goal, pairs)


def several_processes(plan: Plan) -> Iterator[Row]:
    """What two processes bring, to one, with the database and the load on the same machine."""
    plan.step("furnishing PostgreSQL")
    with (
        furnished("postgresql", COMMUNITIES) as world,
        world.served() as one,
        world.served("--workers", "2") as two,
    ):
        for url in (one, two):
            loaded(world, url, "deposits", seconds=WARM_UP_SECONDS)
        peers.settle(world)
        for what in ("deposits", "balance"):
            name = f"{what} by two processes, to one"
            pairs = plan.take(
                name,
                lambda what=what: loaded(world, two, what, seconds=plan.seconds).per_second,  # type: ignore[misc]
                lambda what=what: loaded(world, one, what, seconds=plan.seconds).per_second,  # type: ignore[misc]
            )
            yield Row(name, "requests/s", 1.0, pairs)


def sealing(plan: Plan) -> Iterator[Row]:
    """What is left of deposits while they are sealed, to a service that leaves that to others."""
    plan.step("furnishing PostgreSQL")
    with furnished("postgresql", COMMUNITIES) as world:
        peers.settle(world)

        def deposits(*, sealed: bool) -> float:
            with world.served() if sealed else world.served_alone() as url:
                loaded(world, url, "deposits", seconds=WARM_UP_SECONDS)
                return loaded(world, url, "deposits", seconds=plan.seconds).per_second

        name = "deposits while they are sealed, to unsealed"
        pairs = plan.take(name, lambda: deposits(sealed=True), lambda: deposits(sealed=False))
        yield Row(name, "deposits/s", 0.9, pairs)


def _bytes_on_postgresql(world: World) -> Row:
    with psycopg.connect(world.settings.database_url) as connection:
        found = connection.execute(
            "SELECT pg_total_relation_size('ledger_postings'), count(*) FROM ledger_postings"
        ).fetchone()
    assert found
    return Row("a posting on PostgreSQL", "bytes", 160, [(found[0] / found[1], 1)], at_most=True)


def _bytes_on_sqlite(world: World) -> Row:
    with closing(peers.opened(world)) as connection:
        (size,) = connection.execute(
            "SELECT sum(pgsize) FROM dbstat JOIN sqlite_schema USING (name) WHERE tbl_name = 'ledger_postings'"
        ).fetchone()
        (count,) = connection.execute("SELECT count(*) FROM ledger_postings").fetchone()
    return Row("a posting on SQLite", "bytes", 90, [(size / count, 1)], at_most=True)


def importing(plan: Plan) -> Iterator[Row]:
    """Service records of the year of paper a second, into a new PostgreSQL."""
    found = []
    for number in range(1, plan.pairs + 1):
        plan.step(f"import: {number} of {plan.pairs}")
        with new_postgresql() as url:
            settings = Settings(database_url=url, secret_pepper=SecretStr("a pepper for imports that is long enough"))
            migrate(settings)
            found.append((asyncio.run(_records_a_second(settings)), 1.0))
    yield Row("import of service records", "records/s", 5000, found)


async def _records_a_second(settings: Settings) -> float:
    moments: dict[str, float] = {}
    records = 0

    def step(step: Step) -> None:
        nonlocal records
        file, _, total = step
        moments[file] = time.perf_counter()
        if file == "service-records.csv":
            records = total

    database = open_database(settings)
    await import_folder(database, PAPER, progress=step)
    await database.close()
    return records / (moments["service-records.csv"] - moments["volunteers.csv"])


def on_sqlite(plan: Plan) -> Iterator[Row]:
    """Deposits and batches on SQLite, alone and beside readers."""
    plan.step("furnishing SQLite")
    with furnished("sqlite", COMMUNITIES) as world:
        with world.served() as url:
            yield from _deposits_on_sqlite(plan, world, url)
        yield _bytes_on_sqlite(world)


def _deposits_on_sqlite(plan: Plan, world: World, url: str) -> Iterator[Row]:
    alone: list[float] = []

    def deposits() -> float:
        return loaded(world, url, "deposits", seconds=plan.seconds).per_second

    def batches() -> float:
        load = loaded(world, url, "batches", seconds=plan.seconds, connections=_batch_connections)
        return load.per_second * BATCH_ROWS

    def loop() -> float:
        return peers.sqlite_loop(world, plan.seconds)

    def remembered() -> float:
        alone.append(deposits())
        return alone[-1]

    def beside_readers() -> float:
        with ThreadPoolExecutor(1) as pool:
            reads = pool.submit(loaded, world.apart(), url, "balance", seconds=plan.seconds + 1, connections=READERS)
            measured = deposits()
            reads.result()
        return measured

    yield Row("SQLite: deposits", "deposits/s", 2.0, plan.take("SQLite: deposits", remembered, loop))
    yield Row("SQLite: batches", "deposits/s", 5.0, plan.take("SQLite: batches", batches, loop))
    name = f"SQLite: deposits beside {READERS} readers, to alone"
    yield Row(name, "deposits/s", 0.5, plan.take(name, beside_readers, deposits))


def at_rest(plan: Plan) -> Iterator[Row]:
    """What the service takes to start and while idle, against an empty app."""
    with furnished("sqlite", 1) as world:
        starts, memory = [], []
        for number in range(1, plan.pairs + 1):
            plan.step(f"start and memory: {number} of {plan.pairs}")
            began = time.perf_counter()
            with world.started() as (_, process):
                ours, ours_memory = time.perf_counter() - began, _memory(process.pid)
            began = time.perf_counter()
            with empty_route() as (_, other):
                starts.append((ours, time.perf_counter() - began))
                memory.append((ours_memory, _memory(other.pid)))
        yield Row("start to an empty app's", "s", 2.0, starts, at_most=True)
        yield Row("idle memory to an empty app's", "MiB", 2.0, memory, at_most=True)


def _memory(pid: int) -> float:
    program = shutil.which("ps") or "/bin/ps"
    found = subprocess.run([program, "-o", "rss=", "-p", str(pid)], capture_output=True, text=True, check=True)
    return int(found.stdout) / 1024
