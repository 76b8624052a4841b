"""Clients that do random things at once, each request under a key and sent again until it is decided."""

from __future__ import annotations

import asyncio
import time
from contextlib import asynccontextmanager
from random import Random
from typing import TYPE_CHECKING, Any

import httpx

from tests.bank import Api
from tests.soak.acts import Desk
from tests.soak.history import DONE, REFUSED, Act, History, Sent, Sight
from tests.soak.parts import ViolationError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from tests.soak.world import Town, World

CLIENTS = 12
TURN_SECONDS_MIN = 1.0
"""Who is put off sooner did not wait for a turn: the database is away, or could not be written to."""

READERS = 2
"""Who only read, while all others may wait for their writes."""

ANSWER_SECONDS_MAX = 4.0
"""An answer is due within three seconds; the rest is for a machine that does other things as well."""

REFUSALS = {
    "already-reversed",
    "already-verified",
    "insufficient-points",
    "manager-required",
    "overlapping-service",
    "record-not-approved",
    "redemption-not-collected",
    "redemption-not-open",
}
"""What the bank may say to requests like these: each is sound, and several clients may want the same."""

_timeout_seconds = 10.0
_patience_seconds = 30.0
_hasty_share = 0.1
_wait_seconds_max = 0.5
_between_reads_seconds = 0.05
_after_a_loss_seconds = 0.15


