"""Redemptions: reserve, then collect, cancel or lapse, and return. Each use case is over a list and posts in one go."""

from __future__ import annotations

import hmac
import secrets
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from app import ledger
from app.communities.service import communities_by_number
from app.goods.errors import UnknownGoods
from app.goods.rules import shelf_account
from app.goods.service import load_goods
from app.kernel.deciding import Before, Decided, Deciding, decide_rows, unreferenced
from app.kernel.errors import Fault, InvalidRequest, NotFound, Refusal, Refused
from app.kernel.events import Event, append
from app.kernel.ids import new_id
from app.kernel.jobs import NewJob, enqueue
from app.ledger import Account, Entry
from app.redemptions import store
from app.redemptions.errors import RedemptionNotCollected, RedemptionNotOpen, WrongPickupCode
from app.redemptions.rules import (
    CANCELLED,
    COLLECTED,
    LAPSED,
    RESERVED,
    RETURNED,
    Counter,
    Line,
    Redemption,
    collection,
    evidence_of,
    order_refusal,
    period_of,
    release,
    reservation,
    takeback,
)
from app.volunteers.errors import UnknownVolunteer
from app.volunteers.rules import debts_of, points_account
from app.volunteers.service import consent_dates, housemates

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime
    from uuid import UUID

    from app.communities.rules import Community
    from app.goods.rules import Goods
    from app.kernel.database import Session
    from app.kernel.paging import Paging
    from app.kernel.references import Seen
    from app.redemptions.store import RedemptionKey

RESOURCE = "redemption"
LAPSE = "lapse_redemption"

_pickup_digits = 6
_kinds = {COLLECTED: "collection", CANCELLED: "cancellation", LAPSED: "lapse", RETURNED: "return"}


@dataclass(frozen=True, slots=True)
class Wanted:
    """Pieces of an article to redeem. `alias` names the article as the sender does, where that is not its id."""

    goods_id: UUID | None
    quantity: int
    alias: str | None = None


@dataclass(frozen=True, slots=True)
class NewRedemption:
    """Goods to reserve. `alias` names the volunteer where the sender knows no id (a keyed hash of the phone)."""

    community: int
    volunteer_id: UUID | None
    wanted: tuple[Wanted, ...]
    reserved_by: str
    occurred_at: datetime | None = None
    reference: str | None = None
    alias: str | None = None

    @property
    def content(self) -> dict[str, Any]:
        """What makes two redemptions under one reference the same."""
        wanted = tuple((one.alias or str(one.goods_id), one.quantity) for one in self.wanted)
        return {"wanted": wanted, "occurred_at": self.occurred_at}


@dataclass(frozen=True, slots=True)
class Closing:
    """A redemption to close as collected (against its pickup code), cancelled or lapsed.

    `volunteer_id` is given when only that volunteer's own may be closed.
    """

    community: int
    redemption_id: UUID
    status: str
    closed_by: str
    pickup_code: str | None = None
    reason: str | None = None
    volunteer_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Return:
    """A collected redemption whose goods came back."""

    community: int
    redemption_id: UUID
    reason: str
    returned_by: str


@dataclass(slots=True)
class _Loaded:
    """All that decisions about a batch of redemptions rest on."""

    communities: Mapping[int, Community]
    known_volunteers: set[tuple[int, UUID]]
    goods: Mapping[tuple[int, UUID], Goods]
    counters: dict[tuple[int, UUID], Counter]
    shelves: dict[int, dict[UUID, int]]


async def reserve_goods(session: Session, new: Sequence[NewRedemption]) -> list[Decided[Redemption]]:
    """Reserve goods in order: points and pieces are held until collected, cancelled or lapsed."""
    loaded = await _load(session, new)
    return await decide_rows(session, new, Deciding(RESOURCE, partial(_decide, session, loaded), _store, store.load))


async def reserve_unreferenced(session: Session, new: Sequence[NewRedemption]) -> list[Redemption | Refusal]:
    """Reserve goods for orders that carry no reference: for each the redemption or the refusal."""
    return unreferenced(await reserve_goods(session, new))


async def _load(session: Session, new: Sequence[NewRedemption]) -> _Loaded:
    communities = await session.ask(communities_by_number(session.dialect, {item.community for item in new}))
    volunteers = {(item.community, item.volunteer_id) for item in new if item.volunteer_id is not None}
    consents = await session.ask(consent_dates(session.dialect, volunteers))
    known = set(consents)
    wanted = {(item.community, one.goods_id) for item in new for one in item.wanted if one.goods_id is not None}
    goods = await load_goods(session, wanted)
    points = {key: Account(key[0], points_account(key[1])) for key in known}
    shelves = {key: Account(key[0], shelf_account(key[1])) for key in goods}
    states = await ledger.states(session, [*points.values(), *shelves.values()])
    households = await _households(session, goods, new)
    taken = await store.taken(session, _spans(session, communities, goods, households, new))
    by_community: dict[int, dict[UUID, int]] = {}
    for key, account in shelves.items():
        by_community.setdefault(key[0], {})[key[1]] = states[account].balance
    return _Loaded(
        communities=communities,
        known_volunteers=known,
        goods=goods,
        counters={
            (community, who): Counter(
                states[account].balance,
                taken.setdefault((community, who), {}),
                [taken.setdefault((community, member), {}) for member in households.get((community, who), (who,))],
            )
            for (community, who), account in points.items()
        },
        shelves=by_community,
    )


