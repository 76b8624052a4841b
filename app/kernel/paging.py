"""Lists in pages: a cursor holds the place where the last page ended and the filters it was made with."""

from __future__ import annotations

import base64
import binascii
import hmac
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar
from uuid import UUID

import orjson

from app.kernel.errors import Refusal, Refused

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import sqlalchemy as sa

    from app.kernel.rows import Query
    from app.kernel.vault import Vault

ItemT = TypeVar("ItemT")

limit_default = 50
limit_max = 200
_mac_length = 16


@dataclass(frozen=True, slots=True)
class Page(Generic[ItemT]):
    """Some items and the cursor of the next page, None at the end."""

    items: list[ItemT]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class InvalidCursor(Refusal):
    """The cursor is broken or was made for another list."""

    code: ClassVar[str] = "invalid-cursor"
    kept: ClassVar[bool] = False

    @property
    def detail(self) -> str:
        """Say what to do."""
        return "The cursor is not one of this list with these filters. Start again without a cursor."


@dataclass(frozen=True, slots=True)
class Paging:
    """A request for a page of one list: how many (None: all), where to go on (None at the start), which filters."""

    scope: str = ""
    limit: int | None = None
    position: Any = None
    filters: Mapping[str, Any] = field(default_factory=dict)

    @property
    def wanted(self) -> int | None:
        """How many items to read: one more than are shown, which tells whether there is a next page."""
        return None if self.limit is None else self.limit + 1

    def newest_first(self, statement: Query, number: sa.Column[int]) -> Query:
        """Order a statement by its rows' numbers, newest first, and bound it to the page."""
        if self.position is not None:
            statement = statement.where(number < self.position)
        return statement.order_by(number.desc()).limit(self.wanted)

    def filtered_id(self, name: str) -> UUID | None:
        """The id that a filter names."""
        value = self.filters.get(name)
        return None if value is None else UUID(value)

    def page(self, vault: Vault, found: list[ItemT], position_of: Callable[[ItemT], Any]) -> Page[ItemT]:
        """Cut what was found (one more than the limit is asked for) to a page; `position_of` places its last item."""
        if self.limit is None or len(found) <= self.limit:
            return Page(found, None)
        body = orjson.dumps({"position": position_of(found[self.limit - 1]), "filters": self.filters})
        cursor = _encode(body) + "." + _mac(vault, self.scope, body)
        return Page(found[: self.limit], cursor)


def open_page(vault: Vault, scope: str, *, limit: int, cursor: str | None, filters: Mapping[str, Any]) -> Paging:
    """Read a page's parameters; a cursor brings its filters along, and any given beside it have to be the same.

    Raises `Refused(InvalidCursor)`. The cursor is authenticated, so it can hold positions without checks.
    """
    given = {name: value for name, value in filters.items() if value is not None}
    if cursor is None:
        return Paging(scope, limit, None, given)
    text, _, mac = cursor.partition(".")
    try:
        body = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise Refused(InvalidCursor()) from None
    if not hmac.compare_digest(mac.encode(), _mac(vault, scope, body).encode()):
        raise Refused(InvalidCursor())
    content = orjson.loads(body)
    if any(content["filters"].get(name) != value for name, value in given.items()):
        raise Refused(InvalidCursor())
    return Paging(scope, limit, content["position"], content["filters"])


def _encode(body: bytes) -> str:
    return base64.urlsafe_b64encode(body).decode().rstrip("=")


def _mac(vault: Vault, scope: str, body: bytes) -> str:
    return vault.hash("cursor", scope, _encode(body))[:_mac_length]
