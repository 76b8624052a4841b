"""What tests of hours do over and over."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.bank import done

if TYPE_CHECKING:
    import httpx

    from tests.bank import Api, Bank


async def record(bank: Bank, volunteer: dict[str, Any], *, by: Api | None = None, **fields: Any) -> dict[str, Any]:
    """Record a service, at the desk unless someone else does it."""
    answer = await (by or bank.desk).post("service-records", bank.record(volunteer["id"], **fields))
    made: dict[str, Any] = done(answer, 201)
    return made


async def verify(api: Api, record: dict[str, Any], decision: str = "approve", **fields: Any) -> httpx.Response:
    """Decide about a record."""
    return await api.post(f"service-records/{record['id']}/verification", {"decision": decision, **fields})


async def approved(bank: Bank, volunteer: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """Record a service at the desk and let the verifier approve it."""
    made: dict[str, Any] = done(await verify(bank.verifier, await record(bank, volunteer, **fields)), 200)
    return made


def pointers(problem: dict[str, Any]) -> list[str]:
    """Where an invalid request is wrong."""
    return [fault["pointer"] for fault in problem["errors"]]
