"""What the city does with embedded teams, as tests do it most."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import uuid4

from tests.bank import done

if TYPE_CHECKING:
    from tests.bank import Bank


async def department(bank: Bank) -> Any:
    """A department."""
    return done(await bank.city.post("/v1/departments", {"code": uuid4().hex, "name": "城北区公安分局"}), 201)


async def member(bank: Bank, name: str = "马建国", **fields: Any) -> Any:
    """A member who joined on 1 March 2025, of a department of its own unless one is given."""
    department_id = fields.pop("department_id", None) or (await department(bank))["id"]
    body = {"name": name, "department_id": department_id, "joined_on": "2025-03-01", **fields}
    return done(await bank.city.post("/v1/team-members", body), 201)


async def team(bank: Bank, *members: Any) -> Any:
    """A team on which these members serve from 1 March 2025 on."""
    made = done(await bank.city.post("/v1/teams", {"code": uuid4().hex, "name": "第十七组团"}), 201)
    for one in members:
        await join(bank, made, one)
    return made


async def join(bank: Bank, of: Any, who: Any, day: str = "2025-03-01") -> Any:
    """Put a member on a team."""
    return done(await bank.city.post(f"/v1/teams/{of['id']}/members", {"member_id": who["id"], "from": day}), 201)


async def post(bank: Bank, which: Any, day: str = "2025-03-01", **fields: Any) -> Any:
    """Post a team to the bank's community."""
    body = {"community_id": bank.community["id"], "from": day, **fields}
    return done(await bank.city.post(f"/v1/teams/{which['id']}/postings", body), 201)
