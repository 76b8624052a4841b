"""Raw bytes to everything that changes anything: a short campaign, the same each time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.fuzz.campaign import Campaign

if TYPE_CHECKING:
    import pytest

    from tests.bank import Bank

SEED = 20_261_124
REQUESTS = 800


async def test_spoilt_requests_are_refused_and_leave_nothing_behind(
    bank: Bank, capsys: pytest.CaptureFixture[str]
) -> None:
    figures = await Campaign(bank, SEED).run(range(REQUESTS))
    assert figures.statuses.total() == REQUESTS
    assert figures.statuses[422] > REQUESTS / 4
    assert {401, 404, 415, 422} <= figures.statuses.keys()
    with capsys.disabled():
        print(f"\nraw fuzz: {figures}")  # noqa: T201  told, not hidden
