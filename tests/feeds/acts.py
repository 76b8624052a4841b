"""Calendar feeds and their calendars, as tests read them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import icalendar

from tests.bank import done

if TYPE_CHECKING:
    import httpx

    from tests.bank import Api, Bank

ISSUER = "http://127.0.0.1:8000"


async def feed(desk: Api, subject_id: str, subject: str = "volunteer") -> Any:
    """Make a feed at the desk, of a volunteer unless told otherwise."""
    return done(await desk.post("calendar-feeds", {"subject": subject, "subject_id": subject_id}), 201)


def path_of(made: Any) -> str:
    """The path of a feed's address."""
    address: str = made["address"]
    assert address.startswith(f"{ISSUER}/v1/calendars/")
    return address.removeprefix(ISSUER)


def token_of(made: Any) -> str:
    """The secret in a feed's address."""
    return path_of(made).removeprefix("/v1/calendars/").removesuffix(".ics")


async def fetched(bank: Bank, made: Any, **headers: str) -> httpx.Response:
    """What whoever has a feed's address is answered."""
    return await bank.http.get(path_of(made), headers=headers)


async def events(bank: Bank, made: Any) -> list[icalendar.Event]:
    """The events of a feed's calendar, as a calendar program reads them."""
    answer = await fetched(bank, made)
    assert answer.status_code == 200, answer.text
    calendar = icalendar.Calendar.from_ical(answer.content)
    assert calendar.errors == []
    found = calendar.walk("VEVENT")
    assert [event.errors for event in found] == [[]] * len(found)
    return [event for event in found if isinstance(event, icalendar.Event)]


async def statuses(bank: Bank, made: Any) -> dict[str, str]:
    """By the ids of shifts, what a feed's calendar says of them."""
    return {str(event["UID"]).partition("@")[0]: str(event["STATUS"]) for event in await events(bank, made)}
