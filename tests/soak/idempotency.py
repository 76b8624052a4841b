"""A key makes a request happen once, whatever is sent under it, by whom, and whatever becomes of the commit."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple
from unittest.mock import patch
from uuid import uuid4

from sqlalchemy.exc import DBAPIError

from app.kernel.postgresql_channel import PostgresqlChannel
from app.kernel.sqlite_channel import SqliteChannel
from tests.kernel.grounds import as_owner
from tests.redemptions.acts import rich
from tests.soak.grounds import counters, in_worlds, rounds
from tests.soak.parts import BOTH, Part, Plan
from tests.soak.promises import answered, books_agree, kept, outcome, same

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from random import Random

    import httpx

    from app.kernel.channels import Channel
    from app.kernel.rows import Write
    from app.settings import Settings
    from tests.bank import Api, Bank

_replayed = "idempotency-replayed"


class Sent(NamedTuple):
    """A request that was sent under a key, and its first answer."""

    api: Api
    path: str
    body: Any
    key: str
    answer: httpx.Response

    async def again(self) -> httpx.Response:
        """Send it once more."""
        return await self.api.post(self.path, self.body, key=self.key)


async def _send(api: Api, path: str, body: Any, expected: str) -> Sent:
    key = uuid4().hex
    sent = Sent(api, path, body, key, await api.post(path, body, key=key))
    answered("a request under a new key", sent.answer, expected)
    kept("a first answer is no repeat", holds=_replayed not in sent.answer.headers)
    return sent


async def _repeats(sent: Sent) -> None:
    """Send a request again: the first answer, byte for byte."""
    again = await sent.again()
    same("the answer to a repeat", _parts(again), _parts(sent.answer))
    same("the mark of a repeat", again.headers.get(_replayed), "true")


def _parts(answer: httpx.Response) -> tuple[int, bytes, str | None, str | None]:
    headers = answer.headers
    return answer.status_code, answer.content, headers.get("location"), headers.get("content-type")


class World(NamedTuple):
    """A community with something to do in it."""

    bank: Bank
    volunteer: Any
    friend: Any
    article: Any
    settings: Settings

    def requests(self, chance: Random) -> list[tuple[Api, str, Any]]:
        """Requests of every kind that creates or moves something."""
        bank, who = self.bank, self.volunteer["id"]
        line = {"goods_id": self.article["id"], "quantity": chance.randint(1, 3)}
        day = chance.randint(10, 28)
        gift = {"from_volunteer_id": who, "to_volunteer_id": self.friend["id"], "points": chance.randint(1, 5)}
        record = bank.record(who, start=f"2026-02-{day}T{chance.randint(0, 20):02}:00", minutes=30)
        row = {**bank.record(who, start=f"2025-12-{day}T08:00", minutes=30), "reference": uuid4().hex}
        return [
            (bank.desk, "redemptions", {"volunteer_id": who, "lines": [line]}),
            (bank.desk, "transfers", gift),
            (bank.desk, "service-records", record),
            (bank.desk, "service-record-batches", {"records": [row]}),
            (bank.manager, f"goods/{self.article['id']}/stock-movements", {"kind": "received", "quantity": 2}),
            (bank.manager, "goods", {"name": "毛巾", "points_price": chance.randint(1, 9)}),
            (bank.desk, "households", {"volunteer_ids": [self.friend["id"]]}),
            (bank.auditor, "ledger/audits", {}),
        ]

    async def effects(self) -> tuple[int, int]:
        """How many transactions and events there are."""
        rows = "SELECT transaction_number, event_number FROM ledger_heads WHERE community_id = :community"
        (found,) = await asyncio.to_thread(as_owner, self.settings, rows, community=self.bank.number)
        return found[0], found[1]

    async def keys(self) -> int:
        """How many keys are kept."""
        rows = "SELECT count(*) FROM idempotency_keys WHERE community_id = :community"
        (found,) = await asyncio.to_thread(as_owner, self.settings, rows, community=self.bank.number)
        return int(found[0])


async def _every_kind_happens_once(world: World, chance: Random) -> None:
    requests = world.requests(chance)
    chance.shuffle(requests)
    expected = {"service-record-batches": "200", "ledger/audits": "202"}
    for api, path, body in requests:
        sent = await _send(api, path, body, expected.get(path, "201"))
        before = await world.effects()
        for _ in range(chance.randint(1, 3)):
            await _repeats(sent)
        same("what repeats have done", await world.effects(), before)
        other = {**body, "note": "another"} if path != "ledger/audits" else body
        if path in {"transfers", "redemptions"}:
            other = {**body, **({"points": 77} if path == "transfers" else {"occurred_at": "2026-01-01T09:00:00Z"})}
            answered("another body under the key", await api.post(path, other, key=sent.key), "idempotency-key-reused")
            await _repeats(sent)
        same("what another body has done", await world.effects(), before)


async def _refusals_are_kept(world: World, chance: Random) -> None:
    """What was refused stays refused under its key, also when it could be done by now."""
    bank = world.bank
    article = await bank.goods(pieces=0, price=1)
    line = {"goods_id": article["id"], "quantity": chance.randint(1, 4)}
    body = {"volunteer_id": world.volunteer["id"], "lines": [line]}
    refused = await _send(bank.desk, "redemptions", body, "out-of-stock")
    movement = {"kind": "received", "quantity": 10}
    answered("pieces", await bank.manager.post(f"goods/{article['id']}/stock-movements", movement), "201")
    await _repeats(refused)
    await _send(bank.desk, "redemptions", body, "201")


async def _a_key_is_its_callers_own(world: World, chance: Random) -> None:
    key, bank = uuid4().hex, world.bank
    body = {"name": "牙膏", "points_price": chance.randint(1, 9)}
    first = answered("one caller's", await bank.manager.post("goods", body, key=key), "201")
    second = answered("another caller's", await bank.city.post(f"{bank.manager.base}/goods", body, key=key), "201")
    kept("two callers have two articles", holds=first["id"] != second["id"])
    headers = {"Authorization": f"Bearer {bank.manager.token}"}
    for bad in ("", "ü", "x" * 256):
        sent: Any = {**headers, "Idempotency-Key": bad.encode()} if bad else headers
        answer = await bank.http.post(f"{bank.manager.base}/goods", json=body, headers=sent)
        answered("a request without a usable key", answer, "idempotency-key-missing")


async def _secrets_are_shown_once(world: World, _: Random) -> None:
    bank = world.bank
    for api, path, body, secret in (
        (bank.manager, "clients", {"name": "前台", "role": "front_desk"}, "client_secret"),
        (bank.desk, f"volunteers/{world.friend['id']}/cards", {}, "pin"),
    ):
        sent = await _send(api, path, body, "201")
        shown = sent.answer.json()
        again = answered("the repeat of what showed a secret", await sent.again(), "201")
        same("a repeat without the secret", again, {name: value for name, value in shown.items() if name != secret})


async def _a_cut_commit_is_known_by_its_key(world: World, chance: Random) -> None:
    """Lose the connection at COMMIT, before or after it took place: one effect, and no answer for what is not there."""
    for after in (False, True):
        for always in (False, True):
            points = chance.randint(1, 5)
            gift = {"from_volunteer_id": world.volunteer["id"], "to_pool": True, "points": points}
            before, key = await world.effects(), uuid4().hex
            with _cutting_commits(after=after, times=100 if always else 1):
                answer = await world.bank.desk.post("transfers", gift, key=key)
            if answer.is_success:
                same("the effect of what was answered", await world.effects(), (before[0] + 1, before[1] + 1))
            else:
                same("the answer to a cut commit", (outcome(answer), always), ("unavailable", True))
                kept("it says when to come again", holds="retry-after" in answer.headers)
            again = answered("the repeat", await world.bank.desk.post("transfers", gift, key=key), "201")
            kept("what was answered stands", holds=not answer.is_success or answer.json() == again, found=again)
            same("the effects of one key", await world.effects(), (before[0] + 1, before[1] + 1))


@contextmanager
def _cutting_commits(*, after: bool, times: int) -> Iterator[None]:
    """Let the connection be lost so many times as COMMIT is sent with the last writes, or as it comes back."""
    left = times

    def cut(whole: Any) -> Any:
        async def write(self: Channel, writes: Sequence[Write], documents: Sequence[bytes], *then: str) -> None:
            nonlocal left
            cuts = left > 0 and "COMMIT" in then
            if after or not cuts:
                await whole(self, writes, documents, *then)
            if cuts:
                left -= 1
                self._has_failed = True
                lost = sqlite3.OperationalError("connection lost")
                raise DBAPIError.instance(None, None, lost, sqlite3.Error, connection_invalidated=True)

        return write

    with (
        patch.object(SqliteChannel, "write", cut(SqliteChannel.write)),
        patch.object(PostgresqlChannel, "write", cut(PostgresqlChannel.write)),
    ):
        yield


async def _every_key_is_kept_with_its_effect(world: World, chance: Random) -> None:
    before = await world.keys()
    number = chance.randint(3, 9)
    gift = {"from_volunteer_id": world.volunteer["id"], "to_pool": True, "points": 1}
    answers = await asyncio.gather(*(world.bank.desk.post("transfers", gift) for _ in range(number)))
    same("gifts at once", [outcome(answer) for answer in answers], ["201"] * number)
    same("the keys that are kept", await world.keys() - before, number)


_rules = [
    _every_kind_happens_once,
    _refusals_are_kept,
    _a_key_is_its_callers_own,
    _secrets_are_shown_once,
    _a_cut_commit_is_known_by_its_key,
    _every_key_is_kept_with_its_effect,
]


async def _world(plan: Plan) -> None:
    async with counters(plan.engine) as (counting, settings):
        bank = counting.bank
        rules = list(_rules)
        for _ in rounds(plan):
            await bank.open_community(verification="recorder")
            world = World(bank, await rich(bank, 900), await bank.volunteer(), await bank.goods(100, 1), settings)
            plan.random.shuffle(rules)
            for rule in rules:
                await rule(world, plan.random)
                plan.count("rules of keys tried")
            await books_agree(bank.database, bank.number)


def run(plan: Plan) -> None:
    """Send the same again and again, in every way."""
    in_worlds(plan, _world)


PART = Part("idempotency", BOTH, run, targets={"rules of keys tried": 10_000}, core_seconds=2, smoke_seconds=3)
