"""What tests of redemptions do over and over."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.bank import done

if TYPE_CHECKING:
    import httpx

    from tests.bank import Api, Bank


async def rich(bank: Bank, points: int = 100, **fields: Any) -> dict[str, Any]:
    """A volunteer who has earned points: one a minute, on as many days as it takes."""
    if not done(await bank.desk.get("service-kinds"), 200)["items"]:
        await bank.kind(points_per_hour=60)
    volunteer: dict[str, Any] = await bank.volunteer(**fields)
    for day, start in enumerate(range(0, points, 480)):
        minutes = min(points - start, 480)
        await bank.hours(volunteer["id"], start=f"2026-01-{day + 1:02}T09:00", minutes=minutes)
    return volunteer


async def reserve(
    api: Api, volunteer: dict[str, Any], *wanted: tuple[dict[str, Any], int], **fields: Any
) -> httpx.Response:
    """Order pieces of articles."""
    lines = [{"goods_id": article["id"], "quantity": quantity} for article, quantity in wanted]
    return await api.post("redemptions", {"volunteer_id": volunteer["id"], "lines": lines, **fields})


async def collect(api: Api, redemption: dict[str, Any], code: str | None = None) -> httpx.Response:
    """Hand over against the redemption's code, or another one."""
    body = {"pickup_code": redemption["pickup_code"] if code is None else code}
    return await api.post(f"redemptions/{redemption['id']}/collection", body)


async def cancel(api: Api, redemption: dict[str, Any], **fields: Any) -> httpx.Response:
    """Cancel a redemption."""
    return await api.post(f"redemptions/{redemption['id']}/cancellation", fields)


async def points(bank: Bank, volunteer: dict[str, Any]) -> tuple[int, int]:
    """Points that are free, and points that are held."""
    held = await bank.balance(volunteer["id"])
    return held["points"], held["points_reserved"]


async def pieces(bank: Bank, article: dict[str, Any]) -> tuple[int, int, int]:
    """Pieces on the shelf, held, and handed out."""
    held = done(await bank.desk.get(f"goods/{article['id']}"), 200)["stock"]
    return held["shelf"], held["reserved"], held["handed_out"]


async def status(bank: Bank, redemption: dict[str, Any]) -> str:
    """The status of a redemption."""
    read: str = done(await bank.desk.get(f"redemptions/{redemption['id']}"), 200)["status"]
    return read
