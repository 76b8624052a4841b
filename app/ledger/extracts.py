"""What accounts hold and how it came about, asked for many at once: balances and extracts."""

from __future__ import annotations

from operator import itemgetter
from typing import TYPE_CHECKING, Any, NamedTuple

from app.kernel.rows import Read
from app.ledger.asking import ALL_LINES, held, newest_lines
from app.ledger.store import Line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from app.ledger.rules import Account


_place, _transaction_number = itemgetter(1), itemgetter(3)


class Held(NamedTuple):
    """What an account holds, and its version."""

    balance: int
    version: int


def ask_held(dialect: str, owners: Sequence[tuple[int, str]], names: tuple[str, ...]) -> Read[list[list[Held] | None]]:
    """Ask what owners' accounts of these last names hold, in their order; None for an owner without any.

    An owner is a community's small number and the beginning of the addresses.
    """
    rows = [{"community_id": community, "owner": owner, "item": item} for item, (community, owner) in enumerate(owners)]

    def understand(found: list[Sequence[Any]]) -> list[list[Held] | None]:
        of_owners: list[list[Held] | None] = [None] * len(owners)
        for item, *numbers in found:
            of_owners[item] = list(map(Held, numbers[::2], numbers[1::2]))
        return of_owners

    return Read(held(dialect, names), rows, understand)


class ExtractAsked(NamedTuple):
    """The newest postings of a few accounts of one community together, at most `limit` (None: all).

    `before` has for each account the version below which to read; None for the newest.
    """

    accounts: tuple[Account, ...]
    before: Sequence[int] | None
    limit: int | None


class Extract(NamedTuple):
    """Postings of a few accounts together, newest first, and for each account the version below which they are."""

    accounts: tuple[Account, ...]
    before: tuple[int, ...]
    lines: list[Line]

    def place_after(self, count: int) -> list[int]:
        """For each account the version below which the lines after so many are."""
        versions = {account.address: version for account, version in zip(self.accounts, self.before, strict=True)}
        versions |= {line.account: line.version for line in self.lines[:count]}
        return list(versions.values())


def ask_extracts(dialect: str, asked: Sequence[ExtractAsked]) -> Read[list[Extract | None]]:
    """Ask for extracts, each by itself; None where an account was never opened."""
    rows = [
        {
            "community_id": account.community,
            "address": account.address,
            "item": item,
            "place": place,
            "before": None if one.before is None else one.before[place],
            "most": ALL_LINES if one.limit is None else one.limit,
        }
        for item, one in enumerate(asked)
        for place, account in enumerate(one.accounts)
    ]

    def understand(found: list[Sequence[Any]]) -> list[Extract | None]:
        by_item: list[list[Sequence[Any]]] = [[] for _ in asked]
        for row in found:
            by_item[row[0]].append(row)
        return [_extract(one, rows) for one, rows in zip(asked, by_item, strict=True)]

    return Read(newest_lines(dialect), rows, understand)


def _extract(asked: ExtractAsked, rows: list[Sequence[Any]]) -> Extract | None:
    before = {row[1]: row[2] for row in rows}
    if len(before) < len(asked.accounts):
        return None
    addresses = [account.address for account in asked.accounts]
    rows = [row for row in rows if row[3] is not None]
    # The newest transaction first, and within one in the order asked for.
    rows.sort(key=_place)
    rows.sort(key=_transaction_number, reverse=True)
    lines: list[Line] = []
    posted_at: Any = None
    kind: Any = None
    reference: Any = None
    for _, place, _, number, unit, amount, balance_after, version, *told in rows[: asked.limit]:
        if told[0] is not None:
            posted_at, kind, reference = told
        lines.append(Line(number, posted_at, kind, addresses[place], unit, amount, balance_after, version, reference))
    return Extract(asked.accounts, tuple(before[place] for place in range(len(addresses))), lines)
