"""The work behind the hours through the API: sign-ups in any order, who came and for how long, and points of that.

All is held against a model as plain as can be, again and again with new volunteers and shifts.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from tests.activities.acts import activity, shift
from tests.soak.grounds import counters, in_worlds, rounds
from tests.soak.parts import BOTH, Part
from tests.soak.promises import answered, books_agree, same

if TYPE_CHECKING:
    from random import Random

    from tests.bank import Bank
    from tests.soak.parts import Plan

_volunteers, _shifts, _acts = 5, 4, 24
_seats_max = 2
_points_per_hour = 10
_an_hour = dt.timedelta(hours=1)
_after_code_ends = 41


@dataclass
class Turn:
    """A shift: who has which seat, who waits in which order, and who came for how many minutes."""

    shift: dict[str, Any]
    position_id: str
    counts: bool
    capacity: int
    starts_at: dt.datetime
    hours: int
    seats: dict[int, str] = field(default_factory=dict)
    waiting: list[str] = field(default_factory=list)
    signups: dict[str, str] = field(default_factory=dict)
    given: dict[str, int] = field(default_factory=dict)

    def overlaps(self, other: Turn) -> bool:
        """Whether both go on at some moment."""
        ends_at, others_end = self.starts_at + self.hours * _an_hour, other.starts_at + other.hours * _an_hour
        return self.starts_at < others_end and other.starts_at < ends_at

    @property
    def free(self) -> int | None:
        """The lowest seat that nobody has."""
        return next((seat for seat in range(1, self.capacity + 1) if seat not in self.seats), None)


class _Came(NamedTuple):
    """How somebody's coming is recorded: at the desk after so many minutes with so long a break, or by the list."""

    how: str
    minutes: int
    break_minutes: int


