"""The judge sees what is lost, doubled or out of order, and says nothing when all is well."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from tests.soak.history import DONE, REFUSED, UNKNOWN, Act, Sight
from tests.soak.judge import Books, Effect, judge_effects, judge_order
from tests.soak.parts import ViolationError

GIFT = ("gift", "transfers/1")
ADDRESS = "volunteer/a/points"
GIVEN = Act(1, "transfer", "第1件", 5, began=10.0, ended=11.0, fate=DONE, posted=True)
SEEN = Sight(1, "a", began=12.0, ended=13.0, version=2, points=5)


def books(*, effects: int = 1, points: int = 5, transactions: int = 1) -> Books:
    """A volunteer with a balance of ten, who then gives five in transaction 7."""
    made = Books()
    made.balances[ADDRESS] = [0, 10, 5]
    made.versions[7] = [(ADDRESS, 2)]
    made.effects["transfer", "第1件"] = [Effect(points, GIFT, {"giver": "a"})] * effects
    made.moves[7]["a"] = -5
    made.transactions[GIFT] = [7, 8][:transactions]
    return made


@pytest.mark.parametrize(("fate", "effects"), [(DONE, 1), (REFUSED, 0), (UNKNOWN, 0), (UNKNOWN, 1)], ids=str)
def test_what_was_told_and_is_so_is_well(fate: str, effects: int) -> None:
    judge_effects(books(effects=effects), [replace(GIVEN, fate=fate)])


@pytest.mark.parametrize(("fate", "effects"), [(DONE, 0), (DONE, 2), (REFUSED, 1), (UNKNOWN, 2)], ids=str)
def test_what_was_told_and_is_not_so_is_seen(fate: str, effects: int) -> None:
    with pytest.raises(ViolationError, match=f"took place {effects} times"):
        judge_effects(books(effects=effects), [replace(GIVEN, fate=fate)])


def test_another_quantity_is_seen() -> None:
    with pytest.raises(ViolationError, match="became"):
        judge_effects(books(points=6), [GIVEN])


def test_an_effect_for_somebody_else_is_seen() -> None:
    with pytest.raises(ViolationError, match="not of the same"):
        judge_effects(books(), [replace(GIVEN, about={"giver": "b"})])
    judge_effects(books(), [replace(GIVEN, about={"giver": "a"}, moves={"a": -5})])


@pytest.mark.parametrize("moves", [{"a": -4}, {"b": -5}, {"a": -5, "b": 5}], ids=str)
def test_a_transaction_that_moves_other_points_than_asked_for_is_seen(moves: dict[str, int]) -> None:
    with pytest.raises(ViolationError, match="moves"):
        judge_effects(books(), [replace(GIVEN, moves=moves)])


@pytest.mark.parametrize(("reference", "transaction"), [("transfers/2", 7), ("transfers/1", 8)], ids=str)
def test_an_answer_about_another_effect_is_seen(reference: str, transaction: int) -> None:
    with pytest.raises(ViolationError, match="the answer spoke of"):
        judge_effects(books(), [replace(GIVEN, reference=reference, transaction=transaction)])
    judge_effects(books(), [replace(GIVEN, reference="transfers/1", transaction=7)])


def test_an_effect_that_nobody_asked_for_is_seen() -> None:
    with pytest.raises(ViolationError, match="nobody asked"):
        judge_effects(books(), [])


@pytest.mark.parametrize("transactions", [0, 2])
def test_an_effect_posted_never_or_twice_is_seen(transactions: int) -> None:
    with pytest.raises(ViolationError, match="posted"):
        judge_effects(books(transactions=transactions), [GIVEN])


@pytest.mark.parametrize(
    "sight",
    [
        SEEN,
        replace(SEEN, began=10.5),
        replace(SEEN, began=10.5, version=1, points=10),
        replace(SEEN, began=8.0, ended=9.0, version=1, points=10),
    ],
)
def test_reads_beside_a_write_see_it_or_not(sight: Sight) -> None:
    judge_order(books(), [GIVEN], [sight])


def test_a_balance_that_is_not_of_its_version_is_seen() -> None:
    with pytest.raises(ViolationError, match="is not in"):
        judge_order(books(), [GIVEN], [replace(SEEN, points=10)])


def test_a_read_that_misses_a_write_told_before_is_seen() -> None:
    with pytest.raises(ViolationError, match="after version 2 was known"):
        judge_order(books(), [GIVEN], [replace(SEEN, version=1, points=10)])


def test_a_read_that_goes_back_behind_another_is_seen() -> None:
    unknown = replace(GIVEN, fate=UNKNOWN, ended=math.inf)
    later = replace(SEEN, began=14.0, ended=15.0, version=1, points=10)
    with pytest.raises(ViolationError, match="after version 2 was known"):
        judge_order(books(), [unknown], [SEEN, later])


def test_a_read_that_sees_what_is_not_asked_for_yet_is_seen() -> None:
    with pytest.raises(ViolationError, match="before version 2 was asked for"):
        judge_order(books(), [GIVEN], [replace(SEEN, began=8.0, ended=9.0)])


def test_a_write_that_comes_before_one_that_was_told_is_seen() -> None:
    earlier, later = books(), replace(GIVEN, mark="第2件", began=20.0, ended=21.0)
    earlier.effects["transfer", "第2件"] = [Effect(5, ("gift", "transfers/2"))]
    earlier.transactions["gift", "transfers/2"] = [6]
    earlier.versions[6] = [(ADDRESS, 1)]
    with pytest.raises(ViolationError, match="before version 1 was asked for"):
        judge_order(earlier, [GIVEN, later], [])
