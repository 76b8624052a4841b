"""What tests of tide stalls do over and over, by who manages the community."""

from __future__ import annotations

import datetime as dt
from hashlib import sha256
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

from tests.bank import done

if TYPE_CHECKING:
    from datetime import datetime

    import httpx

    from tests.bank import Api, Bank

EVENING = [{"weekday": 5, "hour": hour, "footfall": 320} for hour in (18, 19, 20)]
"""Three hours of Friday evening."""

IN_THREE_DAYS = dt.timedelta(days=3)


async def site(manager: Api, **fields: Any) -> Any:
    """Register a site with two pitches."""
    body = {
        "code": f"site-{uuid4().hex[:8]}",
        "name": "祁连路夜市",
        "place": "祁连路与门源路口空地",
        "pitches": 2,
        "organiser": "祁连路西社区居委会",
        **fields,
    }
    return done(await manager.post("sites", body), 201)


async def calendar(manager: Api, of: dict[str, Any], **fields: Any) -> Any:
    """Open a site on Friday evenings from the day after the tests' present on."""
    body = {"threshold": 200, "effective_from": "2026-03-03", "lines": EVENING, **fields}
    return done(await manager.post(f"sites/{of['id']}/footfall-calendar", body), 201)


async def shifts_of(manager: Api, activity_id: str) -> list[Any]:
    """The shifts of an activity that take place, in order."""
    found = done(await manager.get("shifts", activity_id=activity_id, status="planned", limit=200), 200)["items"]
    return sorted(found, key=lambda shift: str(shift["starts_at"]))


async def evening(manager: Api, of: dict[str, Any], starts_at: datetime) -> Any:
    """A single evening of a site, of three hours, with the id of the pitches' position."""
    activity = done(await manager.get(f"activities/{of['activity_id']}"), 200)
    span = {"starts_at": starts_at.isoformat(), "ends_at": (starts_at + dt.timedelta(hours=3)).isoformat()}
    shift = done(await manager.post(f"activities/{activity['id']}/shifts", span), 201)
    return {**shift, "position_id": activity["positions"][0]["id"]}


async def apply(manager: Api, shift: dict[str, Any], vendor: dict[str, Any]) -> httpx.Response:
    """Let a vendor apply for a pitch."""
    body = {"position_id": shift["position_id"], "participant_id": vendor["id"]}
    return await manager.post(f"shifts/{shift['id']}/signups", body)


async def draw(manager: Api, shift: dict[str, Any]) -> Any:
    """The draw of a shift as it stands."""
    return done(await manager.get(f"shifts/{shift['id']}/draw"), 200)


async def make_draw(manager: Api, shift: dict[str, Any]) -> Any:
    """Draw, which has to be due."""
    return done(await manager.post(f"shifts/{shift['id']}/draw"), 200)


async def market(bank: Bank, **fields: Any) -> Any:
    """An evening in three days of a site with two pitches, unless told otherwise."""
    return await evening(bank.manager, await site(bank.manager, **fields), bank.clock.moment + IN_THREE_DAYS)


def repeated(shown: dict[str, Any]) -> list[str]:
    """The applicants in the order drawn, as anybody works it out who has read the route's description."""
    secret = bytes.fromhex(shown["secret"])
    assert sha256(secret).hexdigest() == shown["commitment"]
    ids = sorted(UUID(one).bytes for one in shown["applicants"])
    seed = sha256(secret + b"".join(ids)).digest()
    assert seed.hex() == shown["seed"]
    return [str(UUID(bytes=one)) for one in sorted(ids, key=lambda one: sha256(seed + one).digest())]
