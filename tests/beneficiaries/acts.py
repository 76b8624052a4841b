"""Beneficiaries to register, and what tests do with them most."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.bank import done

if TYPE_CHECKING:
    from tests.bank import Api, Bank

CONSENT = {"version": "2024-09", "given_at": "2025-01-01T09:00:00+08:00"}


def served(**fields: Any) -> dict[str, Any]:
    """The body that registers 邓阿姨, unless fields say otherwise."""
    return {
        "name": "邓秀兰",
        "phone": "0971-6123456",
        "address": "祁连家园 3 号楼 201",
        "living_alone": True,
        "consent": CONSENT,
        **fields,
    }


async def beneficiary(bank: Bank, *, desk: Api | None = None, **fields: Any) -> Any:
    """Register a beneficiary at the desk (the bank's, if no other is named), at an address of their own."""
    body = served(address=f"祁连家园 {bank.phone()}", **fields) if "address" not in fields else served(**fields)
    return done(await (desk or bank.desk).post("beneficiaries", body), 201)
