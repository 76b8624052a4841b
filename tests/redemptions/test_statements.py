"""However many redemptions are reserved or closed together, it takes the same few SQL statements."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest

from app.redemptions.rules import CANCELLED, COLLECTED, LAPSED, Redemption
from app.redemptions.service import Closing, NewRedemption, Wanted, close_redemptions, reserve_goods
from tests.hours.counting import statements
from tests.redemptions.acts import points, rich

if TYPE_CHECKING:
    from tests.bank import Bank

SIZES = (1, 10, 200)


@pytest.mark.parametrize(
    ("referenced", "reserving"),
    [
        # Communities, consents, goods, balances, what was taken, and balances again for the ledger are read; events,
        # redemptions, lines, three tables of the ledger, jobs and the earliest job are written.
        pytest.param(False, {"sqlite": 14, "postgresql": 8}, id="without references"),
        # References are read and written besides.
        pytest.param(True, {"sqlite": 16, "postgresql": 10}, id="with references"),
    ],
)
async def test_one_redemption_takes_as_many_statements_as_two_hundred(
    bank: Bank, *, referenced: bool, reserving: dict[str, int]
) -> None:
    volunteer = await rich(bank, 450)
    articles = [await bank.goods(pieces=250, price=1, limit_per_person=1000) for _ in range(2)]
    table = {}
    for status in (LAPSED, CANCELLED, COLLECTED):
        for size in SIZES:
            new = orders(bank, volunteer, articles, [f"{status}-{size}-{number}" for number in range(size)])
            if not referenced:
                new = [replace(one, reference=None) for one in new]
            async with bank.database.write(bank.number) as session, statements(session) as sent:
                outcomes = [one.outcome for one in await reserve_goods(session, new)]
            made = [one for one in outcomes if isinstance(one, Redemption)]
            assert len(made) == size
            table["reserve", size] = len(sent)
            if status == LAPSED:
                bank.clock.move(hours=72)
            closings = [
                Closing(bank.number, one.id, status, bank.desk.client_id, pickup_code=one.pickup_code) for one in made
            ]
            async with bank.database.write(bank.number) as session, statements(session) as sent:
                closed = await close_redemptions(session, closings)
            assert [isinstance(one, Redemption) and one.status for one in closed] == [status] * size
            table[status, size] = len(sent)
    # Closing reads redemptions, lines and balances, and writes the status, three tables of the ledger and events.
    engine = bank.database.dialect
    closing = {"sqlite": 8, "postgresql": 4}[engine]
    counts = {"reserve": reserving[engine], LAPSED: closing, CANCELLED: closing, COLLECTED: closing}
    assert table == {(step, size): count for step, count in counts.items() for size in SIZES}
    assert await points(bank, volunteer) == (450 - 2 * sum(SIZES), 0)


def orders(
    bank: Bank, volunteer: dict[str, Any], articles: list[dict[str, Any]], references: list[str]
) -> list[NewRedemption]:
    """An order of a piece of each article under each of these references."""
    wanted = tuple(Wanted(UUID(article["id"]), 1) for article in articles)
    return [
        NewRedemption(bank.number, UUID(volunteer["id"]), wanted, bank.desk.client_id, reference=reference)
        for reference in references
    ]
