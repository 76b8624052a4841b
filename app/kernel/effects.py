"""What follows for others when persons may take part no more: the seam from the features that know them to those above.

Those let the persons take part, and provide what follows; the routes and the replay of the log of erasures hand it to
the features that let persons go, which carry it out in the same transaction. Why somebody is gone is not handed on: the
reason is the person's own, and stays sealed with what else is known of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from app.kernel.database import Session
    from app.kernel.persons import Person

    Follow: TypeAlias = Callable[[Session, Sequence[Person]], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class PersonEffects:
    """By what happened to persons: what is done then, in order.

    Who is `gone` takes part in nothing any more; who is `limited` may not in all that they could before.
    """

    gone: tuple[Follow, ...] = ()
    limited: tuple[Follow, ...] = ()


async def follow(session: Session, follows: Sequence[Follow], persons: Sequence[Person]) -> None:
    """Do what follows, if it happened to anybody."""
    if persons:
        for one in follows:
            await one(session, persons)