@dataclass
class Work:
    """Volunteers and shifts, and what the model knows of them."""

    bank: Bank
    chance: Random
    people: list[str]
    turns: list[Turn]

    @classmethod
    async def of(cls, bank: Bank, chance: Random, kind: str) -> Work:
        """New volunteers and new shifts of an hour or two, each beginning an hour after the last, two days on."""
        people = [(await bank.volunteer())["id"] for _ in range(_volunteers)]
        turns = []
        for number in range(_shifts):
            counts, capacity = number != 1, chance.randint(1, _seats_max)
            fields = {"service_kind": kind} if counts else {}
            positions = [{"name": "探访员", "capacity": capacity}]
            made = await activity(bank, positions=positions, place=f"祁连家园 {bank.phone()}", **fields)
            # The first goes on when the second begins.
            starts_at = bank.clock.moment + dt.timedelta(days=2, hours=number)
            hours = chance.randint(1, 2) if number else 2
            span = {"starts_at": starts_at.isoformat(), "ends_at": (starts_at + hours * _an_hour).isoformat()}
            of_it = await shift(bank, made["id"], **span)
            turns.append(Turn(of_it, made["positions"][0]["id"], counts, capacity, starts_at, hours))
        return cls(bank, chance, people, turns)

    def _seated_elsewhere(self, turn: Turn, who: str) -> bool:
        return any(other is not turn and who in other.seats.values() and turn.overlaps(other) for other in self.turns)

    async def sign_up(self) -> None:
        """Sign anybody up for any shift."""
        await self._sign_up(self.chance.choice(self.turns), self.chance.choice(self.people))

    async def _sign_up(self, turn: Turn, who: str) -> None:
        if who in turn.signups:
            expected = "already-signed-up"
        else:
            expected = "overlapping-signup" if self._seated_elsewhere(turn, who) else "201"
        body = {"position_id": turn.position_id, "participant_id": who}
        answer = await self.bank.desk.post(f"shifts/{turn.shift['id']}/signups", body)
        made = answered("a sign-up", answer, expected)
        if expected == "201":
            turn.signups[who] = made["id"]
            seat = turn.free
            if seat is None:
                turn.waiting.append(who)
            else:
                turn.seats[seat] = who

    async def cancel(self) -> None:
        """Take any sign-up back."""
        live = [(turn, who) for turn in self.turns for who in turn.signups]
        if not live:
            return
        await self._cancel(*self.chance.choice(live))

    async def _cancel(self, turn: Turn, who: str) -> None:
        path = f"signups/{turn.signups[who]}/cancellation"
        answered("a cancellation", await self.bank.desk.post(path), "200")
        answered("a second cancellation", await self.bank.desk.post(path), "signup-not-open")
        del turn.signups[who]
        turn.seats = {seat: other for seat, other in turn.seats.items() if other != who}
        turn.waiting = [other for other in turn.waiting if other != who]
        for one in self.turns:
            for waiting in list(one.waiting):
                seat = one.free
                if seat is not None and not self._seated_elsewhere(one, waiting):
                    one.waiting.remove(waiting)
                    one.seats[seat] = waiting

    async def who_is_elsewhere_does_not_move_up(self) -> None:
        """Let somebody wait for a seat of the first shift, who has one in the second by the time when it falls free."""
        first, second = self.turns[:2]
        *others, waiting = self.chance.sample(self.people, first.capacity + 1)
        for who in (*others, waiting):
            await self._sign_up(first, who)
        await self._sign_up(second, waiting)
        await self._cancel(first, self.chance.choice(others))
        await self.agrees()

    async def agrees(self) -> None:
        """See that the service knows the same seats, and the same queue."""
        for turn in self.turns:
            listing = await self.bank.desk.get(f"shifts/{turn.shift['id']}/signups", limit=200)
            live = [one for one in answered("a shift's list", listing, "200")["items"] if one["closed_at"] is None]
            seats = {one["seat"]: one["participant_id"] for one in live if one["status"] == "confirmed"}
            waiting = [one["participant_id"] for one in live if one["status"] == "waitlisted"]
            same("who has a seat, and who waits", (seats, waiting), (turn.seats, turn.waiting))

    async def attend(self) -> None:
        """Let the shifts pass, one after the other: who has a seat comes or not, and that is recorded in some way."""
        for turn in self.turns:
            self.bank.clock.moment = turn.starts_at
            at_desk = []
            for who in turn.seats.values():
                came = self._chosen(turn)
                turn.given[who] = came.minutes - came.break_minutes
                if came.how == "desk":
                    check_in = await self.bank.desk.post(f"signups/{turn.signups[who]}/check-in")
                    answered("a check-in", check_in, "200")
                    at_desk.append((came, who))
            await self._check_out(turn, at_desk)
        # Not before the last is over.
        self.bank.clock.move(hours=3)
        for turn in self.turns:
            await self._list_the_others(turn)

    def _chosen(self, turn: Turn) -> _Came:
        how = self.chance.choice(["desk", "list", "absent"])
        if how == "desk":
            return _Came(how, self.chance.randint(30, 55), self.chance.randint(0, 20))
        return _Came(how, 60 * turn.hours if how == "list" else 0, 0)

    async def _check_out(self, turn: Turn, at_desk: list[tuple[_Came, str]]) -> None:
        for came, who in sorted(at_desk):
            self.bank.clock.moment = turn.starts_at + dt.timedelta(minutes=came.minutes)
            path, pause = f"signups/{turn.signups[who]}/check-out", {"break_minutes": came.break_minutes}
            known = answered("a check-out", await self.bank.desk.post(path, pause), "200")
            same("what is proposed", known["proposed"]["minutes"], turn.given[who])
            answered("a second check-out", await self.bank.desk.post(path, pause), "not-checked-in")

    async def _list_the_others(self, turn: Turn) -> None:
        path = f"shifts/{turn.shift['id']}/attendance"
        known = answered("attendance", await self.bank.desk.get(path), "200")["items"]
        lines = [
            {"signup_id": one["signup_id"], "outcome": "attended" if turn.given[one["participant_id"]] else "absent"}
            for one in known
            if one["outcome"] is None
        ]
        if lines:
            items = answered("a list", await self.bank.desk.post(path, {"items": lines}), "200")["items"]
            same("what became of the list", {item["outcome"] for item in items}, {"recorded"})

    async def submit(self) -> None:
        """Submit every shift twice: of who came to what counts one record is made, which another then verifies."""
        for turn in self.turns:
            path = f"shifts/{turn.shift['id']}/submission"
            items = answered("a submission", await self.bank.desk.post(path), "200")["items"]
            came = {turn.signups[who] for who, minutes in turn.given.items() if minutes and turn.counts}
            made = {one["signup_id"]: one["service_record_id"] for one in items if one.get("service_record_id")}
            same("of whom records were made", set(made), came)
            for record_id in made.values():
                approval = await self.bank.verifier.post(
                    f"service-records/{record_id}/verification", {"decision": "approve"}
                )
                answered("a verification", approval, "200")
            if turn.seats:
                again = await self.bank.desk.post(path, {"signup_ids": [turn.signups[who] for who in turn.given]})
                codes = {one["problem"]["code"] for one in answered("a second one", again, "200")["items"]}
                same("what a second submission is told", codes, {"attendance-submitted"})

    async def points(self) -> None:
        """See that everybody has the minutes and the points of what they came to, and no more."""
        for who in self.people:
            given = [turn.given[who] for turn in self.turns if turn.counts and who in turn.given]
            points = sum(minutes * _points_per_hour // 60 for minutes in given)
            held = answered("a balance", await self.bank.desk.get(f"volunteers/{who}/balance"), "200")
            same("minutes and points", (held["minutes"], held["points"]), (sum(given), points))


async def _the_code_of_a_place_ends(bank: Bank) -> None:
    """A photo of it is good for nothing after forty seconds."""
    starts_at = bank.clock.moment + dt.timedelta(days=1)
    made = await activity(bank, place=f"祁连家园 {bank.phone()}")
    span = {"starts_at": starts_at.isoformat(), "ends_at": (starts_at + _an_hour).isoformat()}
    of_it, who = await shift(bank, made["id"], **span), await bank.volunteer()
    body = {"position_id": made["positions"][0]["id"], "participant_id": who["id"]}
    answered("a sign-up", await bank.desk.post(f"shifts/{of_it['id']}/signups", body), "201")
    own, path = await bank.volunteer_api(who["id"]), f"shifts/{of_it['id']}/place-code"
    bank.clock.moment = starts_at
    photo = answered("a code", await bank.desk.get(path), "200")["code"]
    bank.clock.move(seconds=_after_code_ends)
    answered("a photo of a code", await own.post("check-ins", {"code": photo}), "place-code-invalid")
    code = answered("a code", await bank.desk.get(path), "200")["code"]
    answered("the code of the moment", await own.post("check-ins", {"code": code}), "200")
    bank.clock.moment = starts_at + _an_hour


async def _world(plan: Plan) -> None:
    async with counters(plan.engine) as (counting, _):
        bank = counting.bank
        kind = await bank.kind(points_per_hour=_points_per_hour)
        plan.begin()
        for _ in rounds(plan):
            await _the_code_of_a_place_ends(bank)
            work = await Work.of(bank, plan.random, kind)
            await work.who_is_elsewhere_does_not_move_up()
            for _ in range(_acts):
                await (work.cancel if plan.random.random() < 0.3 else work.sign_up)()
                plan.count("sign-ups and cancellations")
            await work.agrees()
            await work.attend()
            await work.submit()
            await work.points()
            await books_agree(bank.database, bank.number)
            plan.count("shifts worked", _shifts)


def run(plan: Plan) -> None:
    """Work again and again, as long as there is time."""
    in_worlds(plan, _world)


PART = Part(
    "work", BOTH, run, targets={"sign-ups and cancellations": 5_000}, core_seconds=1, smoke_seconds=5, weight=0.5
)
