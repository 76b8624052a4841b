"""Vendors to register."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.bank import done

if TYPE_CHECKING:
    from tests.bank import Api, Bank


async def vendor(bank: Bank, *, desk: Api | None = None, **fields: Any) -> Any:
    """Register a vendor at the desk (the bank's, if no other is named), with a phone of their own."""
    body = {"name": "马福祥", "phone": bank.phone(), "goods_sold": "烤红薯、酿皮", **fields}
    return done(await (desk or bank.desk).post("vendors", body), 201)
