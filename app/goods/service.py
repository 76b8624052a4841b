"""Goods: the catalogue, and stock that moves as units of the ledger."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from app import ledger
from app.goods import store
from app.goods.errors import GoodsExist, OutOfStock
from app.goods.rules import (
    LIMIT_PERIOD_DEFAULT,
    Goods,
    Stock,
    StockMovement,
    change_of,
    evidence_of,
    handed_out_account,
    movements_of,
    reserved_account,
    shelf_account,
    supplied_account,
    unit_of,
    written_off_account,
)
from app.kernel.editing import edited
from app.kernel.errors import NotFound, Refusal, Refused
from app.kernel.events import Event, append
from app.kernel.ids import new_id
from app.ledger import MAY_OVERDRAW, NEVER_NEGATIVE, Account, Entry, NewAccount

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence
    from uuid import UUID

    from app.goods.store import GoodsKey
    from app.kernel.database import Session
    from app.kernel.editing import Expected
    from app.kernel.paging import Paging


@dataclass(frozen=True, slots=True)
class NewGoods:
    """An article to put into the catalogue; a code is made when none is given."""

    community: int
    name: str
    points_price: int
    code: str | None = None
    specification: str | None = None
    limit_per_person: int | None = None
    limit_per_household: int | None = None
    limit_period: str = LIMIT_PERIOD_DEFAULT


@dataclass(frozen=True, slots=True)
class GoodsChange:
    """New values of an article, by name as in `Goods`, and the revision that they were made on."""

    community: int
    goods_id: UUID
    values: Mapping[str, Any]
    expected: Expected


@dataclass(frozen=True, slots=True)
class NewStockMovement:
    """Stock to move: pieces received, written off, or found in a count."""

    community: int
    goods_id: UUID
    kind: str
    quantity: int
    moved_by: str
    note: str | None = None


async def create_goods(session: Session, new: Sequence[NewGoods]) -> list[Goods | Refusal]:
    """Put articles into the catalogue and open their accounts; a code once per community."""
    taken = {
        (community, code)
        for community in {item.community for item in new}
        for code in await _codes(session, community, new)
    }
    results: list[Goods | Refusal] = []
    rows, accounts = [], []
    for item in new:
        if item.code is not None and (item.community, item.code) in taken:
            results.append(GoodsExist(resource=item.code))
            continue
        goods_id = new_id()
        (number,) = await append(session, [Event(item.community, "goods.created", {"goods_id": str(goods_id)})])
        # A made code contains the id's random part, so that it meets no other.
        code = item.code or f"G-{goods_id.hex[-12:]}"
        taken.add((item.community, code))
        article = Goods(
            goods_id,
            number,
            code,
            item.name,
            item.specification,
            item.points_price,
            item.limit_per_person,
            item.limit_per_household,
            item.limit_period,
            session.now(item.community),
        )
        results.append(article)
        rows.append(_row(item.community, article))
        accounts += accounts_of(item.community, goods_id)
    await store.insert(session, rows)
    await ledger.open_accounts(session, accounts)
    return results


async def _codes(session: Session, community: int, new: Sequence[NewGoods]) -> Collection[str]:
    asked = {item.code for item in new if item.community == community and item.code is not None}
    return await store.by_code(session, community, asked)


def _row(community: int, article: Goods) -> dict[str, object]:
    return {
        "community_id": community,
        "goods_id": article.id,
        "number": article.number,
        "code": article.code,
        "name": article.name,
        "specification": article.specification,
        "points_price": article.points_price,
        "limit_per_person": article.limit_per_person,
        "limit_per_household": article.limit_per_household,
        "limit_period": article.limit_period,
        "created_at": article.created_at,
    }


def accounts_of(community: int, goods_id: UUID) -> list[NewAccount]:
    """The accounts that are opened for an article."""
    unit = unit_of(goods_id)
    return [
        NewAccount(community, supplied_account(goods_id), unit, MAY_OVERDRAW),
        NewAccount(community, shelf_account(goods_id), unit, NEVER_NEGATIVE),
        NewAccount(community, reserved_account(goods_id), unit, NEVER_NEGATIVE),
        NewAccount(community, handed_out_account(goods_id), unit, NEVER_NEGATIVE),
        NewAccount(community, written_off_account(goods_id), unit, NEVER_NEGATIVE),
    ]


async def change_goods(session: Session, changes: Sequence[GoodsChange]) -> list[tuple[Goods, Stock] | Refusal]:
    """Change articles in order; orders keep the price they were made at. What differs in nothing changes nothing."""
    articles = await store.load(session, {(item.community, item.goods_id) for item in changes})
    outcomes: list[GoodsKey | Refusal] = []
    changed: dict[GoodsKey, Goods] = {}
    happened: list[Event] = []
    for item in changes:
        key = (item.community, item.goods_id)
        refusal = item.expected.refusal(articles[key].revision) if key in articles else NotFound(resource="article")
        outcomes.append(refusal or key)
        if refusal is not None:
            continue
        article = edited(articles[key], item.values)
        if article is not articles[key]:
            articles[key] = changed[key] = article
            happened.append(Event(item.community, "goods.changed", {"goods_id": str(item.goods_id)}))
    await store.update(session, changed)
    await append(session, happened)
    stock = {
        (community, goods_id): pieces
        for community in {community for community, _ in articles}
        for goods_id, pieces in (
            await stock_of(session, community, [one for there, one in articles if there == community])
        ).items()
    }
    return [outcome if isinstance(outcome, Refusal) else (articles[outcome], stock[outcome]) for outcome in outcomes]


async def move_stock(session: Session, new: Sequence[NewStockMovement]) -> list[StockMovement | Refusal]:
    """Move stock in order, each movement one transaction; a count that finds what is there moves nothing."""
    articles = await store.load(session, {(item.community, item.goods_id) for item in new})
    shelves = {key: Account(key[0], shelf_account(key[1])) for key in articles}
    states = await ledger.states(session, shelves.values())
    pieces = {key: states[account].balance for key, account in shelves.items()}
    outcomes: list[tuple[NewStockMovement, int] | Refusal] = []
    for item in new:
        key = (item.community, item.goods_id)
        if key not in articles:
            outcomes.append(NotFound(resource="article"))
            continue
        change = change_of(item.kind, item.quantity, pieces[key])
        if pieces[key] + change < 0:
            outcomes.append(OutOfStock(goods=articles[key].code, available=pieces[key], needed=item.quantity))
            continue
        pieces[key] += change
        outcomes.append((item, change))
    moved = iter(await _store_movements(session, [pair for pair in outcomes if not isinstance(pair, Refusal)]))
    return [outcome if isinstance(outcome, Refusal) else next(moved) for outcome in outcomes]


async def _store_movements(session: Session, decided: Sequence[tuple[NewStockMovement, int]]) -> list[StockMovement]:
    ids = [new_id() for _ in decided]
    numbers = await append(
        session,
        [
            Event(item.community, f"stock.{item.kind}", {"goods_id": str(item.goods_id), "stock_movement_id": str(one)})
            for (item, _), one in zip(decided, ids, strict=True)
        ],
    )
    unposted = [
        StockMovement(
            one,
            number,
            item.goods_id,
            item.kind,
            item.quantity,
            change,
            item.note,
            item.moved_by,
            session.now(item.community),
            None,
        )
        for (item, change), one, number in zip(decided, ids, numbers, strict=True)
    ]
    entries = [
        _entry(item.community, movement)
        for (item, _), movement in zip(decided, unposted, strict=True)
        if movement.change
    ]
    posted = iter(await ledger.post_decided(session, entries))
    moved = [
        replace(movement, transaction_id=next(posted).transaction_id) if movement.change else movement
        for movement in unposted
    ]
    await store.insert_movements(
        session, [(item.community, one) for (item, _), one in zip(decided, moved, strict=True)]
    )
    return moved


def _entry(community: int, movement: StockMovement) -> Entry:
    return Entry(
        community=community,
        kind=f"stock_{movement.kind}",
        movements=movements_of(movement.goods_id, movement.change),
        reference=f"goods/{movement.goods_id}/stock-movements/{movement.id}",
        posted_by=movement.moved_by,
        evidence=evidence_of(movement),
    )


async def load_goods(session: Session, keys: Collection[GoodsKey]) -> dict[GoodsKey, Goods]:
    """Load articles; unknown ones are missing."""
    return await store.load(session, keys)


async def find_goods(session: Session, community: int, codes: Collection[str]) -> dict[str, Goods]:
    """Find a community's articles by their codes; unknown codes are missing."""
    return await store.by_code(session, community, codes)


