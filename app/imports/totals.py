"""What a community holds, summed up for whoever imported it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from app import ledger
from app.communities.rules import MINUTES_GIVEN, POINTS_EXPIRED, POINTS_ISSUED, POINTS_REDEEMED
from app.goods.service import list_goods
from app.kernel.paging import Paging
from app.ledger import Account
from app.volunteers.rules import minutes_account, points_account
from app.volunteers.service import list_volunteers

if TYPE_CHECKING:
    from app.kernel.database import Session


@dataclass(frozen=True, slots=True)
class Totals:
    """Minutes given, points issued, redeemed and outstanding, pieces on the shelf by article.

    `balances_sha256` is over the lines `phone,minutes,points` of all volunteers, sorted by phone.
    """

    minutes: int
    points_issued: int
    points_redeemed: int
    points_outstanding: int
    shelf: dict[str, int]
    balances_sha256: str


async def totals_of(session: Session, community: int) -> Totals:
    """Sum a community up from its ledger."""
    addresses = (MINUTES_GIVEN, POINTS_ISSUED, POINTS_REDEEMED, POINTS_EXPIRED)
    held = await ledger.balances(session, [Account(community, address) for address in addresses])
    minutes, issued, redeemed, expired = (held[Account(community, address)] for address in addresses)
    goods = await list_goods(session, community, Paging())
    return Totals(
        minutes=-minutes,
        points_issued=-issued,
        points_redeemed=redeemed,
        points_outstanding=-issued - redeemed - expired,
        shelf={article.code: stock.shelf for article, stock in sorted(goods, key=lambda pair: pair[0].code)},
        balances_sha256=hashlib.sha256("".join(await balance_lines(session, community)).encode()).hexdigest(),
    )


async def balance_lines(session: Session, community: int) -> list[str]:
    """The lines `phone,minutes,points` of all volunteers, sorted by phone."""
    volunteers = sorted(await list_volunteers(session, community, Paging()), key=lambda volunteer: volunteer.phone)
    accounts = [
        (Account(community, minutes_account(one.id)), Account(community, points_account(one.id))) for one in volunteers
    ]
    held = await ledger.balances(session, [account for pair in accounts for account in pair])
    return [
        f"{one.phone},{held[minutes]},{held[points]}\n"
        for one, (minutes, points) in zip(volunteers, accounts, strict=True)
    ]