class Clients:
    """Clients of one or more processes of a service; what they do and see is in the history."""

    def __init__(self, world: World, urls: Sequence[str], random: Random, *, count: int = CLIENTS) -> None:
        """Take a world and the addresses of its processes: each attempt goes to one of them at random."""
        self.world = world
        self.history = History()
        self._count = count
        self._random = Random(random.random())  # noqa: S311  the point is that it can be repeated
        limits = httpx.Limits(max_connections=None)
        self._https = [httpx.AsyncClient(base_url=url, timeout=_timeout_seconds, limits=limits) for url in urls]
        self._stopping = False
        self._tokens = {(town.number, role): token for town in world.towns for role, token in town.tokens.items()}

    @asynccontextmanager
    async def at_work(self) -> AsyncIterator[History]:
        """Let all clients work within the block; at its end each brings what it is at to an end."""
        self._stopping = False
        async with asyncio.TaskGroup() as group:
            for number in range(self._count):
                town = self.world.towns[number % len(self.world.towns)]
                group.create_task(self._client(town, Random(self._random.random())))  # noqa: S311  as above
            for _ in range(READERS):
                group.create_task(self._reader(Random(self._random.random())))  # noqa: S311  as above
            yield self.history
            self._stopping = True

    async def close(self) -> None:
        """Close the connections."""
        for http in self._https:
            await http.aclose()

    async def _client(self, town: Town, random: Random) -> None:
        desk = Desk(self, town, random)
        while not self._stopping:
            await desk.do_something()

    async def _reader(self, random: Random) -> None:
        while not self._stopping:
            town = random.choice(self.world.towns)
            await self.look(town, random.choice(town.volunteers), random)
            await asyncio.sleep(_between_reads_seconds)

    def api(self, town: Town, role: str, random: Random) -> Api:
        """A role's view of a town, through one of the processes."""
        return Api(random.choice(self._https), self._tokens[town.number, role], role, town.path)

    async def send(self, town: Town, role: str, path: str, body: object, random: Random, *acts: Act) -> Any:
        """Send a request until it is decided, and note the fate of its acts. Gives the answer's JSON if all was done.

        Now and then the client gives up at the first trouble; then nobody knows.
        """
        history = self.history
        history.acts += acts
        key = f"{random.getrandbits(128):032x}"
        hasty = random.random() < _hasty_share
        answer = await self._decided(town, role, path, body, key, random, hasty=hasty)
        if answer is None:
            return None
        ended = time.monotonic()
        began = ended - answer.elapsed.total_seconds()
        history.sent.append(Sent(town.number, role, path, body, key, answer.status_code, answer.content, began))
        document = answer.json()
        if not answer.is_success and document.get("code") not in REFUSALS:
            message = f"{answer.status_code} {answer.text} to {path} {body}"
            raise ViolationError(message)
        history.attempts[document.get("code", "done")] += 1
        for act in acts:
            act.fate, act.ended = DONE if answer.is_success else REFUSED, ended
        return document if answer.is_success else None

    async def _decided(
        self, town: Town, role: str, path: str, body: object, key: str, random: Random, *, hasty: bool = False
    ) -> httpx.Response | None:
        until = time.monotonic() + _patience_seconds
        while True:
            answer = await self.attempt(self.api(town, role, random).post(path, body, key=key))
            if answer is not None and answer.status_code == 401:
                await self._log_in(town, role, random)
                answer = None
            wait = _wait_of(answer)
            if wait is None:
                return answer
            self.history.attempts["put off"] += answer is not None
            if hasty or time.monotonic() > until:
                self.history.attempts["given up"] += 1
                return None
            await asyncio.sleep(wait * random.random())

    async def attempt(self, request: Any) -> httpx.Response | None:
        """Wait for an answer, or None when the connection was lost; note how long it took."""
        began = time.monotonic()
        answer: httpx.Response | None = None
        try:
            answer = await request
        except httpx.TransportError:
            self.history.attempts["lost"] += 1
        took = time.monotonic() - began
        self.history.slowest = max(self.history.slowest, took)
        if answer is not None and answer.status_code == 503 and took < TURN_SECONDS_MIN:
            self.history.attempts["put off at once"] += 1
        return answer

    async def look(self, town: Town, volunteer_id: str, random: Random) -> None:
        """Read a balance, once."""
        began = time.monotonic()
        request = self.api(town, "front_desk", random).get(f"volunteers/{volunteer_id}/balance")
        answer = await self.attempt(request)
        if answer is not None and answer.status_code == 401:
            await self._log_in(town, "front_desk", random)
        elif _wait_of(answer) is None and answer is not None:
            held = answer.json()
            ended = time.monotonic()
            self.history.sights.append(Sight(town.number, volunteer_id, began, ended, held["version"], held["points"]))

    async def _log_in(self, town: Town, role: str, random: Random) -> None:
        """Get a new token, for the old one has run out, or is of a time that has not come yet."""
        client_id, client_secret = town.secrets[role]
        form = {"grant_type": "client_credentials", "client_id": client_id, "client_secret": client_secret}
        answer = await self.attempt(random.choice(self._https).post("/oauth2/token", data=form))
        if _wait_of(answer) is None and answer is not None:
            self._tokens[town.number, role] = answer.json()["access_token"]
            self.history.attempts["logins"] += 1

    async def replay(self, most: int, random: Random) -> int:
        """Send decided requests once more under their keys: each has to be answered as before, byte for byte."""
        sent = self.history.sent
        towns = {town.number: town for town in self.world.towns}
        chosen = random.sample(sent, min(most, len(sent)))
        for one in chosen:
            answer = await self._decided(towns[one.town], one.role, one.path, one.body, one.key, random)
            if answer is None or (answer.status_code, answer.content) != (one.status, one.content):
                message = f"{one} was answered anew with {answer and (answer.status_code, answer.text)}"
                raise ViolationError(message)
        return len(chosen)


def _wait_of(answer: httpx.Response | None) -> float | None:
    """How long to wait before the next attempt, or None for an answer that decides."""
    if answer is None:
        return _after_a_loss_seconds
    if answer.status_code in {429, 503}:
        if "retry-after" not in answer.headers:
            message = f"{answer.status_code} without Retry-After: {answer.text}"
            raise ViolationError(message)
        return min(float(answer.headers["retry-after"]), _wait_seconds_max)
    if answer.status_code >= 500:
        message = f"{answer.status_code} {answer.text}"
        raise ViolationError(message)
    if answer.status_code == 409 and answer.json()["code"] == "idempotency-key-in-flight":
        return _after_a_loss_seconds
    return None
