"""Lists over HTTP: one way from `limit` and `cursor` to a page of models."""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING, Annotated, Any, Protocol, TypeVar

from fastapi import Depends, Query

from app.http.context import Context, ContextDep  # noqa: TC001  FastAPI reads them
from app.kernel.paging import Page, Paging, limit_default, limit_max, open_page

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from app.kernel.coalesce import Asking
    from app.kernel.database import Session
    from app.kernel.errors import Refusal
    from app.kernel.rows import Read

AskedT = TypeVar("AskedT")
ItemT = TypeVar("ItemT")

LimitQuery = Annotated[int, Query(ge=1, le=limit_max, description="how many items at most")]
CursorQuery = Annotated[str | None, Query(max_length=2000, description="`next_cursor` of the page before")]

_short_max = 50

_number = attrgetter("number")


class Stretch(Protocol[ItemT]):
    """A stretch of a list, which knows where the list goes on."""

    @property
    def lines(self) -> list[ItemT]:
        """What is on it."""

    def place_after(self, count: int) -> Any:
        """Tell the position of what comes after so many."""


class Listing:
    """A request for a page of some list."""

    def __init__(self, context: Context, limit: int, cursor: str | None) -> None:
        """Keep what was asked for."""
        self._context, self._limit, self._cursor = context, limit, cursor

    async def page(
        self,
        name: str,
        community: int,
        find: Callable[[Session, int, Paging], Awaitable[list[ItemT]]],
        *,
        filters: Mapping[str, Any] | None = None,
        place: Callable[[ItemT], Any] = _number,
    ) -> Page[ItemT]:
        """Read a page of a community's list (0: the city's).

        `name` tells the list from every other, `find` reads `paging.wanted` items from `paging.position` on, and
        `place` gives an item's position. Raises `Refused(InvalidCursor)`.
        """
        paging = self._open(name, community, filters or {})
        async with self._context.database.read(community) as session:
            found = await find(session, community, paging)
        return paging.page(self._context.database.vault, found, place)

    async def page_together(
        self,
        name: str,
        community: int,
        load: Callable[[Asking, Sequence[AskedT]], Read[Sequence[Stretch[ItemT] | Refusal]]],
        ask: Callable[[Paging], AskedT],
    ) -> Page[ItemT]:
        """Read a page of a community's list in one transaction with other requests that read now.

        As `page`, but `load` reads a stretch for each of many questions, and `ask` makes this one. Raises `Refused`.
        """
        paging = self._open(name, community, {})
        found = await self._context.reads.ask(load, community, ask(paging))
        return paging.page(self._context.database.vault, found.lines, lambda _: found.place_after(self._limit))

    def _open(self, name: str, community: int, filters: Mapping[str, Any]) -> Paging:
        vault = self._context.database.vault
        return open_page(vault, f"{name}/{community}", limit=self._limit, cursor=self._cursor, filters=filters)


async def _listing(
    context: ContextDep,
    limit: LimitQuery = limit_default,
    cursor: CursorQuery = None,
) -> Listing:
    return Listing(context, limit, cursor)


async def _short_listing(
    context: ContextDep,
    limit: Annotated[int, Query(ge=1, le=_short_max, description="how many items at most")] = limit_default,
    cursor: CursorQuery = None,
) -> Listing:
    return Listing(context, limit, cursor)


ListingDep = Annotated[Listing, Depends(_listing)]

ShortListingDep = Annotated[Listing, Depends(_short_listing)]
"""For lists whose items take work: pages of 50 at most."""
