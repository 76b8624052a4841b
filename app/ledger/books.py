"""A community's ledger as its audits go through it: one stretch of transactions after the other, each read once."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from operator import itemgetter
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from app.kernel.heads import ledger_heads
from app.kernel.rows import Read, looked_up, rows_of
from app.kernel.types import Count
from app.ledger.audit import Discrepancy
from app.ledger.leaves import Leaf, digest
from app.ledger.store import Act, Booked
from app.ledger.tables import ledger_accounts, ledger_postings, ledger_transactions

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from app.kernel.database import Session
    from app.kernel.rows import Query
    from app.ledger.leaves import Bound

_step = 1000
_shown_max = 1000
_number_max = 2**53

_t, _p, _a = ledger_transactions.c, ledger_postings.c, ledger_accounts.c


@dataclass(frozen=True, slots=True)
class Stretch:
    """Transactions of a community in order, and the range of numbers that they stand for.

    The first stretch reaches down, and the last one up, to where no number is: what refers there is looked at as well.
    """

    community: int
    first: int
    last: int
    leaves: list[tuple[Leaf, bytes | None]]
    booked: dict[int, Booked]

    @property
    def asked(self) -> list[dict[str, int]]:
        """The row by which what refers to these transactions is asked for: see `between`."""
        return [{"community_id": self.community, "first": self.first, "last": self.last}]


def between(dialect: str, found: Query, number: sa.Column[Any]) -> Query:
    """Make of a query one for rows of a table whose `number` lies in the stretch that is asked for, in any order."""
    table = number.table
    bounds = [sa.column(name, Count) for name in ("first", "last")]
    asked = rows_of(dialect, "rows", [table.c.community_id, *bounds])
    matches = (table.c.community_id == asked.c.community_id) & number.between(asked.c.first, asked.c.last)
    return looked_up(dialect, asked, found, matches)


@cache
def _transactions(dialect: str) -> Query:
    columns = (
        _t.transaction_number,
        _t.kind,
        _t.posted_at,
        _t.posted_by,
        _t.reference,
        _t.reverses,
        _t.reason,
        _t.salt,
        _t.evidence,
        _t.leaf,
    )
    return between(dialect, sa.select(*columns), _t.transaction_number)


@cache
def _postings(dialect: str) -> Query:
    columns = (_p.transaction_number, _p.account_number, _p.amount, _p.version, _p.balance_after)
    return between(dialect, sa.select(*columns), _p.transaction_number)


class Books:
    """A community's books: its accounts by number, and its transactions, a stretch at a time."""

    def __init__(self, session: Session, community: int, last: int) -> None:
        """Begin without accounts, and with the highest number of a transaction."""
        self.session, self.community, self._last = session, community, last
        self.accounts: dict[int, tuple[str, str]] = {}
        """The addresses and units of accounts by number."""
        self.bounds: dict[int, int] = {}

    @classmethod
    async def open(cls, session: Session, community: int) -> Books:
        """Read a community's accounts, and how far its transactions go."""
        posted = sa.select(sa.func.coalesce(sa.func.max(_t.transaction_number), 0)).where(_t.community_id == community)
        handed_out = sa.select(sa.func.coalesce(sa.func.max(ledger_heads.c.transaction_number), 0)).where(
            ledger_heads.c.community_id == community
        )
        last = max([(await session.execute(query)).scalar_one() for query in (posted, handed_out)])
        books = cls(session, community, last)
        columns = (_a.account_number, _a.address, _a.unit, _a.bound)
        for number, address, unit, bound in await session.execute(
            sa.select(*columns).where(_a.community_id == community).order_by(_a.account_number)
        ):
            books.accounts[number], books.bounds[number] = (address, unit), bound
        return books

    async def stretches(self) -> AsyncIterator[Stretch]:
        """Go through all transactions."""
        for first in range(1, max(self._last, 1) + 1, _step):
            yield await self._stretch(
                first if first > 1 else -_number_max, first + _step - 1 if first + _step <= self._last else _number_max
            )

    async def _stretch(self, first: int, last: int) -> Stretch:
        stretch = Stretch(self.community, first, last, [], {})
        dialect = self.session.dialect
        transactions, postings = await self.session.load_once(
            Read(_transactions(dialect), stretch.asked, list), Read(_postings(dialect), stretch.asked, list)
        )
        lines = self._lines(postings)
        for row in sorted(transactions, key=itemgetter(0)):
            number, kind, posted_at, posted_by, reference, reverses, reason, salt, evidence, stored = row
            moved = lines.get(number, [])
            words = None if reason is None or salt is None else digest(salt, reason.encode())
            leaf = Leaf(self.community, number, kind, posted_at, posted_by, reference, reverses, words, evidence, moved)
            stretch.leaves.append((leaf, stored))
            act = Act(posted_by, posted_at, reason)
            movements = {line[0]: line[2] for line in moved}
            stretch.booked[number] = Booked(kind, reference, movements, salt, evidence, act)
        return stretch

    def _lines(self, postings: list[Sequence[Any]]) -> dict[int, list[Bound]]:
        """Postings by transaction; those of no account are left out."""
        lines: dict[int, list[Bound]] = {}
        accounts = self.accounts
        for number, account_number, amount, version, balance_after in postings:
            account = accounts.get(account_number)
            if account is not None:
                line = (*account, amount, version, balance_after)
                if number in lines:
                    lines[number].append(line)
                else:
                    lines[number] = [line]
        return lines


@dataclass(slots=True)
class Claims:
    """Transactions of some kinds, each of which something has to stand behind; those with nothing are named."""

    check: str
    kinds: frozenset[str]
    posted: int = 0
    claimed: int = 0
    found: list[Discrepancy] = field(default_factory=list)

    def hold(self, stretch: Stretch, claimed: Sequence[int]) -> None:
        """Hold a stretch's transactions against the numbers of those that something stands behind."""
        self.claimed += len(claimed)
        behind = frozenset(claimed)
        for number, booked in stretch.booked.items():
            if booked.kind in self.kinds:
                self.posted += 1
                if number not in behind and len(self.found) < _shown_max:
                    detail = f"kind {booked.kind}, reference {booked.reference}"
                    self.found.append(Discrepancy(self.check, f"transaction/{number}", detail))

    def finish(self) -> list[Discrepancy]:
        """Give those with nothing behind them; where there are none, but too few, that."""
        if self.found or self.posted == self.claimed:
            return self.found
        return [Discrepancy(self.check, "community", f"posted {self.posted}, stored {self.claimed}")]
