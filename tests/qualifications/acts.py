"""Qualifications to check in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.bank import done

if TYPE_CHECKING:
    from tests.bank import Api, Bank


async def qualification(
    bank: Bank, volunteer_id: str, code: str = "doctor", *, manager: Api | None = None, **fields: Any
) -> Any:
    """Check a volunteer's qualification in, as the manager (the bank's, if no other is named)."""
    body = {"code": code, "valid_from": "2024-01-01", **fields}
    return done(await (manager or bank.manager).post(f"volunteers/{volunteer_id}/qualifications", body), 201)
