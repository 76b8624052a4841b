"""What tests of sign-ups do over and over."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.activities import acts
from tests.bank import done

if TYPE_CHECKING:
    import httpx

    from tests.bank import Api, Bank


@dataclass(frozen=True)
class Open:
    """A shift of an activity, and the activity's positions by the order in which they were made."""

    activity: dict[str, Any]
    shift: dict[str, Any]

    def position(self, number: int = 0) -> str:
        """The id of a position."""
        found: str = self.activity["positions"][number]["id"]
        return found

    @property
    def id(self) -> str:
        """The shift's id."""
        found: str = self.shift["id"]
        return found


def for_people(**fields: Any) -> dict[str, Any]:
    """A position, for two volunteers unless fields say otherwise."""
    return {"name": "探访员", "capacity": 2, **fields}


async def opened(bank: Bank, *positions: dict[str, Any], start: str = "2026-03-05T09:00", **fields: Any) -> Open:
    """An activity with these positions (one for two volunteers unless given) and a shift of two hours."""
    activity = await acts.activity(bank, positions=list(positions) or [for_people()], **fields)
    return await another(bank, activity, start)


async def another(bank: Bank, activity: dict[str, Any], start: str, end: str | None = None) -> Open:
    """Another shift of an activity, of two hours unless its end is given."""
    end = end or f"{start[:11]}{int(start[11:13]) + 2:02}{start[13:]}"
    return Open(activity, await acts.shift(bank, activity["id"], **acts.span(start, end)))


async def sign_up(api: Api, to: Open, who: dict[str, Any], position: int = 0) -> httpx.Response:
    """Sign somebody up at the desk."""
    body = {"position_id": to.position(position), "participant_id": who["id"]}
    return await api.post(f"shifts/{to.id}/signups", body)


async def signed_up(bank: Bank, to: Open, who: dict[str, Any] | None = None, position: int = 0) -> Any:
    """Sign somebody up at the desk, a new volunteer unless one is given, and give the sign-up."""
    return done(await sign_up(bank.desk, to, who or await bank.volunteer(), position), 201)


async def cancel(api: Api, signup: dict[str, Any], **fields: Any) -> httpx.Response:
    """Cancel a sign-up."""
    return await api.post(f"signups/{signup['id']}/cancellation", fields)


async def state(bank: Bank, signup: dict[str, Any]) -> tuple[str, int | None]:
    """The status and the seat of a sign-up as it is now."""
    found = done(await bank.desk.get(f"signups/{signup['id']}"), 200)
    return found["status"], found["seat"]


async def events(bank: Bank, noun: str = "signup") -> list[dict[str, Any]]:
    """What happened to sign-ups, in order."""
    found = done(await bank.auditor.get("events", limit=200), 200)["items"]
    return [event for event in found if event["type"].partition(".")[0] == noun]
