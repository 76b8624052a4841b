"""Sixteen clients hammer twenty volunteers: sums are conserved, nothing goes below its floor, and no answer is a 5xx.

Three seconds an engine; HAMMER_SECONDS=60 hammers for a minute, and `-s` shows what came of it.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from random import Random
from typing import TYPE_CHECKING

from tests.journeys.hammer import EXPECTED, Hammer, check_sums
from tests.races.books import assert_books_agree

if TYPE_CHECKING:
    from tests.bank import Bank

SECONDS = float(os.environ.get("HAMMER_SECONDS", "3"))
CLIENTS, VOLUNTEERS = 16, 20


async def test_nothing_is_lost_or_made_under_the_hammer(bank: Bank) -> None:
    hammer = await Hammer.of(bank, volunteers=VOLUNTEERS, days=4 + int(SECONDS / 2), chance=Random())  # noqa: S311
    began = time.perf_counter()
    until = began + SECONDS
    await asyncio.gather(*(hammer.client(until) for _ in range(CLIENTS)), hammer.worker(until))
    took = time.perf_counter() - began
    assert set(hammer.outcomes) <= EXPECTED, hammer.outcomes
    assert {"200", "201"} <= set(hammer.outcomes)
    await check_sums(hammer)
    await assert_books_agree(bank.database, bank.number)
    total = hammer.outcomes.total()
    sys.stdout.write(
        f"\n{bank.database.dialect}: {total} commands and {hammer.replays} replays in {took:.1f} s,"
        f" {total / took:.0f} a second, the slowest {hammer.slowest * 1000:.0f} ms; {hammer.issued} points issued,"
        f" {hammer.redeemed} redeemed; {dict(sorted(hammer.outcomes.items()))}\n"
    )
