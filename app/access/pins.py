"""The hashes of PINs: argon2id over a keyed hash, never in the event loop and never more than two at a time."""

from __future__ import annotations

import asyncio
import base64
import secrets
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, TypeVar

from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

from app.access.rules import is_weak_pin
from app.kernel.errors import Unavailable

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Future
    from uuid import UUID

    from app.kernel.vault import Vault

ResultT = TypeVar("ResultT")

AT_ONCE = 2
"""How many hashes are computed at a time; each takes 19 MiB."""

WAITING_MAX = 32
"""How many more may wait for their turn, a second or two; who comes then is sent away."""

_memory_kibibytes = 19 * 1024
_passes = 2
_zeros = [base64.b64encode(bytes(length)).decode().rstrip("=") for length in (16, 32)]

NO_PIN = f"$argon2id$v=19$m={_memory_kibibytes},t={_passes},p=1${'$'.join(_zeros)}"
"""A hash that no PIN fits, which takes as long to check as any."""


def new_pin() -> str:
    """Make a PIN of six digits that is not too easy."""
    while is_weak_pin(pin := f"{secrets.randbelow(10**6):06}"):
        pass
    return pin


class Pins:
    """Hashes and checks PINs. Without the service's pepper the stored hashes cannot be searched, few as PINs are."""

    def __init__(self, vault: Vault) -> None:
        """Take the vault that has the pepper; no thread starts before the first PIN."""
        self._vault = vault
        self._argon2 = PasswordHash((Argon2Hasher(time_cost=_passes, memory_cost=_memory_kibibytes, parallelism=1),))
        self._threads = ThreadPoolExecutor(AT_ONCE, "pins")
        self._pending: set[Future[Any]] = set()

    async def hash(self, card_id: UUID, pin: str) -> str:
        """Hash the PIN of a card. Raises `Unavailable` when too many wait."""
        return await self._in_turn(lambda: self._argon2.hash(self._keyed(card_id, pin)))

    async def fits(self, pin_hash: str | None, card_id: UUID, pin: str) -> bool:
        """Whether a PIN is the card's; without a hash it is not, after as long. Raises `Unavailable` like `hash`."""
        return await self._in_turn(lambda: self._argon2.verify(self._keyed(card_id, pin), pin_hash or NO_PIN))

    def _keyed(self, card_id: UUID, pin: str) -> str:
        return self._vault.hash("pin", str(card_id), pin)

    async def _in_turn(self, work: Callable[[], ResultT]) -> ResultT:
        if len(self._pending) >= AT_ONCE + WAITING_MAX:
            raise Unavailable
        future = self._threads.submit(work)
        # Who gave up waiting still counts until the thread is free again.
        self._pending.add(future)
        future.add_done_callback(self._pending.discard)
        return await asyncio.wrap_future(future)
