"""What hours have to earn and what is refused, with random services and expectations worked out here by themselves."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.soak.promises import answered, kept, same

if TYPE_CHECKING:
    from random import Random

    from tests.bank import Api, Bank

_zone = dt.timezone(dt.timedelta(hours=8))
# The working days of two weeks without a public holiday: the eleventh after the first is the day of the third Monday.
_first_monday, _third_monday = dt.date(2026, 3, 16), dt.date(2026, 3, 30)
_far_hour = 3


@dataclass
class Services:
    """A community with one service kind, and a volunteer who serves on one day after the other."""

    bank: Bank
    chance: Random
    volunteer: str
    day: dt.date
    points_per_hour: int

    @classmethod
    async def of(cls, bank: Bank, chance: Random, **settings: Any) -> Services:
        """Open a community with these settings."""
        await bank.open_community(**settings)
        rate = chance.randint(1, 59)
        await bank.kind(points_per_hour=rate)
        day = bank.clock.moment.astimezone(_zone).date() - dt.timedelta(days=2)
        return cls(bank, chance, (await bank.volunteer())["id"], day, rate)

    def next_day(self) -> dt.date:
        """A day on which nothing was recorded so far."""
        self.day -= dt.timedelta(days=1)
        return self.day

    def body(self, *, at: int = 540, minutes: int = 60, day: dt.date | None = None, **fields: Any) -> dict[str, Any]:
        """A record that begins so many minutes after midnight, on a new day unless one is given."""
        start = dt.datetime.combine(day or self.next_day(), dt.time(), _zone) + dt.timedelta(minutes=at)
        lasted = dt.timedelta(minutes=fields.pop("lasted", minutes))
        times = {"started_at": start.isoformat(), "ended_at": (start + lasted).isoformat(), "minutes": minutes}
        return {**self.bank.record(self.volunteer), **times, **fields}

    async def record(self, expected: str = "201", *, by: Api | None = None, **fields: Any) -> Any:
        """Record a service, with what has to become of it."""
        answer = await (by or self.bank.desk).post("service-records", self.body(**fields))
        return answered("recording a service", answer, expected)

    async def decide(self, record: Any, expected: str = "200", *, by: Api | None = None, word: str = "approve") -> Any:
        """Decide about a record, with what has to become of that."""
        path = f"service-records/{record['id']}/verification"
        answer = await (by or self.bank.verifier).post(path, {"decision": word})
        return answered("deciding about a record", answer, expected)

    async def holds(self, **expected: int) -> None:
        """See what the volunteer holds."""
        balance = await self.bank.balance(self.volunteer)
        same("the volunteer's balance", {name: balance[name] for name in expected}, expected)


async def _points_are_rounded_down(bank: Bank, chance: Random) -> None:
    services = await Services.of(bank, chance)
    minutes = points = 0
    for _ in range(3):
        # So many that something is left over, and points are whole.
        given = chance.choice([some for some in range(1, 120) if services.points_per_hour * some % 60])
        made = await services.decide(await services.record(minutes=given))
        earned = (services.points_per_hour * given - services.points_per_hour * given % 60) // 60
        same("the points of a record", made["award"]["points"], earned)
        minutes, points = minutes + given, points + earned
    await services.holds(minutes=minutes, points=points)


async def _caps_clip_points_and_never_minutes(bank: Bank, chance: Random) -> None:
    services = await Services.of(bank, chance)
    of_record, rate = chance.randint(20, 60), chance.randint(1, 60)
    of_day = of_record + chance.randint(1, 59)
    rule = {"service_kind": "capped", "points_per_hour": rate, "effective_from": "2025-01-01"}
    caps = {"minutes_per_record_max": of_record, "minutes_per_day_max": of_day}
    answered("a kind", await bank.manager.post("service-kinds", {"code": "capped", "name": "x"}), "201")
    answered("a rule", await bank.manager.post("earning-rules", {**rule, **caps}), "201")
    day, left, minutes, points = services.next_day(), of_day, 0, 0
    for number in range(3):
        given = of_record + chance.randint(1, 20)
        made = await services.record(at=480 + 120 * number, minutes=given, day=day, service_kind="capped")
        award = (await services.decide(made))["award"]
        counted = min(given, of_record, left)
        same("what counted", (award["minutes_counted"], award["points"]), (counted, rate * counted // 60))
        clipped = [("minutes_per_record_max", given - of_record)]
        clipped += [("minutes_per_day_max", of_record - counted)] if counted < of_record else []
        same("what was clipped", [(one["cap"], one["minutes"]) for one in award["clipped"]], clipped)
        left, minutes, points = left - counted, minutes + given, points + rate * counted // 60
    await services.holds(minutes=minutes, points=points)


async def _the_version_in_force_at_the_start_decides(bank: Bank, chance: Random) -> None:
    services = await Services.of(bank, chance)
    change = services.next_day()
    before, rate = services.points_per_hour, services.points_per_hour + chance.randint(1, 50)
    rule = {"service_kind": "home_visit", "points_per_hour": rate, "effective_from": str(change)}
    answered("a second version", await bank.manager.post("earning-rules", rule), "201")
    for day, expected in ((change, rate), (services.next_day(), before)):
        made = await services.decide(await services.record(day=day))
        same(f"the points of an hour on {day}", made["award"]["points"], expected)


async def _no_two_records_share_a_minute(bank: Bank, chance: Random) -> None:
    services = await Services.of(bank, chance)
    day, at, minutes = services.next_day(), chance.randint(300, 700), chance.randint(30, 120)
    first = await services.record(day=day, at=at, minutes=minutes)
    for begin, lasting in ((at - 20, 21), (at + minutes - 1, 20), (at + 5, 10), (at - 10, minutes + 20)):
        found = await services.record("overlapping-service", day=day, at=begin, minutes=lasting)
        same("the record that stands there", found["service_record_id"], first["id"])
    await services.record(day=day, at=at - 20, minutes=20)
    await services.record(day=day, at=at + minutes, minutes=20)
    await services.decide(first, word="reject")
    await services.record(day=day, at=at, minutes=minutes)


async def _nobody_verifies_what_they_recorded(bank: Bank, chance: Random) -> None:
    services = await Services.of(bank, chance)
    own = await services.record(by=bank.manager)
    await services.decide(own, "self-verification", by=bank.manager, word=chance.choice(("approve", "reject")))
    same("a record that awaits a second person", own["status"], "pending")
    await services.holds(minutes=0, points=0)
    await services.decide(own)
    await services.decide(own, "already-verified", word=chance.choice(("approve", "reject")))
    await services.holds(minutes=60, points=services.points_per_hour)


async def _more_than_eight_hours_a_day_wait_for_a_manager(bank: Bank, chance: Random) -> None:
    services = await Services.of(bank, chance, verification="recorder")
    day, first = services.next_day(), chance.randint(60, 420)
    trusted = await services.record(day=day, at=0, minutes=first)
    same("a trusted record", (trusted["status"], trusted["award"]["points"]), ("approved", _hour(services, first)))
    filling = await services.record(day=day, at=480, minutes=480 - first)
    same("what fills eight hours", filling["status"], "approved")
    over = await services.record(day=day, at=1000, minutes=chance.randint(1, 60))
    same("a record over eight hours", (over["status"], over["manager_required"]), ("pending", True))
    await services.decide(over, "manager-required")
    await services.holds(minutes=480)
    await services.decide(over, by=bank.manager)
    await services.holds(minutes=480 + over["minutes"])


def _hour(services: Services, minutes: int) -> int:
    return services.points_per_hour * minutes // 60


async def _what_cannot_have_been_is_refused(bank: Bank, chance: Random) -> None:
    services = await Services.of(bank, chance)
    now = bank.clock.moment.astimezone(_zone)
    at = now.hour * 60 + now.minute
    await services.record("invalid-request", day=now.date(), at=at + chance.randint(1, 100))
    await services.record("201", day=now.date(), at=at - chance.randint(0, 30))
    await services.record("invalid-request", minutes=61, lasted=60)
    await services.record("invalid-request", minutes=60, lasted=24 * 60 + 1)
    await services.record("invalid-request", minutes=60, lasted=-60)
    await services.record("unknown-service-kind", service_kind="nothing")
    consented = services.next_day()
    given_at = dt.datetime.combine(consented, dt.time(23), _zone).isoformat()
    services.volunteer = (await bank.volunteer(consent={"version": "1", "given_at": given_at}))["id"]
    await services.record("invalid-request", day=consented - dt.timedelta(days=1))
    await services.record("201", day=consented)
    for name in ("activity_name", "place", "content", "organiser"):
        body = {key: value for key, value in services.body().items() if key != name}
        answer = await bank.desk.post("service-records", body)
        answered(f"a record without {name}", answer, "invalid-request")


async def _late_records_are_flagged(bank: Bank, chance: Random) -> None:
    before = bank.clock.moment
    hour = dt.time(chance.randint(_far_hour, 9))
    try:
        for today, late in ((_third_monday, False), (_third_monday + dt.timedelta(days=1), True)):
            bank.clock.moment = dt.datetime.combine(today, hour, dt.UTC)
            services = await Services.of(bank, chance)
            made = await services.record(day=_first_monday)
            same(f"whether {_first_monday} was long ago on {today}", made["late"], late)
    finally:
        bank.clock.moment = max(before, bank.clock.moment)


async def _a_correction_takes_back_once(bank: Bank, chance: Random) -> None:
    services = await Services.of(bank, chance)
    earned = services.points_per_hour
    wrong = await services.decide(await services.record())
    right = await services.decide(await services.record())
    same("an hour", right["award"]["points"], earned)
    article = await bank.goods(price=2 * earned)
    await bank.reserve(services.volunteer, article["id"])
    await services.holds(minutes=120, points=0, points_reserved=2 * earned, points_owed=0)
    path = f"service-records/{wrong['id']}/correction"
    answered("a correction", await bank.manager.post(path, {"reason": "记错了"}), "200")
    answered("a second correction", await bank.manager.post(path, {"reason": "记错了"}), "already-reversed")
    await services.holds(minutes=60, points=0, points_owed=-earned)
    # What is earned next settles the debt first.
    minutes = chance.randint(61, 119)
    await services.decide(await services.record(minutes=minutes))
    await services.holds(minutes=60 + minutes, points=_hour(services, minutes) - earned, points_owed=0)


async def _a_reference_is_recorded_once(bank: Bank, chance: Random) -> None:
    services = await Services.of(bank, chance)
    rows = [{"reference": f"QL-{number}", **services.body()} for number in range(chance.randint(2, 6))]
    send = [*rows, chance.choice(rows), {**rows[0], "place": "别处"}]
    answer = answered("a batch", await bank.desk.post("service-record-batches", {"records": send}), "200")
    found = [one["outcome"] for one in answer["items"]]
    same("what became of the rows", found, ["created"] * len(rows) + ["replayed", "refused"])
    again = answered("a batch again", await bank.desk.post("service-record-batches", {"records": rows}), "200")
    same("rows that come again", {one["outcome"] for one in again["items"]}, {"replayed"})
    page = answered("the records", await bank.desk.get("service-records", limit=200), "200")
    kept("as many records as rows", holds=len(page["items"]) == len(rows), found=len(page["items"]))


RULES_OF_HOURS = (
    _points_are_rounded_down,
    _caps_clip_points_and_never_minutes,
    _the_version_in_force_at_the_start_decides,
    _no_two_records_share_a_minute,
    _nobody_verifies_what_they_recorded,
    _more_than_eight_hours_a_day_wait_for_a_manager,
    _what_cannot_have_been_is_refused,
    _a_correction_takes_back_once,
    _a_reference_is_recorded_once,
    _late_records_are_flagged,
)
