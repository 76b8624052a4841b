"""A year of weekly visits, walked week by week by the clock: what comes of each week, and who says so."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from app.worker import run_due
from tests.bank import done, refused
from tests.beneficiaries.acts import beneficiary
from tests.visits.acts import plan, plan_body, visits

if TYPE_CHECKING:
    from app.settings import Settings
    from tests.bank import Api, Bank

WEEKS = 52
FIRST = dt.date(2026, 3, 3)
"""A Tuesday, the day after the tests' present: the first visit is on it, from 14:30 to 16:00, and the last one on
Tuesday, 23 February 2027."""

_zone = dt.timezone(dt.timedelta(hours=8))
_closing = {"reason": "邓阿姨住院了，已经联系上家属。", "action": "出院后恢复探访。"}


def local(day: dt.date, time: str) -> dt.datetime:
    """A moment by the community's clocks."""
    return dt.datetime.combine(day, dt.time.fromisoformat(time), _zone)


class Week(NamedTuple):
    """What is out of the ordinary in a week: of an ordinary one both come from 14:30 to 16:00, and the desk says so.

    `span` is when the visit was, by the community's clocks, where not at the time of its shift; `told` when the desk
    said what came of it, so many days after.
    """

    outcome: str = "done"
    span: tuple[str, str] | None = None
    break_minutes: int = 0
    only_first: bool = False
    by_code: bool = False
    moved_to: tuple[dt.date, str, str] | None = None
    told_after_days: int = 0
    is_skipped: bool = False


