"""Debts against a naive model: points that come in settle what is owed first, and what is not there is owed."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from app.ledger.rules import MAY_OVERDRAW, NEVER_NEGATIVE, NEVER_POSITIVE, Account, Entry, State
from app.ledger.rules import apply as decide

POINTS, OWED, ISSUED = (Account(1, address) for address in ("points", "owed", "issued"))
amounts = st.lists(st.integers(-40, 40).filter(bool), max_size=12)


def start(points: int, owed: int) -> dict[Account, State]:
    """The three accounts, of which a sound book has either points or a debt."""
    return {
        POINTS: State(1, "POINT", NEVER_NEGATIVE, 3, points),
        OWED: State(2, "POINT", NEVER_POSITIVE, 1, -owed),
        ISSUED: State(3, "POINT", MAY_OVERDRAW, 4, owed - points),
    }


def moved(amount: int, debts: tuple[tuple[str, str], ...] = (("points", "owed"),)) -> Entry:
    """An entry that gives points or takes them back."""
    return Entry(1, "deposit", (("points", amount), ("issued", -amount)), "service-records/1", "1-a", debts=debts)


@given(amounts, st.integers(-50, 50))
def test_points_and_debt_are_one_number_of_which_one_side_is_zero(moves: list[int], net: int) -> None:
    """A debt behaves as points below zero would: the model is one integer."""
    states = start(max(net, 0), max(-net, 0))
    decisions = decide(states, [moved(amount) for amount in moves])
    model = net
    balances = {account: state.balance for account, state in states.items()}
    for amount, decision in zip(moves, decisions, strict=True):
        assert isinstance(decision, tuple)
        model += amount
        assert sum(change.amount for change in decision) == 0
        assert all(change.amount for change in decision)
        for change in decision:
            assert change.balance_after == balances[change.account] + change.amount
            balances[change.account] = change.balance_after
        assert (balances[POINTS], balances[OWED]) == (max(model, 0), min(model, 0))


@given(st.integers(1, 50), st.integers(0, 60))
def test_a_credit_settles_the_debt_before_a_point_is_free(owed: int, credit: int) -> None:
    (decision,) = decide(start(0, owed), [moved(credit or 1)])
    assert isinstance(decision, tuple)
    given_back = {change.account: change.amount for change in decision}
    assert given_back[OWED] == min(credit or 1, owed)
    assert given_back.get(POINTS, 0) == max((credit or 1) - owed, 0)


@given(st.integers(0, 30), st.integers(1, 60))
def test_without_a_debt_nobody_spends_what_is_not_there(points: int, amount: int) -> None:
    (decision,) = decide(start(points, 0), [moved(-amount, debts=())])
    assert isinstance(decision, tuple) == (amount <= points)
