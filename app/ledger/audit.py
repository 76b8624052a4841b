"""Recomputes a community's ledger from its postings, and says where anything disagrees.

Every check is one query that returns the rows that are wrong, so that an audit of any size stays in the database.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Literal

import sqlalchemy as sa

from app.kernel.heads import ledger_heads
from app.ledger.tables import ledger_accounts, ledger_balances, ledger_postings, ledger_transactions

if TYPE_CHECKING:
    from app.kernel.database import Session
    from app.kernel.rows import Query

_shown_max = 1000


@dataclass(frozen=True, slots=True)
class Discrepancy:
    """One thing that does not agree: the check that found it, where, and the numbers involved."""

    check: str
    subject: str
    detail: str

    @property
    def cause(self) -> Literal["tampering", "tampering-or-bug"]:
        """Whether it contradicts what was sealed or signed, or only itself, as a balance its postings.

        The first is a change by somebody, or settings that name another log or key than signed; the second may be a
        fault of the service as well.
        """
        return "tampering" if self.check in OF_SEALS else "tampering-or-bug"


OF_SEALS = frozenset(
    {
        "answer-differs",
        "checkpoint-contradicts",
        "checkpoint-differs",
        "checkpoint-missing",
        "checkpoint-unlinked",
        "checkpoint-unsigned",
        "city-leaf-differs",
        "evidence-differs",
        "leaf-differs",
        "leaf-missing",
        "node-differs",
        "node-missing",
        "witness-unsigned",
    }
)
"""Checks against hashes and signatures."""


async def audit(session: Session, community: int) -> list[Discrepancy]:
    """Check every account and transaction of a community; at most 1,000 discrepancies a check are listed."""
    found: list[Discrepancy] = []
    for name, (statement, subject) in _checks().items():
        rows = await session.execute(statement.limit(_shown_max), {"community": community})
        for row in rows:
            facts = {key: value for key, value in row._mapping.items() if key != "subject"}
            detail = ", ".join(f"{key} {value}" for key, value in facts.items())
            found.append(Discrepancy(name, f"{subject}/{row.subject}", detail))
    return found


@cache
def _checks() -> dict[str, tuple[Query, str]]:
    return {
        "version-gap": (_version_gaps(), "account"),
        "balance-jump": (_balance_jumps(), "account"),
        "balance-stale": (_stale_balances(), "account"),
        "balance-out-of-bounds": (_out_of_bounds(), "account"),
        "balance-missing": (_missing_balances(), "account"),
        "account-gap": (_account_gaps(), "community"),
        "unit-not-zero": (_unbalanced(), "transaction"),
        "postings-missing": (_incomplete(), "transaction"),
        "transaction-missing": (_orphans(), "transaction"),
        "transaction-gap": (_transaction_gaps(), "community"),
        "time-runs-back": (_times_back(), "transaction"),
        "reversal-not-opposite": (_bad_reversals(), "transaction"),
    }


_community: sa.BindParameter[int] = sa.bindparam("community", type_=sa.Integer)
_p, _a, _b, _t, _h = ledger_postings.c, ledger_accounts.c, ledger_balances.c, ledger_transactions.c, ledger_heads.c


def _windowed() -> sa.Subquery:
    """Postings, each beside the one before it in its account."""

    def before(column: sa.ColumnElement[Any], name: str) -> sa.ColumnElement[Any]:
        previous = sa.func.lag(column).over(partition_by=_p.account_number, order_by=_p.version)
        return sa.func.coalesce(previous, 0).label(name)

    return (
        sa.select(
            _p.account_number,
            _p.version,
            _p.amount,
            _p.balance_after,
            _p.transaction_number,
            before(_p.version, "version_before"),
            before(_p.balance_after, "balance_before"),
            before(_p.transaction_number, "transaction_before"),
        )
        .where(_p.community_id == _community)
        .subquery("windowed")
    )


def _version_gaps() -> Query:
    w = _windowed().c
    return sa.select(w.account_number.label("subject"), w.version, w.version_before).where(
        (w.version != w.version_before + 1) | (w.transaction_number <= w.transaction_before)
    )


def _balance_jumps() -> Query:
    w = _windowed().c
    return sa.select(w.account_number.label("subject"), w.version, w.balance_before, w.amount, w.balance_after).where(
        w.balance_after != w.balance_before + w.amount
    )


def _stale_balances() -> Query:
    """Balances that are not the sum, or not at the last version, of their postings."""
    summed = (
        sa.select(
            _p.account_number,
            sa.func.sum(_p.amount).label("summed"),
            sa.func.max(_p.version).label("last_version"),
        )
        .where(_p.community_id == _community)
        .group_by(_p.account_number)
        .subquery("summed")
    )
    total, last = sa.func.coalesce(summed.c.summed, 0), sa.func.coalesce(summed.c.last_version, 0)
    return (
        sa.select(_b.account_number.label("subject"), _b.balance, total.label("postings_sum"), _b.version)
        .select_from(ledger_balances.outerjoin(summed, summed.c.account_number == _b.account_number))
        .where(_b.community_id == _community, (_b.balance != total) | (_b.version != last))
    )


def _out_of_bounds() -> Query:
    joined = ledger_postings.join(
        ledger_accounts, (_a.community_id == _p.community_id) & (_a.account_number == _p.account_number)
    )
    return (
        sa.select(_p.account_number.label("subject"), _p.version, _p.balance_after)
        .select_from(joined)
        .where(_p.community_id == _community, _p.balance_after * _a.bound < 0)
    )


def _missing_balances() -> Query:
    """Accounts without a balance of the same bound, and postings without an account."""
    held = sa.select(sa.literal(1)).where(
        _b.community_id == _community, _b.account_number == _a.account_number, _b.bound == _a.bound
    )
    opened = sa.select(sa.literal(1)).where(_a.community_id == _community, _a.account_number == _p.account_number)
    accounts = sa.select(_a.account_number).where(_a.community_id == _community, ~held.exists())
    postings = sa.select(_p.account_number).where(_p.community_id == _community, ~opened.exists())
    both = sa.union(accounts, postings).subquery("missing")
    return sa.select(both.c.account_number.label("subject"))


def _account_gaps() -> Query:
    opened = sa.select(sa.func.count()).where(_a.community_id == _community).scalar_subquery()
    last = (
        sa.select(sa.func.coalesce(sa.func.max(_a.account_number), 0))
        .where(_a.community_id == _community)
        .scalar_subquery()
    )
    return sa.select(
        _h.community_id.label("subject"), _h.account_number.label("head"), opened.label("accounts"), last.label("last")
    ).where(_h.community_id == _community, (_h.account_number != opened) | (_h.account_number != last))


def _unbalanced() -> Query:
    total = sa.func.sum(_p.amount)
    return (
        sa.select(_p.transaction_number.label("subject"), _a.unit, total.label("sum"))
        .select_from(
            ledger_postings.join(
                ledger_accounts, (_a.community_id == _p.community_id) & (_a.account_number == _p.account_number)
            )
        )
        .where(_p.community_id == _community)
        .group_by(_p.transaction_number, _a.unit)
        .having(total != 0)
    )


def _counted() -> sa.Subquery:
    return (
        sa.select(_p.transaction_number, sa.func.count().label("counted"))
        .where(_p.community_id == _community)
        .group_by(_p.transaction_number)
        .subquery("counted")
    )


def _incomplete() -> Query:
    counted = _counted()
    number = sa.func.coalesce(counted.c.counted, 0)
    return (
        sa.select(_t.transaction_number.label("subject"), _t.postings_count, number.label("postings"))
        .select_from(ledger_transactions.outerjoin(counted, counted.c.transaction_number == _t.transaction_number))
        .where(_t.community_id == _community, _t.postings_count != number)
    )


def _orphans() -> Query:
    counted = _counted()
    known = sa.select(sa.literal(1)).where(
        _t.community_id == _community, _t.transaction_number == counted.c.transaction_number
    )
    return sa.select(counted.c.transaction_number.label("subject"), counted.c.counted.label("postings")).where(
        ~known.exists()
    )


def _transaction_gaps() -> Query:
    posted = sa.select(sa.func.count()).where(_t.community_id == _community).scalar_subquery()
    last = (
        sa.select(sa.func.coalesce(sa.func.max(_t.transaction_number), 0))
        .where(_t.community_id == _community)
        .scalar_subquery()
    )
    head = _h.transaction_number
    return sa.select(
        _h.community_id.label("subject"), head.label("head"), posted.label("transactions"), last.label("last")
    ).where(_h.community_id == _community, (head != posted) | (head != last))


def _times_back() -> Query:
    before = sa.func.lag(_t.posted_at).over(order_by=_t.transaction_number)
    timed = (
        sa.select(_t.transaction_number, _t.posted_at, before.label("posted_before"))
        .where(_t.community_id == _community)
        .subquery("timed")
    )
    return sa.select(timed.c.transaction_number.label("subject"), timed.c.posted_at, timed.c.posted_before).where(
        timed.c.posted_at < timed.c.posted_before
    )


def _bad_reversals() -> Query:
    """Reversals whose postings, together with those they reverse, do not cancel out on every account."""
    pairs = (
        sa.select(_t.transaction_number.label("reversal"), _t.transaction_number.label("part"))
        .where(_t.community_id == _community, _t.reverses.is_not(None), _t.kind == "reversal")
        .union_all(
            sa.select(_t.transaction_number, _t.reverses).where(
                _t.community_id == _community, _t.reverses.is_not(None), _t.kind == "reversal"
            )
        )
        .subquery("pairs")
    )
    total = sa.func.sum(_p.amount)
    return (
        sa.select(pairs.c.reversal.label("subject"), _p.account_number, total.label("sum"))
        .select_from(pairs.join(ledger_postings, _p.transaction_number == pairs.c.part))
        .where(_p.community_id == _community)
        .group_by(pairs.c.reversal, _p.account_number)
        .having(total != 0)
    )
