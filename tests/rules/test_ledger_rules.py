"""The ledger's rules against a naive model: the same decision about any list of entries."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.kernel.errors import Refusal
from app.ledger.rules import BALANCE_MAX, MAY_OVERDRAW, NEVER_NEGATIVE, NEVER_POSITIVE, Account, Change, Entry, State
from app.ledger.rules import apply as decide

Movements = tuple[tuple[str, int], ...]
Verdict = tuple[Any, ...]

UNITS = {"a": "POINT", "b": "POINT", "c": "POINT", "d": "POINT", "m": "MINUTE", "n": "MINUTE", "s": "goods/1"}
"""The addresses that have accounts, and their units; "x" and "y" have none."""


# --- The model: one dictionary, loops, and a copy of everything before each entry and each group ---


@dataclass
class Sheet:
    """What the model knows of an account."""

    unit: str
    bound: int
    version: int
    balance: int


Book = dict[tuple[int, str], Sheet]


def naive_decisions(book: Book, entries: list[Entry]) -> list[Verdict]:
    """Decide a list one group after the other; a group with a refusal is undone from a copy."""
    verdicts: list[Verdict] = []
    place = 0
    while place < len(entries):
        end = place + 1
        while entries[place].group is not None and end < len(entries) and entries[end].group == entries[place].group:
            end += 1
        before = copy.deepcopy(book)
        group = [naive_decision(book, entry) for entry in entries[place:end]]
        if len(group) > 1 and any(verdict[0] != "posted" for verdict in group):
            book.update(before)
            group = [("linked-entry-refused",) if verdict[0] == "posted" else verdict for verdict in group]
        verdicts += group
        place = end
    return verdicts


def naive_decision(book: Book, entry: Entry) -> Verdict:
    """Look at one entry, then move it in the book; if an account does not take it, all is as it was before."""
    fault = naive_fault(book, entry)
    if fault is not None:
        return fault
    before = copy.deepcopy(book)
    lines = []
    for address, amount in entry.movements:
        sheet = book[entry.community, address]
        sheet.balance += amount
        sheet.version += 1
        too_low = sheet.bound == NEVER_NEGATIVE and sheet.balance < 0
        too_high = sheet.bound == NEVER_POSITIVE and sheet.balance > 0
        if too_low or too_high or not -BALANCE_MAX <= sheet.balance <= BALANCE_MAX:
            book.update(before)
            return ("balance-out-of-bounds", address, before[entry.community, address].balance, amount)
        lines.append((entry.community, address, amount, sheet.version, sheet.balance))
    return ("posted", *lines)


def naive_fault(book: Book, entry: Entry) -> Verdict | None:
    """What makes an entry no movement at all, whatever the accounts hold."""
    addresses = [address for address, _ in entry.movements]
    if addresses == [] or any(addresses.count(address) > 1 for address in addresses):
        return ("unbalanced-entry",)
    for address, amount in entry.movements:
        if (entry.community, address) not in book:
            return ("unknown-account", address)
        if amount == 0:
            return ("unbalanced-entry",)
    for unit in UNITS.values():
        if sum(amount for address, amount in entry.movements if UNITS[address] == unit) != 0:
            return ("unbalanced-entry",)
    return None


# --- What the model and the rules are given ---


@st.composite
def ledgers(draw: st.DrawFn) -> dict[Account, State]:
    """Accounts of two communities with any bounds, and balances within them: small, or close to the limit."""
    states = {}
    for community in (1, 2):
        for number, (address, unit) in enumerate(UNITS.items(), 1):
            bound = draw(st.sampled_from([NEVER_NEGATIVE, MAY_OVERDRAW, NEVER_POSITIVE]))
            size = draw(st.sampled_from([0, 1, 5, BALANCE_MAX - 2]))
            sign = bound or draw(st.sampled_from([1, -1]))
            states[Account(community, address)] = State(number, unit, bound, draw(st.integers(0, 3)), sign * size)
    return states


amounts = st.integers(-6, 6) | st.sampled_from([BALANCE_MAX, -BALANCE_MAX])


@st.composite
def balanced(draw: st.DrawFn) -> Movements:
    """Movements that sum to zero in one unit or two, as features make them, or over units that do not mix."""
    movements: list[tuple[str, int]] = []
    for group in draw(st.sampled_from([["abcd"], ["mn"], ["abcd", "mn"], ["abcdmns"]])):
        chosen = draw(st.lists(st.sampled_from(group), min_size=2, max_size=3, unique=True))
        moved = [draw(st.integers(1, 4)) * draw(st.sampled_from([1, -1])) for _ in chosen[1:]]
        movements += zip(chosen, [*moved, -sum(moved)], strict=True)
    return tuple(movements)


anything = st.lists(st.tuples(st.sampled_from("abcdmnsxy"), amounts), max_size=4).map(tuple)


@st.composite
def entry_lists(draw: st.DrawFn) -> list[Entry]:
    """Up to a dozen entries, balanced or not, some linked; two groups with the same name may stand apart."""
    return [
        Entry(
            community=draw(st.sampled_from([1, 1, 1, 2])),
            kind="test",
            movements=draw(st.one_of(balanced(), balanced(), anything)),
            reference=f"entries/{index}",
            posted_by="tester",
            group=draw(st.sampled_from([None, None, "left", "right"])),
        )
        for index in range(draw(st.integers(0, 12)))
    ]


def verdict(decision: tuple[Change, ...] | Refusal) -> Verdict:
    """A decision of the rules in the words of the model."""
    if isinstance(decision, Refusal):
        facts = decision.facts()
        return (decision.code, *(facts[name] for name in ("account", "balance", "amount") if name in facts))
    return ("posted", *((*change.account, change.amount, change.version, change.balance_after) for change in decision))


# --- Any list of entries. No test here measures time, so that a busy machine fails none ---

patient = settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
quick = settings(patient, max_examples=60)


@patient
@given(ledgers(), entry_lists())
def test_the_rules_and_the_naive_model_decide_the_same(states: dict[Account, State], entries: list[Entry]) -> None:
    book: Book = {
        (account.community, account.address): Sheet(state.unit, state.bound, state.version, state.balance)
        for account, state in states.items()
    }
    given_states = dict(states)
    assert [verdict(decision) for decision in decide(states, entries)] == naive_decisions(book, entries)
    assert states == given_states


@quick
@given(ledgers(), entry_lists())
def test_units_sum_to_zero_and_versions_count_up_over_whatever_is_posted(
    states: dict[Account, State], entries: list[Entry]
) -> None:
    held = {account: (state.version, state.balance) for account, state in states.items()}
    totals = dict.fromkeys(UNITS.values(), 0)
    for decision in decide(states, entries):
        for change in () if isinstance(decision, Refusal) else decision:
            version, balance = held[change.account]
            assert (change.version, change.balance_after) == (version + 1, balance + change.amount)
            assert change.number == states[change.account].number
            held[change.account] = (change.version, change.balance_after)
            totals[states[change.account].unit] += change.amount
    assert set(totals.values()) == {0}


@quick
@given(ledgers(), entry_lists())
def test_a_refused_entry_changes_nothing_for_those_after_it(states: dict[Account, State], entries: list[Entry]) -> None:
    decisions = decide(states, entries)
    held = [(entry, made) for entry, made in zip(entries, decisions, strict=True) if not isinstance(made, Refusal)]
    # Without its refused neighbours a linked group could grow together with the next one of that name.
    alone = [entry._replace(group=None) for entry, _ in held]
    assert decide(states, alone) == [made for _, made in held]


@quick
@given(ledgers(), entry_lists())
def test_linked_entries_are_posted_together_or_not_at_all(states: dict[Account, State], entries: list[Entry]) -> None:
    paired = zip(entries, decide(states, entries), strict=True)
    for group, linked in groupby(paired, key=lambda pair: pair[0].group):
        codes = [made.code if isinstance(made, Refusal) else "posted" for _, made in linked]
        if group is None:
            assert "linked-entry-refused" not in codes
        else:
            assert set(codes) == {"posted"} or "posted" not in codes
            assert set(codes) != {"linked-entry-refused"}


# --- Each refusal once, so that none of the above holds for want of a case ---

STATES = {
    Account(1, "free"): State(1, "POINT", NEVER_NEGATIVE, 4, 10),
    Account(1, "issued"): State(2, "POINT", MAY_OVERDRAW, 4, -10),
    Account(1, "owed"): State(3, "POINT", NEVER_POSITIVE, 0, 0),
    Account(1, "given"): State(4, "MINUTE", MAY_OVERDRAW, 0, 0),
    Account(1, "full"): State(5, "POINT", NEVER_NEGATIVE, 1, BALANCE_MAX),
}


def entry(*movements: tuple[str, int], group: object = None, community: int = 1) -> Entry:
    return Entry(community, "test", movements, "entries/1", "tester", group=group)


@pytest.mark.parametrize(
    ("movements", "sentence"),
    [
        ((), "The entry is not balanced: it moves nothing."),
        ((("free", 5),), "The entry is not balanced: POINT sums to 5."),
        ((("free", 5), ("issued", -4)), "The entry is not balanced: POINT sums to 1."),
        ((("free", 5), ("given", -5)), "The entry is not balanced: POINT sums to 5."),
        ((("free", 5), ("free", -5)), "The entry is not balanced: an account stands in it twice."),
        ((("free", 0), ("issued", 0)), "The entry is not balanced: it moves nothing on free."),
        ((("free", 5), ("nobody", -5)), "The account nobody has not been opened."),
        ((("free", -11), ("issued", 11)), "free holds 10, which a movement of -11 would take out of its bounds."),
        ((("owed", 1), ("issued", -1)), "owed holds 0, which a movement of 1 would take out of its bounds."),
        (
            (("full", 1), ("issued", -1)),
            "full holds 9007199254740991, which a movement of 1 would take out of its bounds.",
        ),
        (
            (("free", BALANCE_MAX - 9), ("given", 9 - BALANCE_MAX)),
            "The entry is not balanced: POINT sums to 9007199254740982.",
        ),
    ],
)
def test_what_is_no_movement_is_refused_with_a_sentence(movements: Movements, sentence: str) -> None:
    (decision,) = decide(STATES, [entry(*movements)])
    assert isinstance(decision, Refusal)
    assert decision.detail == sentence


def test_an_overdrawn_account_may_go_down_to_the_limit_and_no_further() -> None:
    states = {**STATES, Account(1, "issued"): State(2, "POINT", MAY_OVERDRAW, 0, 1 - BALANCE_MAX)}
    one, another = decide(states, [entry(("free", 1), ("issued", -1))] * 2)
    assert verdict(one) == ("posted", (1, "free", 1, 5, 11), (1, "issued", -1, 1, -BALANCE_MAX))
    assert verdict(another) == ("balance-out-of-bounds", "issued", -BALANCE_MAX, -1)


def test_an_entry_sees_what_the_entries_before_it_have_done() -> None:
    spend = entry(("free", -6), ("issued", 6))
    first, second, third = decide(STATES, [spend, spend, entry(("free", -4), ("issued", 4))])
    assert verdict(first)[1] == (1, "free", -6, 5, 4)
    assert verdict(second) == ("balance-out-of-bounds", "free", 4, -6)
    assert verdict(third)[1] == (1, "free", -4, 6, 0)


def test_a_linked_group_ends_where_another_begins_and_frees_what_it_held() -> None:
    good, bad = entry(("free", -10), ("issued", 10), group="one"), entry(("free", -1), ("issued", 1), group="one")
    verdicts = [verdict(made)[0] for made in decide(STATES, [good, bad, good._replace(group="two")])]
    assert verdicts == ["linked-entry-refused", "balance-out-of-bounds", "posted"]


def test_the_same_address_in_another_community_is_another_account() -> None:
    (decision,) = decide(STATES, [entry(("free", 1), ("issued", -1), community=2)])
    assert verdict(decision) == ("unknown-account", "free")
