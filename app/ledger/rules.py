"""Double entry, pure: which entries hold on which balances, and what each account holds after them."""

from __future__ import annotations

from itertools import groupby
from operator import attrgetter
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


class Entry(NamedTuple):
    """A transaction to post: whole units moved between accounts of one community, summing to zero per unit.

    `movements` pairs addresses with amounts (positive comes in, negative goes out). `reference` names what the entry
    stands for, as a path below the community. Entries in a row with the same `group` are linked: all or none.
    `debts` pairs accounts with the account of their debt: what comes in settles the debt first, and what the account
    does not hold is charged to the debt.
    `evidence` is what the entry stands for, in its one right spelling: the transaction is bound to it without showing
    it.
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
    evidence: bytes | None = None


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
    book: _Book = {account: _Sheet(account, *state) for account, state in states.items()}
    decisions: list[tuple[Change, ...] | Refusal] = []
    for group, linked in groupby(entries, key=attrgetter("group")):
        if group is None:
            decisions.extend(_decide(book, entry) for entry in linked)
        else:
            decisions.extend(_decide_linked(book, tuple(linked)))
    return decisions


class _Sheet:
    """An account as the entries so far leave it."""

    __slots__ = ("account", "balance", "bound", "number", "unit", "version")

    def __init__(self, account: Account, number: int, unit: str, bound: int, version: int, balance: int) -> None:
        self.account = account
        self.number = number
        self.unit = unit
        self.bound = bound
        self.version = version
        self.balance = balance


_Book = dict[tuple[int, str], _Sheet]
"""The sheets of all accounts, by plain pairs: these are the same keys as accounts, and cheaper to make."""

_Movement = tuple[_Sheet, int]
"""An account, and the amount that moves on it."""


def _decide_linked(book: _Book, entries: Sequence[Entry]) -> Iterable[tuple[Change, ...] | Refusal]:
    decisions = [_decide(book, entry) for entry in entries]
    if all(isinstance(decision, tuple) for decision in decisions):
        return decisions
    for decision in decisions:
        for change in decision if isinstance(decision, tuple) else ():
            sheet = book[change.account]
            sheet.version -= 1
            sheet.balance -= change.amount
    return [LinkedEntryRefused() if isinstance(decision, tuple) else decision for decision in decisions]


def _decide(book: _Book, entry: Entry) -> tuple[Change, ...] | Refusal:
    """Decide one entry, and when it holds write it into the book."""
    movements = _movements(book, entry)
    if not isinstance(movements, list):
        return movements
    changes = []
    for sheet, amount in _shared_with_debts(book, entry, movements) if entry.debts else movements:
        balance = sheet.balance + amount
        if balance * sheet.bound < 0 or abs(balance) > BALANCE_MAX:
            return BalanceOutOfBounds(account=sheet.account.address, balance=sheet.balance, amount=amount)
        changes.append(Change(sheet.account, sheet.number, amount, sheet.version + 1, balance))
    for change in changes:
        sheet = book[change.account]
        sheet.version = change.version
        sheet.balance = change.balance_after
    return tuple(changes)


def _shared_with_debts(book: _Book, entry: Entry, movements: Sequence[_Movement]) -> list[_Movement]:
    """Share each movement of an account that has a debt between the two."""
    debts = dict(entry.debts)
    shared: list[_Movement] = []
    for movement in movements:
        sheet, amount = movement
        debt = debts.get(sheet.account.address)
        if debt is None:
            shared.append(movement)
            continue
        of_debt = book[entry.community, debt]
        to_debt = min(amount, -of_debt.balance) if amount > 0 else min(sheet.balance + amount, 0)
        shared += [part for part in ((of_debt, to_debt), (sheet, amount - to_debt)) if part[1]]
    return shared


def _movements(book: _Book, entry: Entry) -> list[_Movement] | Refusal:
    """Find the sheets that an entry moves, or say what is wrong with its shape."""
    community = entry.community
    if not entry.movements:
        return UnbalancedEntry(reason="it moves nothing")
    named = {address for address, _ in entry.movements}
    named.update([debt for _, debt in entry.debts])
    if len(named) < len(entry.movements) + len(entry.debts):
        return UnbalancedEntry(reason="an account stands in it twice")
    for _, debt in entry.debts:
        if (community, debt) not in book:
            return UnknownAccount(account=debt)
    movements: list[_Movement] = []
    sums: dict[str, int] = {}
    for address, amount in entry.movements:
        sheet = book.get((community, address))
        if sheet is None:
            return UnknownAccount(account=address)
        if amount == 0:
            return UnbalancedEntry(reason=f"it moves nothing on {address}")
        movements.append((sheet, amount))
        sums[sheet.unit] = sums.get(sheet.unit, 0) + amount
    for unit, total in sums.items():
        if total:
            return UnbalancedEntry(reason=f"{unit} sums to {total}")
    return movements
