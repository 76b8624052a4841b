"""What follows for others when shifts are made, moved or skipped: the seam to the features above, which know who came.

They provide it; the routes and the worker hand it to the services, which carry it out in the same transaction.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from app.activities.rules import Shift
    from app.kernel.database import Session

    Follow: TypeAlias = Callable[[Session, Sequence[Shift]], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Effects:
    """By what happened to shifts: what is done then, in order, with the shifts as they are afterwards."""

    made: tuple[Follow, ...] = ()
    moved: tuple[Follow, ...] = ()
    skipped: tuple[Follow, ...] = ()


async def follow(session: Session, follows: Sequence[Follow], shifts: Sequence[Shift]) -> None:
    """Do what follows, if anything happened to a shift."""
    if shifts:
        for one in follows:
            await one(session, shifts)
