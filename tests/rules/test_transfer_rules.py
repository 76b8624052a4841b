"""The pure rules of transfers, against points counted one by one."""

from __future__ import annotations

from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from app.kernel.errors import InvalidRequest
from app.transfers.rules import Purse, address_fault, movements_of, transfer_refusal
from app.volunteers.errors import InsufficientPoints, UnknownVolunteer

PEOPLE = [UUID(int=number) for number in range(1, 4)]
STRANGER = UUID(int=9)

purses = st.builds(Purse, points=st.integers(0, 50), owed=st.integers(0, 50))
steps = st.lists(st.tuples(st.sampled_from(PEOPLE), st.sampled_from([*PEOPLE, None]), st.integers(1, 60)), max_size=30)


@given(start=st.tuples(purses, purses, purses), steps=steps)
def test_no_point_comes_or_goes_and_nobody_gives_more_than_there_is(
    start: tuple[Purse, ...], steps: list[tuple[UUID, UUID | None, int]]
) -> None:
    held, pool = dict(zip(PEOPLE, start, strict=True)), 0
    total = sum(purse.points - purse.owed for purse in held.values())
    for giver, receiver, points in steps:
        if address_fault(giver, receiver, to_pool=receiver is None):
            assert giver == receiver
            continue
        refusal = transfer_refusal(giver, receiver, points, held)
        assert (refusal is not None) == (held[giver].points < points)
        if refusal is not None:
            assert refusal == InsufficientPoints(balance=held[giver].points, needed=points)
            continue
        held[giver].points -= points
        if receiver is None:
            pool += points
        else:
            owed, before = held[receiver].owed, held[receiver].points
            held[receiver].take_in(points)
            assert (held[receiver].owed, held[receiver].points) == (
                max(owed - points, 0),
                before + max(points - owed, 0),
            )
        assert sum(amount for _, amount in movements_of(giver, receiver, points)) == 0
        assert all(purse.points >= 0 and purse.owed >= 0 for purse in held.values())
    assert sum(purse.points - purse.owed for purse in held.values()) + pool == total


def test_transfer_goes_to_one_other_volunteer_or_to_the_pool() -> None:
    one, other, _ = PEOPLE
    for receiver, to_pool, pointer in (
        (other, True, "/to_pool"),
        (None, False, "/to_volunteer_id"),
        (one, False, "/to_volunteer_id"),
    ):
        fault = address_fault(one, receiver, to_pool=to_pool)
        assert isinstance(fault, InvalidRequest)
        assert [error.pointer for error in fault.errors] == [pointer]
    assert address_fault(one, other, to_pool=False) is None
    assert address_fault(one, None, to_pool=True) is None


def test_both_volunteers_have_to_be_known() -> None:
    one, held = PEOPLE[0], {PEOPLE[0]: Purse(5, 0)}
    assert transfer_refusal(one, STRANGER, 1, held) == UnknownVolunteer(volunteer_id=STRANGER)
    assert transfer_refusal(STRANGER, one, 1, held) == UnknownVolunteer(volunteer_id=STRANGER)
