"""Holds what clients were told against what the database has: nothing lost, nothing doubled, nothing out of order."""

from __future__ import annotations

import bisect
import itertools
import re
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from app.hours.tables import corrections, service_records, verifications
from app.kernel.heads import CITY
from app.ledger.tables import ledger_accounts, ledger_postings, ledger_transactions
from app.main import open_database
from app.redemptions.tables import redemption_lines, redemption_returns, redemptions
from app.seals.audit import audit_city
from app.transfers.tables import transfers
from tests.soak.history import DONE, REFUSED
from tests.soak.parts import ViolationError
from tests.soak.promises import books_agree

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from app.kernel.database import Session
    from tests.soak.history import Act, History, Sight
    from tests.soak.world import World

_lawful = {DONE: {1}, REFUSED: {0}}
_first, _never = 0, 2**63
_points = re.compile(r"volunteer/([^/]+)/points(?:_owed)?")


@dataclass(frozen=True, slots=True)
class Effect:
    """What an act left in the database: its quantity, and the kind and reference of its transaction, if it has one.

    `about` is what else its row says.
    """

    quantity: int | None
    transaction: tuple[str, str]
    about: Mapping[str, object] = field(default_factory=dict)


@dataclass
class Books:
    """A community as its tables have it."""

    effects: dict[tuple[str, str], list[Effect]] = field(default_factory=lambda: defaultdict(list))
    transactions: dict[tuple[str, str], list[int]] = field(default_factory=lambda: defaultdict(list))
    balances: dict[str, list[int]] = field(default_factory=dict)
    versions: dict[int, list[tuple[str, int]]] = field(default_factory=lambda: defaultdict(list))
    moves: dict[int, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    """Of each transaction, what it changed in the points that a volunteer has less those that they owe."""
    lines: dict[str, dict[str, int]] = field(default_factory=lambda: defaultdict(dict))
    """Of each redemption, the pieces of each article."""


async def judge(world: World, history: History) -> None:
    """Raise `ViolationError` unless every promise was kept in every community."""
    database = open_database(world.settings)
    try:
        for town in world.towns:
            async with database.read(town.number) as session:
                await session.read_whole_tables()
                books = await _books_of(session, town.number)
            acts = [act for act in history.acts if act.community == town.number]
            judge_effects(books, acts)
            judge_order(books, acts, [one for one in history.sights if one.community == town.number])
            await books_agree(database, town.number)
        numbers = [town.number for town in world.towns]
        async with database.read(CITY, *numbers) as session:
            await session.read_whole_tables()
            if found := await audit_city(session):
                _violated(f"the audit of the city found {found[:5]}")
    finally:
        await database.close()


async def _books_of(session: Session, community: int) -> Books:
    books = Books()
    await _read_ledger(session, community, books)
    lines = sa.select(redemption_lines).where(redemption_lines.c.community_id == community)
    for row in await session.execute(lines):
        books.lines[str(row.redemption_id)][str(row.goods_id)] = row.quantity
    for table, effects_in in _effects.items():
        for row in await session.execute(sa.select(table).where(table.c.community_id == community)):
            for kind, mark, effect in effects_in(row, books):
                books.effects[kind, mark].append(effect)
    return books


Found = tuple[str, str, Effect]


def _in_records(row: Any, _: Books) -> list[Found]:
    about = {"volunteer": str(row.volunteer_id)}
    effect = Effect(row.minutes, ("deposit", f"service-records/{row.service_record_id}"), about)
    return [("record", row.activity_name, effect)]


def _in_verifications(row: Any, _: Books) -> list[Found]:
    # Where recorders are trusted nobody notes anything.
    about = {"record": str(row.service_record_id), "decision": row.decision}
    effect = Effect(None, ("deposit", f"service-records/{row.service_record_id}"), about)
    return [] if row.note is None else [("verify", row.note, effect)]


def _in_corrections(row: Any, _: Books) -> list[Found]:
    about = {"record": str(row.service_record_id), "replaced": row.replacement_id is not None}
    return [("correct", row.reason, Effect(None, ("correction", f"service-records/{row.service_record_id}"), about))]


def _in_redemptions(row: Any, books: Books) -> list[Found]:
    one = str(row.redemption_id)
    reference, about = f"redemptions/{one}", {"redemption": one}
    of_reservation = {"volunteer": str(row.volunteer_id), "lines": books.lines[one]}
    reserved = Effect(row.points, ("reservation", reference), of_reservation)
    found = [("reserve", row.occurred_at.isoformat(), reserved)]
    if row.status in {"collected", "returned"}:
        found.append(("collect", one, Effect(None, ("collection", reference), about)))
    if row.status == "cancelled":
        found.append(("cancel", row.reason, Effect(None, ("cancellation", reference), about)))
    return found


def _in_returns(row: Any, _: Books) -> list[Found]:
    one = str(row.redemption_id)
    return [("return", row.return_reason, Effect(None, ("return", f"redemptions/{one}"), {"redemption": one}))]


def _in_transfers(row: Any, _: Books) -> list[Found]:
    receiver = row.to_volunteer_id
    about = {"giver": str(row.from_volunteer_id), "receiver": None if receiver is None else str(receiver)}
    kind = "donation" if receiver is None else "gift"
    return [("transfer", row.note, Effect(row.points, (kind, f"transfers/{row.transfer_id}"), about))]


_effects: dict[sa.Table, Callable[[Any, Books], list[Found]]] = {
    service_records: _in_records,
    verifications: _in_verifications,
    corrections: _in_corrections,
    redemptions: _in_redemptions,
    redemption_returns: _in_returns,
    transfers: _in_transfers,
}


async def _read_ledger(session: Session, community: int, books: Books) -> None:
    """Read accounts, transactions and postings; numbers and versions have to be contiguous, times never run back."""
    of_accounts = sa.select(ledger_accounts).where(ledger_accounts.c.community_id == community)
    accounts = {row.account_number: row for row in await session.execute(of_accounts)}
    table = ledger_transactions
    ordered = sa.select(table).where(table.c.community_id == community).order_by(table.c.transaction_number)
    last = None
    for number, row in enumerate(await session.execute(ordered), 1):
        if row.transaction_number != number or (last is not None and row.posted_at < last):
            _violated(f"transaction {number} of community {community} is {row}, posted after {last}")
        last = row.posted_at
        books.transactions[row.kind, row.reference].append(number)
    table = ledger_postings
    ordered = sa.select(table).where(table.c.community_id == community)
    for row in await session.execute(ordered.order_by(table.c.account_number, table.c.version)):
        account = accounts[row.account_number]
        balances = books.balances.setdefault(account.address, [0])
        follows = row.version == len(balances) and row.balance_after == balances[-1] + row.amount
        if not follows or row.balance_after * account.bound < 0:
            _violated(f"the posting {row} does not follow {balances[-1]} of {account}")
        balances.append(row.balance_after)
        books.versions[row.transaction_number].append((account.address, row.version))
        if volunteer := _points.fullmatch(account.address):
            books.moves[row.transaction_number][volunteer[1]] += row.amount


def judge_effects(books: Books, acts: list[Act]) -> None:
    """Each acknowledged effect exactly once, unknown ones at most once, refused ones not at all, and no others."""
    for act in acts:
        effects = books.effects[act.kind, act.mark]
        if len(effects) not in _lawful.get(act.fate, {0, 1}):
            _violated(f"{act} took place {len(effects)} times: {effects}")
        for effect in effects:
            _judge_effect(books, act, effect)
    asked_for = {(act.kind, act.mark) for act in acts}
    unasked = [place for place, effects in books.effects.items() if effects and place not in asked_for]
    if unasked:
        _violated(f"nobody asked for {unasked}")
    doubled = {place: numbers for place, numbers in books.transactions.items() if len(numbers) > 1}
    if doubled:
        _violated(f"posted more than once: {doubled}")


def _judge_effect(books: Books, act: Act, effect: Effect) -> None:
    """An effect is of what was asked for, moves that much of those whom it is for, and is the one of the answer."""
    if act.quantity is not None and effect.quantity != act.quantity:
        _violated(f"{act} became {effect}")
    if differing := [name for name, value in act.about.items() if effect.about.get(name) != value]:
        _violated(f"{act} became {effect}, and not of the same {differing}")
    numbers = books.transactions[effect.transaction]
    if act.fate == DONE and act.posted and len(numbers) != 1:
        _violated(f"{act} became {effect}, posted {numbers}")
    if act.reference is not None and effect.transaction[1] != act.reference:
        _violated(f"{act} became {effect}, and the answer spoke of {act.reference}")
    if act.transaction is not None and numbers != [act.transaction]:
        _violated(f"{act} became {effect}, posted {numbers}, and the answer spoke of {act.transaction}")
    for number in numbers:
        moves = {volunteer: points for volunteer, points in books.moves[number].items() if points}
        if act.moves and moves != act.moves:
            _violated(f"{act} became {effect}, whose transaction {number} moves {moves}")


@dataclass(frozen=True, slots=True)
class _Known:
    """That an account had a version: at the latest when `ended`, and not before `began` if it was made then."""

    began: float
    ended: float
    version: int
    made: bool
    of: Act | Sight


def judge_order(books: Books, acts: list[Act], sights: list[Sight]) -> None:
    """Per account, what was read and written fits one order, which agrees with real time.

    A read has the balance of its version. What begins after something has ended is of no lower version than that, and
    a write of a higher one.
    """
    known: dict[str, list[_Known]] = defaultdict(list)
    for sight in sights:
        address = f"volunteer/{sight.volunteer_id}/points"
        balances = books.balances.get(address, [0])
        if not (sight.version < len(balances) and balances[sight.version] == sight.points):
            _violated(f"{sight} is not in {balances[-20:]} (the last of {len(balances)})")
        known[address].append(_Known(sight.began, sight.ended, sight.version, made=False, of=sight))
    for act in acts:
        for address, version in _postings_of(books, act):
            known[address].append(_Known(act.began, act.ended, version, made=True, of=act))
    for address, of_account in known.items():
        _judge_account(address, of_account)


def _postings_of(books: Books, act: Act) -> Iterator[tuple[str, int]]:
    """The versions that an act made."""
    for effect in books.effects[act.kind, act.mark]:
        # A record that waits is posted by another act, its verification.
        if act.kind == "record" and not act.posted:
            continue
        for number in books.transactions[effect.transaction]:
            yield from books.versions[number]


def _judge_account(address: str, known: list[_Known]) -> None:
    by_end = sorted(known, key=lambda one: one.ended)
    ends = [one.ended for one in by_end]
    highest = [*itertools.accumulate((one.version for one in by_end), max, initial=_first)]
    made = sorted((one for one in known if one.made), key=lambda one: one.began)
    begins = [one.began for one in made]
    lowest = [*itertools.accumulate((one.version for one in reversed(made)), min, initial=_never)][::-1]
    for one in known:
        before = highest[bisect.bisect_left(ends, one.began)]
        if one.version < before + one.made:
            _violated(f"{address}: {one.of} has version {one.version} after version {before} was known")
        after = lowest[bisect.bisect_right(begins, one.ended)]
        if one.version >= after:
            _violated(f"{address}: {one.of} has version {one.version} before version {after} was asked for")


def _violated(message: str) -> None:
    raise ViolationError(message)
