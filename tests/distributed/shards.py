"""Shadow sharding: tenant tables in partitions by community stand in for shards, and a watch on what is sent there.

Tables of one tenant are partitioned alike, so all rows of a community are in partitions of one number, as they would
be in shards of one node. A statement whose plan names two numbers would have to visit several nodes.
"""

from __future__ import annotations

import re
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

import orjson
import psycopg
import sqlalchemy as sa
from alembic import command

from app.kernel.migrating import migration_config, sync_engine

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from app.settings import Settings

SHARDS = 4
OF_ALL_COMMUNITIES = "communities"
"""The reference table: every node has all of it."""

EXCEPTIONS = {
    r"SELECT due_work\.community_id \nFROM due_work \nWHERE due_work\.next_at <= ": (
        "a worker finds the communities with work in this small table, then works in one after the other"
    ),
    r"SELECT due_work\.community_id, due_work\.unsealed_since \nFROM due_work \nWHERE due_work\.unsealed_since IS ": (
        "so does who seals"
    ),
}
"""The statements that may go over all communities, as patterns, and why."""

_tables = re.compile(r"\s*CREATE TABLE (\w+) (\(\s+community_id .*?\n\))\s*(WITH \(.*?\))?\s*", re.DOTALL)
_looking = re.compile(r"\s*(SELECT|INSERT|UPDATE|DELETE|WITH|EXECUTE)\b", re.IGNORECASE)
_in_a_message = re.compile(r"(?:[^;']|'[^']*')+")
_written_out = re.compile(r"community_id IN \(([\d, ]+)\)")
_community = re.compile(r"community(_id)?(_\d+)*(_m\d+)?")
_shard = re.compile(r"\w+_shard_(\d+)")


def migrate_sharded(settings: Settings) -> None:
    """Run the migrations as they are, but make every table of a tenant with partitions by its community."""
    engine = sync_engine(settings)
    sa.event.listen(engine, "before_cursor_execute", _in_partitions, retval=True)
    with engine.begin() as connection:
        command.upgrade(migration_config(connection), "head")
    engine.dispose()


def _in_partitions(
    _connection: object, _cursor: object, statement: str, parameters: Any, *_: object
) -> tuple[str, Any]:
    """A tenant's table with its partitions in place of the table; what is said of its storage is said of them."""
    made = _tables.fullmatch(statement)
    if made is None:
        return statement, parameters
    table, columns, storage = made.groups()
    partitions = (
        f"CREATE TABLE {table}_shard_{number} PARTITION OF {table}"
        f" FOR VALUES WITH (MODULUS {SHARDS}, REMAINDER {number}) {storage or ''}"
        for number in range(SHARDS)
    )
    return "; ".join([f"CREATE TABLE {table} {columns} PARTITION BY HASH (community_id)", *partitions]), parameters


def shards_of(settings: Settings, communities: Iterable[int]) -> dict[int, int]:
    """In which shard each of these communities is."""
    hashed = "satisfies_hash_partition('ledger_heads'::regclass, %s, shard, %s::int)"
    asked = f"SELECT shard FROM generate_series(0, %s) shard WHERE {hashed}"  # noqa: S608  texts of ours
    with psycopg.connect(settings.database_url) as connection:
        found = {one: connection.execute(asked, (SHARDS - 1, SHARDS, one)).fetchall() for one in communities}
    return {community: shards[0][0] for community, shards in found.items()}


@dataclass
class Watch:
    """What was sent: how many statements, which of them went over communities, and which exceptions were used."""

    statements: int = 0
    astray: list[str] = field(default_factory=list)
    excepted: set[str] = field(default_factory=set)

    def judge(self, statement: str, parameters: Mapping[str, Any], plan: Any) -> None:
        """Note a statement that does not stay with one community."""
        self.statements += 1
        exceptions = {pattern for pattern in EXCEPTIONS if re.match(pattern, statement)}
        self.excepted |= exceptions
        written_out = {int(one) for listed in _written_out.findall(statement) for one in listed.split(",")}
        faults = faults_of({*_named(parameters), *written_out}, plan)
        if faults and not exceptions:
            self.astray.append(f"{'; '.join(faults)}: {statement}")


def faults_of(named: Collection[int], plan: Any) -> list[str]:
    """In what a statement does not stay with one community, by its plan and by the communities that it names."""
    nodes = list(_nodes(plan["Plan"]))
    relations = {node["Relation Name"] for node in nodes if "Relation Name" in node}
    if relations <= {OF_ALL_COMMUNITIES}:
        return []
    shards = sorted({match[1] for one in relations if (match := _shard.fullmatch(one))})
    faults = [f"it touches the shards {', '.join(shards)}"] if len(shards) > 1 else []
    # Left out when the plan starts, by what a node of Citus would have to be asked for first.
    if any(node.get("Subplans Removed") for node in nodes):
        faults.append("it names its community in something else than a parameter")
    if len(named) > 1:
        faults.append(f"it names the communities {sorted(named)}")
    # No plan can tell where inserted rows go.
    if not named and any(node.get("Operation") == "Insert" for node in nodes):
        faults.append("it inserts rows of no community")
    return faults


def _nodes(node: Any) -> Iterator[Any]:
    yield node
    for inner in node.get("Plans", ()):
        yield from _nodes(inner)


def _named(parameters: Mapping[str, Any]) -> Iterator[int]:
    """The communities that parameters name, each by itself or in rows of a document."""
    for name, value in parameters.items():
        if isinstance(value, int) and _community.fullmatch(name):
            yield value
        elif isinstance(value, str) and name.startswith("rows"):
            yield from (row["community_id"] for row in orjson.loads(value) if "community_id" in row)


class _WatchedCursor(psycopg.AsyncCursor[Any]):
    """Has the database explain each statement with the parameters that it is carried out with."""

    watch: ClassVar[Watch]

    async def execute(self, query: Any, params: Any = None, **how: Any) -> Any:
        """Explain and judge a statement, or those of a message once the message has begun their transaction."""
        if isinstance(query, bytes):
            await super().execute(query, params, **how)
            for statement in _in_a_message.findall(query.decode()):
                await self._judge(statement.strip(), None)
            return self
        await self._judge(query, params)
        return await super().execute(query, params, **how)

    async def _judge(self, statement: str, params: Any) -> None:
        if _looking.match(statement):
            # On a cursor of its own, which leaves what this one has found.
            aside = psycopg.AsyncCursor(self.connection)
            await aside.execute(f"EXPLAIN (FORMAT JSON) {statement}".encode(), params, prepare=False)
            found = await aside.fetchone()
            assert found is not None
            self.watch.judge(statement, params or {}, found[0][0])


@contextmanager
def watched() -> Iterator[Watch]:
    """Watch every connection that any of the app's engines makes within the block, whatever sends on it."""
    watch = Watch()
    cursor = type("WatchedCursor", (_WatchedCursor,), {"watch": watch})

    def set_cursor(adapted: Any, _record: object) -> None:
        # Others are those of tests themselves, or of migrations.
        if isinstance(connection := getattr(adapted, "driver_connection", None), psycopg.AsyncConnection):
            connection.cursor_factory = cursor

    sa.event.listen(sa.Pool, "connect", set_cursor)
    try:
        yield watch
    finally:
        sa.event.remove(sa.Pool, "connect", set_cursor)
