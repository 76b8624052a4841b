"""What tests of attendance do over and over."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from tests.bank import done
from tests.signups.acts import Open, opened, signed_up

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.bank import Bank

__all__ = ["begun", "line", "listed", "local", "row_of", "rows", "signed_up", "submitted"]


async def begun(bank: Bank, *positions: dict[str, Any], start: str = "2026-03-02T10:00", **fields: Any) -> Open:
    """A shift of two hours that counts as volunteering, and ends as the test begins unless told otherwise.

    One that does not count has None as its `service_kind`.
    """
    said = {"service_kind": "home_visit", **fields}
    return await opened(
        bank, *positions, start=start, **{name: value for name, value in said.items() if value is not None}
    )


def line(signup: dict[str, Any], outcome: str = "attended", **fields: Any) -> dict[str, Any]:
    """A line of the organiser's list."""
    return {"signup_id": signup["id"], "outcome": outcome, **fields}


async def listed(bank: Bank, to: Open, signups: Sequence[dict[str, Any]], *lines: dict[str, Any]) -> Any:
    """Record these sign-ups as attended, and the lines as they are; give what became of each."""
    items = [*map(line, signups), *lines]
    return done(await bank.desk.post(f"shifts/{to.id}/attendance", {"items": items}), 200)["items"]


async def submitted(bank: Bank, to: Open, **fields: Any) -> Any:
    """Submit a shift's attendance at the desk, and give what became of each."""
    return done(await bank.desk.post(f"shifts/{to.id}/submission", fields), 200)["items"]


async def rows(bank: Bank, to: Open) -> list[dict[str, Any]]:
    """The attendance of a shift."""
    found: list[dict[str, Any]] = done(await bank.desk.get(f"shifts/{to.id}/attendance"), 200)["items"]
    return found


async def row_of(bank: Bank, signup: dict[str, Any]) -> dict[str, Any]:
    """The attendance of a sign-up."""
    found = done(await bank.desk.get(f"shifts/{signup['shift_id']}/attendance"), 200)["items"]
    (row,) = [one for one in found if one["signup_id"] == signup["id"]]
    return dict(row)


def local(text: str) -> str:
    """A moment of the day of the tests by the community's clocks, as it is told."""
    moment = dt.datetime.fromisoformat(f"{text}:00+08:00").astimezone(dt.UTC)
    return moment.isoformat().replace("+00:00", "Z")
