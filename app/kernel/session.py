"""One transaction: what reads, decides and writes in it is handed a session, and nothing below begins or ends one."""

from __future__ import annotations

from datetime import UTC
from functools import lru_cache
from itertools import chain
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar, cast

import sqlalchemy as sa
from sqlalchemy.sql.visitors import iterate

from app.kernel.engines import LONG_WORK, WITHOUT_KEYS
from app.kernel.heads import Head, ledger_heads
from app.kernel.moments import of_micros
from app.kernel.rows import (
    CITUS,
    COMMUNITY,
    SQLITE,
    answers,
    document_of,
    parted,
    questions,
    statement_of,
    update_rows,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from sqlalchemy.sql.elements import ClauseElement

    from app.kernel.channels import Channel
    from app.kernel.clock import Clock
    from app.kernel.notes import Signer
    from app.kernel.rows import AnyRow, Found, Query, Read, Row, Write
    from app.kernel.vault import Vault

ResultT = TypeVar("ResultT")

APP_ROLE = "lovebank_app"
"""PostgreSQL role that the app takes on in every transaction: row level security and the missing grants bind it."""

AUDITOR_ROLE = "lovebank_auditor"
"""The role that it takes on instead for those who only audit: it reads what is neither secret nor personal."""


class AbandonedError(Exception):
    """Ends a transaction that is to leave no trace."""


class _Part(NamedTuple):
    """What of a question one statement may ask, and the community that it names where the database is distributed."""

    statement: Query
    document: str
    community: int | None


class Session:
    """One transaction: the connection, the locked heads, the community's time and the keys of personal data."""

    def __init__(
        self,
        channel: Channel,
        dialect: str,
        *,
        clock: Clock,
        vault: Vault,
        signer: Signer,
        role: str = APP_ROLE,
    ) -> None:
        """Wrap a channel; `dialect` is the database's (see `app.kernel.rows`), `role` what it takes on there."""
        self.connection = channel.connection
        self.dialect = dialect
        self._channel = channel
        self.vault = vault
        self.signer = signer
        self.heads: dict[int, Head] = {}
        self._clock = clock
        self.role = role
        self.is_abandoned = False
        self.leaves_no_copy = False
        self.seen: set[int] = set()
        self.leaves: dict[tuple[int, str], list[tuple[int, bytes]]] = {}
        """What was posted here, by community and reference: numbers and leaves, until their receipts are written."""
        self._waiting: dict[Write, dict[object, Row]] = {}
        self._foreseen: dict[_Part, list[Sequence[Any]]] = {}

    def now(self, community: int) -> datetime:
        """Give the community's time: fixed for the transaction that holds its head, else its clock's."""
        head = self.heads.get(community)
        return head.now if head else self._clock.now(community)

    def abandon(self) -> None:
        """Make the transaction leave nothing behind: a dry run."""
        self.is_abandoned = True

    def leave_no_copy(self) -> None:
        """Have what is deleted leave the files that the database keeps beside its own as well, after the commit."""
        self.leaves_no_copy = True

    async def empty_log(self) -> None:
        """Bring SQLite's log into its file and cut it off; outside of a transaction, once readers let it be."""
        await self._channel.rows("PRAGMA wal_checkpoint(TRUNCATE)")

    async def execute(self, statement: sa.Executable, parameters: Mapping[str, Any] | None = None) -> Found:
        """Run one statement; it sees all that was written before."""
        await self._make_way(statement)
        await self._channel.ready()
        return await self.connection.execute(statement, parameters)

    async def _make_way(self, statement: sa.Executable) -> None:
        """Send what waits before a statement that looks there, and forget what one may change."""
        if not isinstance(statement, sa.Select):
            self._foreseen.clear()
            await self.flush()
        elif not self._waiting_tables().isdisjoint(_tables_of(statement)):
            await self.flush()

    async def load(self, *reads: Read[Any], then: str | None = None) -> tuple[Any, ...]:
        """Ask several questions in one statement: for each what its answer means. `then` follows it."""
        parts = [self._parts(read) for read in reads]
        await self._look_up([part for part in chain.from_iterable(parts) if part not in self._foreseen], then)
        return tuple(
            read.understand([*chain.from_iterable(self._foreseen[part] for part in of_read)])
            for read, of_read in zip(reads, parts, strict=True)
        )

    async def ask_once(self, read: Read[ResultT]) -> ResultT:
        """Ask one question that nobody asks again."""
        (answer,) = await self.load_once(read)
        return cast("ResultT", answer)

    async def load_once(self, *reads: Read[Any]) -> tuple[Any, ...]:
        """Ask several questions that nobody asks again, as when going through all there is: nothing of it is kept."""
        answered = await self.load(*reads)
        for part in chain.from_iterable(self._parts(read) for read in reads):
            self._foreseen.pop(part, None)
        return answered

    def _parts(self, read: Read[Any]) -> list[_Part]:
        return [
            _Part(read.statement, document_of(self.dialect, rows).decode(), community)
            for community, rows in parted(self.dialect, read.rows)
        ]

    async def _look_up(self, parts: Sequence[_Part], then: str | None = None) -> Sequence[Sequence[Any]]:
        """Ask in one statement; where the database is distributed, in one for each community.

        Gives the rows of what was sent before in the same message.
        """
        if self._waiting and not self._waiting_tables().isdisjoint(
            chain.from_iterable(_tables_of(part.statement) for part in parts)
        ):
            await self.flush()
        before: list[Sequence[Any]] = []
        communities = list(dict.fromkeys(part.community for part in parts))
        for place, community in enumerate(communities, 1):
            ours = [part for part in parts if part.community == community]
            asked = questions(self.dialect, tuple(part.statement for part in ours))
            values: dict[str, Any] = {f"rows_{place}": part.document for place, part in enumerate(ours)}
            if community is not None:
                values |= {f"{COMMUNITY}_{place}": community for place in range(len(ours))}
            last = (then,) if then and place == len(communities) else ()
            found = await self._channel.ask(asked, values, *last)
            before += found.before
            for part, text, columns in zip(ours, found.answers, asked.columns, strict=True):
                self._foreseen[part] = answers(text, columns)
        return before

    async def ask(self, read: Read[ResultT]) -> ResultT:
        """Ask one question."""
        (answer,) = await self.load(read)
        return cast("ResultT", answer)

    async def write_later(self, write: Write, rows: Sequence[Row]) -> None:
        """Keep rows to write, until something needs to see them or the transaction ends: all in one go is cheaper.

        Citus gets them at once: it would carry out the parts of such a statement on its coordinator.
        """
        self._foreseen = {
            part: found for part, found in self._foreseen.items() if write.table not in _tables_of(part.statement)
        }
        if self.dialect == CITUS:
            await self._send_rows(statement_of(self.dialect, write, "rows"), rows)
            return
        if write not in self._waiting and write.table in self._waiting_tables():
            await self.flush()
        waiting = self._waiting.setdefault(write, {})
        # Of two updates of a row the later holds; an inserted row is one of its own.
        waiting.update(((write.key_of(row), row) for row in rows) if write.key else enumerate(rows, len(waiting)))

    async def flush(self, *then: str) -> None:
        """Send what waits to be written in one go, and `then` in the same message."""
        if not self._waiting:
            return
        writes = tuple(self._waiting)
        documents = [document_of(self.dialect, list(rows.values())) for rows in self._waiting.values()]
        self._waiting = {}
        await self._channel.write(writes, documents, *then)

    def _waiting_tables(self) -> set[sa.FromClause]:
        return {write.table for write in self._waiting}

    async def execute_rows(self, statement: sa.Executable, rows: Sequence[Mapping[str, Any]]) -> list[AnyRow]:
        """Run a statement over the rows that it reads as `rows` (see `app.kernel.rows`), and give what it finds.

        Where the database is distributed it runs once for each community; an order holds within one.
        """
        await self._make_way(statement)
        return await self._send_rows(statement, rows)

    async def _send_rows(self, statement: sa.Executable, rows: Sequence[Mapping[str, Any]]) -> list[AnyRow]:
        found: list[AnyRow] = []
        await self._channel.ready()
        for community, of_community in parted(self.dialect, rows):
            values = {"rows": document_of(self.dialect, of_community).decode()}
            bound = {} if community is None else {COMMUNITY: community}
            result = await self.connection.execute(statement, {**values, **bound})
            if result.returns_rows:
                found += result
        return found

    async def show(self, *communities: int) -> None:
        """Name the communities whose rows row level security lets this transaction see."""
        self.seen = set(communities)
        # What was not visible may be now.
        self._foreseen.clear()
        if self.dialect != SQLITE:
            listed = ",".join(str(int(community)) for community in communities)
            # Literals of ours: SET takes no parameters.
            self._channel.first(f"SET LOCAL ROLE {self.role}", f"SET LOCAL lovebank.communities = '{listed}'")

    async def take_time(self) -> None:
        """Have PostgreSQL not break off what takes longer in this transaction than a caller of the API waits."""
        if self.dialect != SQLITE:
            self._channel.first(*(f"SET LOCAL {name} = '{most}'" for name, most in LONG_WORK.items()))

    async def read_whole_tables(self) -> None:
        """Let PostgreSQL plan for that in this transaction, instead of finding each row by a key, and take its time."""
        await self.take_time()
        if self.dialect != SQLITE:
            self._channel.first(*(f"SET LOCAL enable_{way} = on" for way in WITHOUT_KEYS))

    async def join_whole_tables(self) -> None:
        """Have PostgreSQL look nothing up row by row from here on, as it would where only the first rows are wanted.

        Of an audit's queries those are none, and every row has to be looked at to know.
        """
        if self.dialect != SQLITE:
            self._channel.first("SET LOCAL enable_nestloop = off")

    async def lock_heads(self, *communities: int, ahead: Sequence[Read[Any]] = ()) -> None:
        """Lock the heads of these communities in ascending order, so that two writers never wait for each other.

        What is asked `ahead` travels with that: it is answered from here until its tables change.
        """
        self._channel.first(*self._locks(sorted(set(communities))))
        parts = [part for read in ahead for part in self._parts(read)]
        if parts:
            found = await self._look_up(parts)
        else:
            found = await self._channel.rows() if communities else []
        moment_of = of_micros if self.dialect == SQLITE else _in_utc
        for community, transaction_number, event_number, account_number, last_at, sealed_number in found:
            now = max(self._clock.now(community), moment_of(last_at))
            numbers = (transaction_number, event_number, account_number)
            self.heads[community] = Head(community, *numbers, now, sealed_number)

    def _locks(self, communities: Sequence[int]) -> list[str]:
        # Where they are on several nodes, one after the other.
        parts = [[community] for community in communities] if self.dialect == CITUS else [communities]
        # SQLite has one writer, which this transaction is by now.
        locking = "" if self.dialect == SQLITE else " FOR UPDATE"
        return [
            f"SELECT {_head_columns} FROM {ledger_heads.name} WHERE community_id IN"  # noqa: S608  numbers alone
            f" ({', '.join(str(int(one)) for one in part)}) ORDER BY community_id{locking}"
            for part in parts
            if part
        ]

    async def open_head(self, community: int) -> Head:
        """Begin the ledger of a new community and let this transaction go on in it."""
        await self.show(*self.heads, community)
        head = Head(community, 0, 0, 0, self._clock.now(community))
        await self.execute(
            sa.insert(ledger_heads).values(
                community_id=community, transaction_number=0, event_number=0, account_number=0, last_at=head.now
            )
        )
        self.heads[community] = head
        return head

    async def finish(self) -> None:
        """Write what waits and the heads that handed out numbers; raise when it is all to leave nothing behind."""
        changed = [
            {
                "community_id": head.community,
                "transaction_number": head.transaction_number,
                "event_number": head.event_number,
                "account_number": head.account_number,
                "last_at": head.now,
                "sealed_number": head.sealed_number,
            }
            for head in self.heads.values()
            if head.changed
        ]
        await update_rows(self, ledger_heads, ("community_id",), changed)
        if self.is_abandoned:
            await self.flush()
            raise AbandonedError
        await self.flush("COMMIT")


_head_columns = ", ".join(ledger_heads.c.keys())


def _in_utc(moment: datetime) -> datetime:
    return moment.astimezone(UTC)


@lru_cache(maxsize=1000)
def _tables_of(statement: sa.Executable) -> frozenset[sa.FromClause]:
    """All tables that a statement names, wherever."""
    return frozenset(element for element in iterate(cast("ClauseElement", statement)) if isinstance(element, sa.Table))
