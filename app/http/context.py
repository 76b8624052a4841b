"""What the running service hands to every request: settings, database, and the keys on their way."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, cast

from fastapi import Depends, Request

if TYPE_CHECKING:
    import asyncio

    from app.kernel.coalesce import Commands, Reads
    from app.kernel.database import Database
    from app.settings import Settings


@dataclass(slots=True)
class Context:
    """One running service. `in_flight` has the keyed requests that this process is carrying out."""

    settings: Settings
    database: Database
    commands: Commands
    reads: Reads
    in_flight: dict[tuple[int, str, str], asyncio.Future[None]] = field(default_factory=dict)


async def context_of(request: Request) -> Context:
    """Give the running service."""
    return cast("Context", request.app.state.context)


ContextDep = Annotated[Context, Depends(context_of)]
