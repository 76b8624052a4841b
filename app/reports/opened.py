"""Checks that a community and each of its volunteers and articles have just the accounts that were opened for them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

from app.communities.service import accounts_of as accounts_of_community
from app.goods.service import accounts_of as accounts_of_article
from app.goods.tables import goods
from app.ledger import Discrepancy
from app.volunteers.service import accounts_of as accounts_of_volunteer
from app.volunteers.tables import volunteers

if TYPE_CHECKING:
    from app.ledger import Books

_shown_max = 1000


async def audit(books: Books) -> list[Discrepancy]:
    """Hold the accounts that there are, by number, against those that there should be."""
    session, community = books.session, books.community
    wanted = accounts_of_community(community)
    for of, key in (
        (accounts_of_volunteer, volunteers.c.volunteer_id),
        (accounts_of_article, goods.c.goods_id),
    ):
        ids = await session.execute(sa.select(key).where(key.table.c.community_id == community))
        wanted += [account for owner in ids.scalars() for account in of(community, owner)]
    missing = {account.address: (account.unit, account.bound) for account in wanted}
    found: list[Discrepancy] = []
    for number, (address, unit) in books.accounts.items():
        expected = missing.pop(address, None)
        if expected != (unit, books.bounds[number]):
            detail = f"address {address}, unit {unit}, bound {books.bounds[number]}, expected {expected}"
            found.append(Discrepancy("account-wrong", f"account/{number}", detail))
    found += [Discrepancy("account-missing", address, f"unit {unit}") for address, (unit, _) in missing.items()]
    return found[:_shown_max]
