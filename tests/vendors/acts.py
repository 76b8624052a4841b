"""Vendors to register."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.bank import done

if TYPE_CHECKING:
    from tests.bank import Bank


def vendor_body(bank: Bank, **fields: Any) -> dict[str, Any]:
    """The body that registers a vendor."""
    return {"name": "马福祥", "phone": bank.phone(), "goods_sold": "烤红薯、酿皮", **fields}


async def vendor(bank: Bank, **fields: Any) -> Any:
    """Register a vendor at the desk, with a phone of their own."""
    return done(await bank.desk.post("vendors", vendor_body(bank, **fields)), 201)
