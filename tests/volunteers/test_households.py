"""Households: who lives together, and how people come and go."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

from app.volunteers.service import housemates
from tests.bank import done, refused
from tests.volunteers.people import person

if TYPE_CHECKING:
    from tests.bank import Bank


async def living(bank: Bank, household: dict[str, Any]) -> list[str]:
    """Who lives in a household now."""
    found: list[str] = done(await bank.auditor.get(f"households/{household['id']}"), 200)["volunteer_ids"]
    return sorted(found)


async def test_a_household_is_made_of_volunteers_and_others_join_and_leave(bank: Bank) -> None:
    one, two, three = [(await bank.volunteer())["id"] for _ in range(3)]
    answer = await bank.desk.post("households", {"name": "3-201", "volunteer_ids": [one, two]})
    home = done(answer, 201)
    assert answer.headers["location"] == f"{bank.desk.base}/households/{home['id']}"
    assert done(await bank.desk.get(answer.headers["location"]), 200) == home
    assert (home["name"], sorted(home["volunteer_ids"])) == ("3-201", sorted([one, two]))
    done(await bank.desk.patch(f"volunteers/{three}", {"household_id": home["id"]}), 200)
    born_there = done(await bank.desk.post("volunteers", person(household_id=home["id"])), 201)
    assert born_there["household_id"] == home["id"]
    assert await living(bank, home) == sorted([one, two, three, born_there["id"]])
    left = done(await bank.desk.patch(f"volunteers/{two}", {"household_id": None}), 200)
    assert left["household_id"] is None
    # Who is named in a new household leaves the one before.
    other = done(await bank.desk.post("households", {"volunteer_ids": [one]}), 201)
    assert await living(bank, home) == sorted([three, born_there["id"]])
    assert done(await bank.desk.get(f"volunteers/{one}"), 200)["household_id"] == other["id"]
    async with bank.database.read(bank.number) as session:
        found = await housemates(session, bank.number, [UUID(one), UUID(two), UUID(three)])
    together = frozenset({UUID(three), UUID(born_there["id"])})
    assert found == {UUID(one): {UUID(one)}, UUID(two): {UUID(two)}, UUID(three): together}


async def test_households_are_listed_and_their_names_hidden_from_those_who_see_no_names(bank: Bank) -> None:
    homes = [done(await bank.desk.post("households", {"name": f"3-20{number}"}), 201) for number in range(3)]
    page = done(await bank.manager.get("households", limit=2), 200)
    rest = done(await bank.manager.get("households", limit=2, cursor=page["next_cursor"]), 200)
    assert page["items"] + rest["items"] == homes[::-1]
    for api in (bank.auditor, bank.integrator):
        assert [home["name"] for home in done(await api.get("households"), 200)["items"]] == [None] * 3
        assert done(await api.get(f"households/{homes[0]['id']}"), 200)["name"] is None


async def test_unknown_volunteers_and_households_are_refused(bank: Bank) -> None:
    nobody, volunteer = str(uuid4()), await bank.volunteer()
    refused(await bank.desk.post("households", {"volunteer_ids": [nobody]}), "unknown-volunteer", volunteer_id=nobody)
    refused(await bank.desk.post("volunteers", person(household_id=nobody)), "unknown-household", status=422)
    answer = await bank.desk.patch(f"volunteers/{volunteer['id']}", {"household_id": nobody})
    refused(answer, "unknown-household", household_id=nobody)
    refused(await bank.desk.get(f"households/{nobody}"), "not-found")
    assert done(await bank.desk.get("households"), 200)["items"] == []
    # Households of another community are no more known than none.
    home = done(await bank.desk.post("households", {}), 201)
    await bank.open_community()
    refused(await bank.desk.post("volunteers", person(household_id=home["id"])), "unknown-household")