@dataclass
class Year:
    """The community, 李佳儒 and 张文静, 邓阿姨, the plan of visits, and what was seen on the way.

    `made` is how many visits there were by the end of each week, `while_overdue` what the report of a month said then.
    """

    bank: Bank
    settings: Settings
    person: dict[str, Any]
    pair: tuple[dict[str, Any], dict[str, Any]]
    own: tuple[Api, Api]
    plan: dict[str, Any]
    visits: list[dict[str, Any]] = field(default_factory=list)
    made: list[int] = field(default_factory=list)
    while_overdue: list[Any] = field(default_factory=list)

    @classmethod
    async def begun(cls, bank: Bank, settings: Settings) -> Year:
        """Register all three, and plan a visit for every Tuesday."""
        person = await beneficiary(bank, name="邓秀兰", birth_date="1939-11-02", living_alone=True)
        pair = (await bank.volunteer(name="李佳儒"), await bank.volunteer(name="张文静"))
        body = plan_body(person, *pair, rule="FREQ=WEEKLY", starts_on=FIRST.isoformat())
        own = (await bank.volunteer_api(pair[0]["id"]), await bank.volunteer_api(pair[1]["id"]))
        year = cls(bank, settings, person, pair, own, await plan(bank.desk, body))
        await year.look()
        return year

    async def until(self, moment: dt.datetime) -> None:
        """Let time pass up to a moment, at which the worker does what became due."""
        assert moment > self.bank.clock.moment
        self.bank.clock.moment = moment.astimezone(dt.UTC)
        await run_due(self.bank.database, self.settings)

    async def look(self) -> None:
        """See which visits there are, and note how many were made by now."""
        self.visits = await visits(self.bank, plan_id=self.plan["id"])
        self.made.append(len(self.visits))

    async def live(self, number: int, week: Week) -> None:
        """Walk one week: make room for what is known before, let the day come, visit, tell, submit and verify."""
        visit, day = self.visits[number - 1], FIRST + dt.timedelta(weeks=number - 1)
        if week.is_skipped:
            await self._skip(visit)
        if week.moved_to is not None:
            day = await self._move(visit, week.moved_to)
        if week.by_code:
            await self._check_in_and_out(visit, day)
        await self.until(local(day, "17:00"))
        if week.told_after_days:
            await self._wait_too_long(visit, day, week.told_after_days)
        await self._tell(number, visit, day, week)
        if not week.is_skipped:
            await self._submit(visit)
        await self.look()

    async def _skip(self, visit: dict[str, Any]) -> None:
        path = f"shifts/{visit['shift_id']}/skipping"
        assert done(await self.bank.desk.post(path, {"reason": "春节放假"}), 200)["status"] == "skipped"

    async def _move(self, visit: dict[str, Any], moved_to: tuple[dt.date, str, str]) -> dt.date:
        day, start, end = moved_to
        span = {"starts_at": local(day, start).isoformat(), "ends_at": local(day, end).isoformat()}
        done(await self.bank.desk.post(f"shifts/{visit['shift_id']}/move", {**span, "reason": "国庆放假"}), 200)
        return day

    async def _check_in_and_out(self, visit: dict[str, Any], day: dt.date) -> None:
        """The first comes ten minutes early, the other ten minutes late; the place shows both the code of the time."""
        first, second = self.own
        await self.until(local(day, "14:20"))
        photo = await self._code(visit)
        done(await first.post("check-ins", {"code": photo}), 200)
        await self.until(local(day, "14:40"))
        refused(await second.post("check-ins", {"code": photo}), "place-code-invalid")
        done(await second.post("check-ins", {"code": await self._code(visit)}), 200)
        await self.until(local(day, "16:00"))
        code = await self._code(visit)
        for own in self.own:
            done(await own.post("check-outs", {"code": code}), 200)

    async def _code(self, visit: dict[str, Any]) -> str:
        shown = done(await self.bank.desk.get(f"shifts/{visit['shift_id']}/place-code"), 200)
        return str(shown["code"])

    async def _wait_too_long(self, visit: dict[str, Any], day: dt.date, days: int) -> None:
        """Nobody tells what came of it, until after a day everybody can see that."""
        assert await self._status(visit) == "due"
        await self.until(local(day + dt.timedelta(days=days), "09:00"))
        assert await self._status(visit) == "overdue"
        overdue = await visits(self.bank, status="overdue")
        assert [one["shift_id"] for one in overdue] == [visit["shift_id"]]
        period = {"from": f"{day:%Y-%m}-01", "to": f"{day:%Y-%m}-28"}
        self.while_overdue += done(await self.bank.auditor.get("reports/visits", **period), 200)["rows"]

    async def _status(self, visit: dict[str, Any]) -> str:
        status: str = done(await self.bank.desk.get(f"visits/{visit['shift_id']}"), 200)["status"]
        return status

    async def _tell(self, number: int, visit: dict[str, Any], day: dt.date, week: Week) -> None:
        """In odd weeks 李佳儒 says what came of it, in even ones the desk does."""
        body: dict[str, Any] = {"outcome": week.outcome}
        if week.outcome == "done":
            body |= {"tasks": ["blood_pressure", "company"], "break_minutes": week.break_minutes}
        if week.span is not None:
            start, end = week.span
            body |= {"started_at": local(day, start).isoformat(), "ended_at": local(day, end).isoformat()}
        if week.only_first:
            body["absent_volunteer_ids"] = [self.pair[1]["id"]]
        api = self.own[0] if number % 2 else self.bank.desk
        answer = await api.post(f"visits/{visit['shift_id']}/outcome", body)
        if week.is_skipped:
            refused(answer, "shift-skipped" if api is self.bank.desk else "not-found")
        else:
            assert done(answer, 200)["status"] == week.outcome

    async def _submit(self, visit: dict[str, Any]) -> None:
        """A manager submits, may not verify that alone, and the verifier does."""
        submitting = await self.bank.manager.post(f"shifts/{visit['shift_id']}/submission", {})
        made = [one["service_record_id"] for one in done(submitting, 200)["items"] if one["service_record_id"]]
        for record_id in made:
            path, approval = f"service-records/{record_id}/verification", {"decision": "approve"}
            if visit is self.visits[0]:
                refused(await self.bank.manager.post(path, approval), "self-verification")
            done(await self.bank.verifier.post(path, approval), 200)

    async def close_escalation(self) -> None:
        """See to the one escalation that there is."""
        (opened,) = done(await self.bank.auditor.get("visit-escalations", status="open"), 200)["items"]
        assert opened["beneficiary_id"] == self.person["id"]
        path = f"visit-escalations/{opened['id']}/closing"
        assert done(await self.bank.desk.post(path, _closing), 200)["status"] == "closed"