async def _households(
    session: Session, goods: Mapping[tuple[int, UUID], Goods], new: Sequence[NewRedemption]
) -> dict[tuple[int, UUID], frozenset[UUID]]:
    """The members of the households of those who want what is limited per household."""
    asked: dict[int, set[UUID]] = {}
    for item in new:
        articles = [goods.get((item.community, one.goods_id)) for one in item.wanted if one.goods_id]
        if item.volunteer_id and any(one is not None and one.limit_per_household is not None for one in articles):
            asked.setdefault(item.community, set()).add(item.volunteer_id)
    return {
        (community, who): members
        for community, volunteers in asked.items()
        for who, members in (await housemates(session, community, volunteers)).items()
    }


def _spans(
    session: Session,
    communities: Mapping[int, Community],
    goods: Mapping[tuple[int, UUID], Goods],
    households: Mapping[tuple[int, UUID], frozenset[UUID]],
    new: Sequence[NewRedemption],
) -> set[store.Span]:
    """The days for which to ask what volunteers and their households had of the limited articles they want."""
    spans = set()
    for item in new:
        if item.volunteer_id is None:
            continue
        day = communities[item.community].local_date(item.occurred_at or session.now(item.community))
        for one in item.wanted:
            article = goods.get((item.community, one.goods_id)) if one.goods_id else None
            if article is None or (article.limit_per_person is None and article.limit_per_household is None):
                continue
            period = period_of(day, article.limit_period)
            members = households.get((item.community, item.volunteer_id), {item.volunteer_id})
            spans |= {store.Span(item.community, member, article.id, *period) for member in members}
    return _merged(spans)


def _merged(spans: set[store.Span]) -> set[store.Span]:
    """One span for each volunteer and article, so that no piece is loaded twice."""
    merged: dict[tuple[int, UUID, UUID], store.Span] = {}
    for span in spans:
        other = merged.get(span[:3], span)
        merged[span[:3]] = span._replace(first=min(span.first, other.first), last=max(span.last, other.last))
    return set(merged.values())


def _decide(session: Session, loaded: _Loaded, item: NewRedemption, before: Before) -> Redemption | Seen | Refusal:
    now = session.now(item.community)
    community = loaded.communities[item.community]
    if item.occurred_at is not None and item.occurred_at > now:
        return InvalidRequest(errors=(Fault("/occurred_at", "a redemption does not lie in the future"),))
    if before is not None:
        return before
    if item.volunteer_id is None or (item.community, item.volunteer_id) not in loaded.known_volunteers:
        return UnknownVolunteer(volunteer_id=item.volunteer_id)
    order = []
    for one in item.wanted:
        article = loaded.goods.get((item.community, one.goods_id)) if one.goods_id else None
        if article is None:
            return UnknownGoods(goods=one.alias or str(one.goods_id))
        order.append((article, one.quantity))
    day = community.local_date(item.occurred_at or now)
    counter = loaded.counters[item.community, item.volunteer_id]
    shelves = loaded.shelves[item.community]
    refusal = order_refusal(order, day, counter, shelves)
    if refusal is not None:
        return refusal
    redemption = _redemption(session, community, item, item.volunteer_id, order)
    counter.points -= redemption.points
    for line in redemption.lines:
        shelves[line.goods_id] -= line.quantity
        counter.taken.setdefault(line.goods_id, []).append((day, line.quantity))
    return redemption


def _redemption(
    session: Session, community: Community, item: NewRedemption, volunteer_id: UUID, order: Sequence[tuple[Goods, int]]
) -> Redemption:
    now = session.now(item.community)
    lines = tuple(Line(article.id, quantity, article.points_price) for article, quantity in order)
    occurred_at = item.occurred_at or now
    return Redemption(
        id=new_id(),
        community=item.community,
        number=0,
        volunteer_id=volunteer_id,
        lines=tuple(sorted(lines, key=lambda line: line.goods_id)),
        points=sum(line.points_each * line.quantity for line in lines),
        status=RESERVED,
        pickup_code=f"{secrets.randbelow(10**_pickup_digits):0{_pickup_digits}}",
        occurred_at=occurred_at,
        occurred_on=community.local_date(occurred_at),
        reserved_by=item.reserved_by,
        reserved_at=now,
        lapses_at=now + timedelta(hours=community.redemption_hold_hours),
    )


async def _store(session: Session, made: Sequence[Redemption]) -> dict[UUID, Redemption]:
    numbers = await append(session, [_event(one) for one in made])
    reserved = [replace(one, number=number) for one, number in zip(made, numbers, strict=True)]
    await store.insert(session, reserved)
    await ledger.post_decided(
        session, [_entry(one, "reservation", reservation(one), one.reserved_by) for one in reserved]
    )
    lapses = [NewJob(one.community, LAPSE, one.lapses_at, {"redemption_id": str(one.id)}) for one in reserved]
    await enqueue(session, lapses)
    return {one.id: one for one in reserved}


