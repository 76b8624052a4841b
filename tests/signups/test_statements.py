"""However many are signed up or cancelled together, it takes the same few SQL statements."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from app.signups.closing import Cancellation, cancel_signups
from app.signups.rules import Signup
from app.signups.service import NewSignup, sign_up
from tests.activities import acts
from tests.hours.counting import statements
from tests.signups.acts import for_people

if TYPE_CHECKING:
    from tests.bank import Bank


async def test_one_sign_up_takes_as_many_statements_as_forty(bank: Bank) -> None:
    activity = await acts.activity(bank, positions=[for_people(capacity=1)])
    series = await acts.series(bank, activity["id"], rule="FREQ=DAILY")
    shifts = [UUID(one["id"]) for one in await acts.shifts(bank, series_id=series["id"])]
    position = UUID(activity["positions"][0]["id"])
    first, second = [UUID((await bank.volunteer())["id"]) for _ in range(2)]
    counts: dict[str, set[int]] = {}
    for some in (shifts[:1], shifts[1:41]):
        for who in (first, second):
            new = [NewSignup(bank.number, shift, position, who, bank.desk.client_id) for shift in some]
            async with bank.database.write(bank.number) as session, statements(session) as sent:
                made = [one for one in await sign_up(session, new) if isinstance(one, Signup)]
            assert [one.status for one in made] == ["confirmed" if who == first else "waitlisted"] * len(some)
            counts.setdefault("sign up", set()).add(len(sent))
            if who == first:
                confirmed = made
        cancellations = [Cancellation(bank.number, one.id, bank.desk.client_id) for one in confirmed]
        async with bank.database.write(bank.number) as session, statements(session) as sent:
            outcomes = await cancel_signups(session, cancellations)
        assert len([one for one in outcomes if isinstance(one, Signup)]) == len(some)
        counts.setdefault("cancel", set()).add(len(sent))
    # Shifts, live sign-ups, positions, communities, who is busy then and volunteers are read; sign-ups and events are
    # written. To cancel reads sign-ups, their shifts and activities with positions, and who waits elsewhere besides.
    on_sqlite = bank.database.dialect == "sqlite"
    assert counts == {"sign up": {8 if on_sqlite else 7}, "cancel": {15 if on_sqlite else 13}}
