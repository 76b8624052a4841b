"""The rules of hours and of the counter through the API, each with random data, again and again in a new community."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.soak.counter_rules import RULES_OF_THE_COUNTER
from tests.soak.grounds import counters, in_worlds, rounds
from tests.soak.hours_rules import RULES_OF_HOURS
from tests.soak.parts import SQLITE, Part
from tests.soak.promises import books_agree

if TYPE_CHECKING:
    from tests.soak.parts import Plan


async def _world(plan: Plan) -> None:
    rules = [*RULES_OF_HOURS, *RULES_OF_THE_COUNTER]
    async with counters(plan.engine) as (counting, _):
        bank = counting.bank
        for _ in rounds(plan):
            plan.random.shuffle(rules)
            for rule in rules:
                await rule(bank, plan.random)
                await books_agree(bank.database, bank.number)
                plan.count("rules tried")


def run(plan: Plan) -> None:
    """Try every rule, as often as there is time."""
    in_worlds(plan, _world)


# What is decided is decided in Python, the same on both engines; what the engines enforce is the ledger's part.
PART = Part("rules", (SQLITE,), run, targets={"rules tried": 20_000}, core_seconds=2, smoke_seconds=4)
