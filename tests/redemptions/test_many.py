"""Redemptions decided together, as an import does: each sees those before it, and references are seen once."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from app.kernel.errors import Refusal
from app.kernel.references import Told
from app.redemptions.rules import CANCELLED, COLLECTED, Redemption
from app.redemptions.service import (
    Closing,
    NewRedemption,
    Wanted,
    close_redemptions,
    reserve_goods,
    reserve_unreferenced,
)
from tests.races.books import assert_books_agree
from tests.redemptions.acts import pieces, points, rich

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.bank import Bank


def order(bank: Bank, volunteer: dict[str, Any], *wanted: tuple[dict[str, Any], int], **fields: Any) -> NewRedemption:
    """An order of pieces of articles."""
    lines = tuple(Wanted(UUID(article["id"]), quantity) for article, quantity in wanted)
    return NewRedemption(bank.number, UUID(volunteer["id"]), lines, bank.desk.client_id, **fields)


async def reserved(bank: Bank, new: Sequence[NewRedemption]) -> list[str]:
    """What became of orders under references: an outcome each, or the code of a refusal."""
    async with bank.database.write(bank.number) as session:
        decided = await reserve_goods(session, new)
    return [
        ("replayed " if one.replayed else "")
        + (one.outcome.code if isinstance(one.outcome, Refusal | Told) else one.outcome.status)
        for one in decided
    ]


async def test_orders_of_one_batch_see_what_those_before_them_took(bank: Bank) -> None:
    volunteer, other = await rich(bank, 100), await rich(bank, 100)
    limited = await bank.goods(price=1, limit_per_person=2)
    scarce, dear = await bank.goods(price=1, pieces=2), await bank.goods(price=60)
    new = [
        order(bank, volunteer, (limited, 1)),
        order(bank, volunteer, (limited, 2)),
        order(bank, volunteer, (limited, 1)),
        order(bank, volunteer, (limited, 1)),
        order(bank, other, (limited, 2)),
        order(bank, volunteer, (scarce, 1)),
        order(bank, other, (scarce, 1)),
        order(bank, volunteer, (scarce, 1)),
        order(bank, volunteer, (dear, 1)),
        order(bank, volunteer, (dear, 1)),
    ]
    async with bank.database.write(bank.number) as session:
        outcomes = await reserve_unreferenced(session, new)
    told = [one.code if isinstance(one, Refusal) else one.status for one in outcomes]
    assert told == [
        "reserved",
        "limit-reached",
        "reserved",
        "limit-reached",
        "reserved",
        "reserved",
        "reserved",
        "out-of-stock",
        "reserved",
        "insufficient-points",
    ]
    assert [await points(bank, who) for who in (volunteer, other)] == [(37, 63), (97, 3)]
    assert [await pieces(bank, article) for article in (limited, scarce, dear)] == [(6, 4, 0), (0, 2, 0), (9, 1, 0)]
    await assert_books_agree(bank.database, bank.number)


async def test_of_two_closings_of_one_batch_the_first_counts(bank: Bank) -> None:
    volunteer, article = await rich(bank, 100), await bank.goods(price=10)
    async with bank.database.write(bank.number) as session:
        made = await reserve_unreferenced(session, [order(bank, volunteer, (article, 1)) for _ in range(2)])
    first, second = (one for one in made if isinstance(one, Redemption))
    by = bank.desk.client_id
    closings = [
        Closing(bank.number, first.id, CANCELLED, by),
        Closing(bank.number, second.id, COLLECTED, by, pickup_code=second.pickup_code),
        Closing(bank.number, first.id, COLLECTED, by, pickup_code=first.pickup_code),
        Closing(bank.number, second.id, CANCELLED, by),
        Closing(bank.number, UUID(int=1), CANCELLED, by),
    ]
    async with bank.database.write(bank.number) as session:
        outcomes = await close_redemptions(session, closings)
    told = [one.facts() if isinstance(one, Refusal) else one.status for one in outcomes]
    assert told == [
        "cancelled",
        "collected",
        {"redemption_status": "cancelled"},
        {"redemption_status": "collected"},
        {"resource": "redemption"},
    ]
    assert (await points(bank, volunteer), await pieces(bank, article)) == ((90, 0), (9, 0, 1))
    await assert_books_agree(bank.database, bank.number)


async def test_a_reference_is_decided_once_and_replayed_or_refused_from_then_on(bank: Bank) -> None:
    volunteer, other = await rich(bank, 100), await rich(bank, 100)
    article, dear = await bank.goods(price=10), await bank.goods(price=500)
    when = datetime(2026, 2, 20, 2, 0, tzinfo=UTC)
    mine = order(bank, volunteer, (article, 1), reference="DH-1", occurred_at=when)
    poor = order(bank, volunteer, (dear, 1), reference="DH-2", occurred_at=when)
    future = order(bank, volunteer, (article, 1), reference="DH-3", occurred_at=when.replace(year=2027))
    changed = [
        order(bank, volunteer, (article, 2), reference="DH-1", occurred_at=when),
        order(bank, volunteer, (dear, 1), reference="DH-1", occurred_at=when),
        order(bank, other, (article, 1), reference="DH-1", occurred_at=when),
        order(bank, volunteer, (article, 1), reference="DH-1", occurred_at=when.replace(hour=3)),
    ]
    assert await reserved(bank, [mine, mine, poor, poor, future, *changed]) == [
        "reserved",
        "replayed reserved",
        "insufficient-points",
        "replayed insufficient-points",
        "invalid-request",
        *["reference-reused"] * 4,
    ]
    await bank.hours(volunteer["id"], start="2026-02-25T09:00", minutes=480)
    # Points are there by now, but what was decided stays decided; what was invalid never was.
    in_time = order(bank, volunteer, (article, 1), reference="DH-3", occurred_at=when)
    assert await reserved(bank, [mine, poor, in_time, *changed]) == [
        "replayed reserved",
        "replayed insufficient-points",
        "reserved",
        *["reference-reused"] * 4,
    ]
    assert await points(bank, volunteer) == (560, 20)
    await assert_books_agree(bank.database, bank.number)
