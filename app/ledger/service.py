"""The ledger's use cases: load what a list of entries needs, let the rules decide, append."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

from app.kernel import metrics
from app.kernel.errors import Refusal
from app.kernel.jobs import mark_unsealed
from app.ledger import rules, store
from app.ledger.errors import AlreadyReversed, InconsistentError, UnknownTransaction
from app.ledger.leaves import SALT_BYTES, Leaf, digest, hash_of
from app.ledger.rules import Account, Change, Entry, NewAccount

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from app.kernel.database import Session
    from app.kernel.rows import Row
    from app.ledger.rules import State
    from app.ledger.store import Line


class Posted(NamedTuple):
    """A transaction that was posted: its number in the community, its time, and what it changed."""

    transaction_id: int
    posted_at: datetime
    changes: tuple[Change, ...]


async def open_accounts(session: Session, accounts: Sequence[NewAccount]) -> None:
    """Open accounts with a balance of zero. Their communities' heads must be held by the session."""
    await store.insert_accounts(
        session,
        [
            {
                "community_id": account.community,
                "account_number": session.heads[account.community].next_account(),
                "address": account.address,
                "unit": account.unit,
                "bound": account.bound,
            }
            for account in accounts
        ],
    )


async def post(session: Session, entries: Sequence[Entry]) -> list[Posted | Refusal]:
    """Post entries in order, each alone or linked by `group`; for each its transaction or why it does not hold.

    A fixed number of statements whatever the number of entries. The heads of all communities must be held.
    """
    wanted = {(entry.community, address) for entry in entries for address, _ in entry.movements}
    wanted |= {(entry.community, debt) for entry in entries for _, debt in entry.debts}
    states = await store.load_states(session, (Account(community, address) for community, address in wanted))
    outcomes: list[Posted | Refusal] = []
    transactions: list[Row] = []
    for entry, decision in zip(entries, rules.apply(states, entries), strict=True):
        if isinstance(decision, Refusal):
            outcomes.append(decision)
            continue
        head = session.heads[entry.community]
        posted = Posted(head.next_transaction(), head.now, decision)
        outcomes.append(posted)
        row = _transaction_row(entry, posted, states)
        transactions.append(row)
        session.leaves.setdefault((entry.community, entry.reference), []).append((posted.transaction_id, row["leaf"]))
    await _append(session, transactions, [outcome for outcome in outcomes if isinstance(outcome, Posted)])
    return outcomes


async def post_decided(session: Session, entries: Sequence[Entry]) -> list[Posted]:
    """Post entries that their feature has decided to hold. Raises `InconsistentError` when the ledger disagrees."""
    posted = []
    for entry, outcome in zip(entries, await post(session, entries), strict=True):
        if isinstance(outcome, Refusal):
            message = f"{entry.kind} {entry.reference}: {outcome.detail}"
            raise InconsistentError(message)
        posted.append(outcome)
    return posted


async def reverse(
    session: Session, community: int, transaction_ids: Sequence[int], *, reason: str, posted_by: str
) -> list[Posted | Refusal]:
    """Post for each transaction its exact opposite, once at most, naming the one it reverses."""
    lines = await store.lines_of_transactions(session, community, transaction_ids)
    done = await store.reversed_already(session, community, transaction_ids)
    entries = {
        number: _opposite(community, number, lines[number], reason=reason, posted_by=posted_by)
        for number in transaction_ids
        if number in lines and number not in done
    }
    posted = dict(zip(entries, await post(session, list(entries.values())), strict=True))
    outcomes: list[Posted | Refusal] = []
    for number in transaction_ids:
        if number not in lines:
            outcomes.append(UnknownTransaction(transaction_id=number))
        elif number in done:
            outcomes.append(AlreadyReversed(transaction_id=number))
        else:
            outcomes.append(posted[number])
            if isinstance(posted[number], Posted):
                done.add(number)
    return outcomes


def _opposite(community: int, number: int, lines: Sequence[Line], *, reason: str, posted_by: str) -> Entry:
    return Entry(
        community=community,
        kind="reversal",
        movements=tuple((line.account, -line.amount) for line in lines),
        reference=lines[0].reference,
        posted_by=posted_by,
        reverses=number,
        reason=reason,
    )


async def states(session: Session, accounts: Iterable[Account]) -> dict[Account, State]:
    """What accounts hold now, with their versions; one that was never opened is missing."""
    return await store.load_states(session, accounts)


async def balances(session: Session, accounts: Sequence[Account], *, at: datetime | None = None) -> dict[Account, int]:
    """What accounts of one community hold, now or once everything posted up to `at` had been posted."""
    if at is not None:
        return await store.balances_at(session, accounts, at)
    return {account: state.balance for account, state in (await store.load_states(session, accounts)).items()}


async def _append(session: Session, transactions: Sequence[Row], posted: Sequence[Posted]) -> None:
    if not transactions:
        return
    postings = [
        {
            "community_id": change.account.community,
            "account_number": change.number,
            "version": change.version,
            "transaction_number": outcome.transaction_id,
            "amount": change.amount,
            "balance_after": change.balance_after,
        }
        for outcome in posted
        for change in outcome.changes
    ]
    # The last posting of an account in the batch is what it holds afterwards: one update an account.
    latest = {(row["community_id"], row["account_number"]): row for row in postings}
    balances = [
        {
            "community_id": row["community_id"],
            "account_number": row["account_number"],
            "version": row["version"],
            "balance": row["balance_after"],
        }
        for row in latest.values()
    ]
    await store.append(session, transactions, postings, balances)
    # The first since its tree had all of a community's.
    first = {row["community_id"] for row in transactions if row["transaction_number"] - 1 == _sealed(session, row)}
    if first:
        await mark_unsealed(session, first)
    metrics.postings.inc(len(postings))


def _sealed(session: Session, row: Row) -> int:
    return session.heads[row["community_id"]].sealed_number


def _transaction_row(entry: Entry, posted: Posted, states: Mapping[Account, State]) -> Row:
    salt = os.urandom(SALT_BYTES)
    evidence = None if entry.evidence is None else digest(salt, entry.evidence)
    leaf = Leaf(
        community=entry.community,
        number=posted.transaction_id,
        kind=entry.kind,
        posted_at=posted.posted_at,
        posted_by=entry.posted_by,
        reference=entry.reference,
        reverses=entry.reverses,
        reason=None if entry.reason is None else digest(salt, entry.reason.encode()),
        evidence=evidence,
        postings=[
            (change.account.address, states[change.account].unit, change.amount, change.version, change.balance_after)
            for change in posted.changes
        ],
    )
    return {
        "community_id": entry.community,
        "transaction_number": posted.transaction_id,
        "kind": entry.kind,
        "posted_at": posted.posted_at,
        "posted_by": entry.posted_by,
        "reference": entry.reference,
        "postings_count": len(posted.changes),
        "reverses": entry.reverses,
        "reason": entry.reason,
        "salt": salt,
        "evidence": evidence,
        "leaf": hash_of(leaf),
    }
