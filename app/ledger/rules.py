"""Double entry, pure: which entries hold on which balances, and what each account holds after them."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple

from app.ledger.errors import BalanceOutOfBounds, LinkedEntryRefused, UnbalancedEntry, UnknownAccount

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from app.kernel.errors import Refusal

BALANCE_MAX = 2**53 - 1
"""No balance goes beyond what every JSON reader can hold exactly (RFC 8259, section 6)."""

NEVER_NEGATIVE = 1
MAY_OVERDRAW = 0
NEVER_POSITIVE = -1


class Account(NamedTuple):
    """An account: the community's small number and the address within it, such as `community/points_issued`."""

    community: int
    address: str


class NewAccount(NamedTuple):
    """An account to open: its unit, and its bound (`NEVER_NEGATIVE`, `MAY_OVERDRAW` or `NEVER_POSITIVE`)."""

    community: int
    address: str
    unit: str
    bound: int


@dataclass(frozen=True, slots=True)
class Entry:
    """A transaction to post: whole units moved between accounts of one community, summing to zero per unit.

    `movements` pairs addresses with amounts (positive comes in, negative goes out). `reference` names what the entry
    stands for, as a path below the community. Entries in a row with the same `group` are linked: all or none.
    `debts` pairs accounts with the account of their debt: what comes in settles the debt first, and what the account
    does not hold is charged to the debt.
    """

    community: int
    kind: str
    movements: tuple[tuple[str, int], ...]
    reference: str
    posted_by: str
    reverses: int | None = None
    reason: str | None = None
    group: object = None
    debts: tuple[tuple[str, str], ...] = ()


class State(NamedTuple):
    """What an account holds: `number` is its small number in the community, `version` counts its postings."""

    number: int
    unit: str
    bound: int
    version: int
    balance: int


class Change(NamedTuple):
    """One posting decided: the account's new version and balance after `amount` moved."""

    account: Account
    number: int
    amount: int
    version: int
    balance_after: int


def apply(states: Mapping[Account, State], entries: Sequence[Entry]) -> list[tuple[Change, ...] | Refusal]:
    """Decide entries in order: for each the changes it makes, or why it does not hold.

    `states` has the accounts as they are before the first entry; an account missing there is unknown. An entry sees
    what the entries before it have done. Linked entries hold together or are refused together.
    """
    # Looked up by plain pairs, which are the same keys and cheaper to make.
    current: _Current = dict(states.items())
    decisions: list[tuple[Change, ...] | Refusal] = []
    for group, linked in groupby(entries, key=lambda entry: entry.group):
        if group is None:
            decisions.extend(_decide(current, entry) for entry in linked)
        else:
            decisions.extend(_decide_linked(current, tuple(linked)))
    return decisions


_Current = dict[tuple[int, str], State]


def _decide_linked(current: _Current, entries: Sequence[Entry]) -> Iterable[tuple[Change, ...] | Refusal]:
    trial = dict(current)
    decisions = [_decide(trial, entry) for entry in entries]
    if all(isinstance(decision, tuple) for decision in decisions):
        current.update(trial)
        return decisions
    return [LinkedEntryRefused() if isinstance(decision, tuple) else decision for decision in decisions]


def _decide(current: _Current, entry: Entry) -> tuple[Change, ...] | Refusal:
    """Decide one entry, and when it holds move `current` on."""
    refusal = _shape_refusal(current, entry)
    if refusal is not None:
        return refusal
    community, changes, after = entry.community, [], []
    for address, amount in _shared_with_debts(current, entry) if entry.debts else entry.movements:
        number, unit, bound, version, balance = current[community, address]
        held = balance + amount
        if held * bound < 0 or not -BALANCE_MAX <= held <= BALANCE_MAX:
            return BalanceOutOfBounds(account=address, balance=balance, amount=amount)
        changes.append(Change(Account(community, address), number, amount, version + 1, held))
        after.append(State(number, unit, bound, version + 1, held))
    for change, state in zip(changes, after, strict=True):
        current[change.account] = state
    return tuple(changes)


def _shared_with_debts(current: _Current, entry: Entry) -> list[tuple[str, int]]:
    """Share each movement of an account that has a debt between the two."""
    community, debts = entry.community, dict(entry.debts)
    movements = []
    for address, amount in entry.movements:
        to_debt = 0
        if address in debts:
            held = current[community, address].balance
            owed = -current[community, debts[address]].balance
            to_debt = min(amount, owed) if amount > 0 else min(held + amount, 0)
            movements.append((debts[address], to_debt))
        movements.append((address, amount - to_debt))
    return [movement for movement in movements if movement[1]]


def _shape_refusal(current: _Current, entry: Entry) -> Refusal | None:
    if not entry.movements:
        return UnbalancedEntry(reason="it moves nothing")
    named = [address for address, _ in entry.movements]
    named += [debt for _, debt in entry.debts]
    if len(set(named)) < len(named):
        return UnbalancedEntry(reason="an account stands in it twice")
    for _, debt in entry.debts:
        if (entry.community, debt) not in current:
            return UnknownAccount(account=debt)
    sums: dict[str, int] = {}
    for address, amount in entry.movements:
        state = current.get((entry.community, address))
        if state is None:
            return UnknownAccount(account=address)
        if amount == 0:
            return UnbalancedEntry(reason=f"it moves nothing on {address}")
        sums[state.unit] = sums.get(state.unit, 0) + amount
    for unit, total in sums.items():
        if total:
            return UnbalancedEntry(reason=f"{unit} sums to {total}")
    return None
