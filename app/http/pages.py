"""What a page of a list looks like on the wire."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, Self, TypeVar

from pydantic import BaseModel

if TYPE_CHECKING:
    from collections.abc import Callable

    from app.kernel.paging import Page

ItemT = TypeVar("ItemT")
ModelT = TypeVar("ModelT", bound=BaseModel)


class PageModel(BaseModel, Generic[ModelT]):
    """A page of a list."""

    items: list[ModelT]
    next_cursor: str | None

    @classmethod
    def of(cls, page: Page[ItemT], show: Callable[[ItemT], ModelT]) -> Self:
        """Show a page's items."""
        return cls(items=[show(item) for item in page.items], next_cursor=page.next_cursor)