def _event(redemption: Redemption) -> Event:
    ids = {"redemption_id": str(redemption.id), "volunteer_id": str(redemption.volunteer_id)}
    return Event(redemption.community, f"redemption.{redemption.status}", ids)


def _entry(
    redemption: Redemption, kind: str, movements: tuple[tuple[str, int], ...], by: str, *, settles: bool = False
) -> Entry:
    return Entry(
        community=redemption.community,
        kind=kind,
        movements=movements,
        reference=f"redemptions/{redemption.id}",
        posted_by=by,
        reason=redemption.reason,
        debts=debts_of(redemption.volunteer_id) if settles else (),
        evidence=evidence_of(redemption, kind),
    )


async def close_redemptions(session: Session, closings: Sequence[Closing]) -> list[Redemption | Refusal]:
    """Close reserved redemptions in order: collected against the code, cancelled, or lapsed when their hold is over."""
    found = await store.load(session, {(item.community, item.redemption_id) for item in closings})
    outcomes: list[RedemptionKey | Refusal] = []
    for item in closings:
        key = (item.community, item.redemption_id)
        refusal = _closing_refusal(session, found.get(key), item)
        outcomes.append(refusal or key)
        if refusal is None:
            found[key] = replace(
                found[key],
                status=item.status,
                closed_at=session.now(item.community),
                closed_by=item.closed_by,
                reason=item.reason,
            )
    closed = [found[outcome] for outcome in outcomes if not isinstance(outcome, Refusal)]
    if closed:
        await store.close(session, closed)
        await ledger.post_decided(session, [_closing_entry(one) for one in closed])
        await append(session, [_event(one) for one in closed])
    return [outcome if isinstance(outcome, Refusal) else found[outcome] for outcome in outcomes]


def _closing_refusal(session: Session, redemption: Redemption | None, item: Closing) -> Refusal | None:
    if redemption is None or item.volunteer_id not in {None, redemption.volunteer_id}:
        return NotFound(resource="redemption")
    status = redemption.status_at(session.now(item.community))
    if redemption.status != RESERVED or (status == LAPSED) != (item.status == LAPSED):
        return RedemptionNotOpen(redemption_status=status)
    if item.status == COLLECTED and not hmac.compare_digest(redemption.pickup_code, item.pickup_code or ""):
        return WrongPickupCode()
    return None


def _closing_entry(redemption: Redemption) -> Entry:
    kind, by = _kinds[redemption.status], redemption.closed_by or ""
    if redemption.status == COLLECTED:
        return _entry(redemption, kind, collection(redemption), by)
    return _entry(redemption, kind, release(redemption), by, settles=True)


async def return_redemptions(session: Session, returns: Sequence[Return]) -> list[Redemption | Refusal]:
    """Take goods back in order: points settle what is owed and are free again, pieces lie on the shelf."""
    found = await store.load(session, {(item.community, item.redemption_id) for item in returns})
    outcomes: list[RedemptionKey | Refusal] = []
    for item in returns:
        key, now = (item.community, item.redemption_id), session.now(item.community)
        redemption = found.get(key)
        if redemption is None:
            outcomes.append(NotFound(resource="redemption"))
        elif redemption.status != COLLECTED:
            outcomes.append(RedemptionNotCollected(redemption_status=redemption.status_at(now)))
        else:
            outcomes.append(key)
            found[key] = replace(
                redemption, status=RETURNED, reason=item.reason, returned_by=item.returned_by, returned_at=now
            )
    returned = [found[outcome] for outcome in outcomes if not isinstance(outcome, Refusal)]
    if returned:
        entries = [
            _entry(one, _kinds[RETURNED], takeback(one), one.returned_by or "", settles=True) for one in returned
        ]
        for one, posted in zip(returned, await ledger.post_decided(session, entries), strict=True):
            found[one.community, one.id] = replace(one, return_transaction_id=posted.transaction_id)
        await store.give_back(session, [found[one.community, one.id] for one in returned])
        await append(session, [_event(one) for one in returned])
    return [outcome if isinstance(outcome, Refusal) else found[outcome] for outcome in outcomes]


async def get_redemption(
    session: Session, community: int, redemption_id: UUID, *, volunteer_id: UUID | None = None
) -> Redemption:
    """Read one redemption, of this volunteer if one is given. Raises `Refused(NotFound)`."""
    redemption = (await store.load(session, [(community, redemption_id)])).get((community, redemption_id))
    if redemption is None or volunteer_id not in {None, redemption.volunteer_id}:
        raise Refused(NotFound(resource="redemption"))
    return redemption


async def list_redemptions(session: Session, community: int, paging: Paging) -> list[Redemption]:
    """Redemptions, newest first; filters: `status`, `volunteer_id`."""
    return await store.page(session, community, paging)