async def stock_of(session: Session, community: int, goods_ids: Iterable[UUID]) -> dict[UUID, Stock]:
    """Where these articles' pieces are."""
    accounts = {
        goods_id: [
            Account(community, address(goods_id))
            for address in (shelf_account, reserved_account, handed_out_account, written_off_account)
        ]
        for goods_id in goods_ids
    }
    held = await ledger.balances(session, [account for four in accounts.values() for account in four])
    return {goods_id: Stock(*(held[account] for account in four)) for goods_id, four in accounts.items()}


async def get_goods(session: Session, community: int, goods_id: UUID) -> tuple[Goods, Stock]:
    """Read one article with its stock. Raises `Refused(NotFound)`."""
    found = await store.load(session, [(community, goods_id)])
    if not found:
        raise Refused(NotFound(resource="article"))
    return found[community, goods_id], (await stock_of(session, community, [goods_id]))[goods_id]


async def list_goods(session: Session, community: int, paging: Paging) -> list[tuple[Goods, Stock]]:
    """Articles with their stock, newest first."""
    articles = await store.page(session, community, paging)
    stock = await stock_of(session, community, [article.id for article in articles])
    return [(article, stock[article.id]) for article in articles]


async def list_movements(session: Session, community: int, paging: Paging, *, goods_id: UUID) -> list[StockMovement]:
    """An article's stock movements, newest first. Raises `Refused(NotFound)`."""
    if not await store.load(session, [(community, goods_id)]):
        raise Refused(NotFound(resource="article"))
    return await store.page_of_movements(session, community, goods_id, paging)
