"""A cursor goes on where its page ended, in its own list and under its own filters only."""

from __future__ import annotations

import base64
import contextlib
from math import ceil
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.kernel.errors import Refused
from app.kernel.paging import InvalidCursor, Page, open_page
from app.kernel.vault import Vault

VAULT = Vault("a pepper for tests that is long enough")
ITEMS = list(range(1, 8))


def page_of(cursor: str | None = None, *, scope: str = "goods/1", limit: int = 3, **filters: Any) -> Page[int]:
    """A page of the numbers from 7 down to 1, as a store would load it."""
    paging = open_page(VAULT, scope, limit=limit, cursor=cursor, filters=filters)
    found = [item for item in reversed(ITEMS) if paging.position is None or item < paging.position]
    return paging.page(VAULT, found[: limit + 1], lambda item: item)


def cursor_of(**filters: Any) -> str:
    cursor = page_of(**filters).next_cursor
    assert cursor is not None
    return cursor


def assert_invalid(cursor: str, **parameters: Any) -> None:
    with pytest.raises(Refused) as refused:
        page_of(cursor, **parameters)
    assert refused.value.refusal == InvalidCursor()


@pytest.mark.parametrize("limit", range(1, 9))
def test_pages_put_together_are_the_list(limit: int) -> None:
    seen: list[int] = []
    cursor = None
    for _ in range(ceil(len(ITEMS) / limit)):
        page = page_of(cursor, limit=limit)
        assert len(page.items) <= limit
        seen += page.items
        cursor = page.next_cursor
    assert (seen, cursor) == ([7, 6, 5, 4, 3, 2, 1], None)


def test_a_last_page_that_is_full_has_no_cursor() -> None:
    assert page_of(limit=7) == Page([7, 6, 5, 4, 3, 2, 1], None)


def test_the_limit_may_change_from_page_to_page() -> None:
    assert page_of(cursor_of(), limit=2).items == [4, 3]


def test_a_cursor_brings_its_filters_along() -> None:
    cursor = cursor_of(status="pending", volunteer_id=None)
    paging = open_page(VAULT, "goods/1", limit=3, cursor=cursor, filters={"status": None, "volunteer_id": None})
    assert paging.filters == {"status": "pending"}
    following = paging.page(VAULT, [4, 3, 2, 1], lambda item: item).next_cursor
    again = open_page(VAULT, "goods/1", limit=3, cursor=following, filters={})
    assert (again.position, again.filters) == (2, {"status": "pending"})


def test_filters_beside_a_cursor_have_to_be_its_own() -> None:
    cursor = cursor_of(status="pending")
    assert page_of(cursor, status="pending").items == [4, 3, 2]
    assert_invalid(cursor, status="approved")
    assert_invalid(cursor, status="pending", volunteer_id="1")
    assert_invalid(cursor_of(), status="pending")


@pytest.mark.parametrize("scope", ["goods/2", "goods", "goods/11", "redemptions/1", ""])
def test_a_cursor_of_another_list_or_community_is_refused(scope: str) -> None:
    assert_invalid(cursor_of(), scope=scope)


def test_a_cursor_made_with_another_pepper_is_refused() -> None:
    paging = open_page(Vault("another pepper that is long enough!"), "goods/1", limit=1, cursor=None, filters={})
    cursor = paging.page(Vault("another pepper that is long enough!"), [2, 1], lambda item: item).next_cursor
    assert cursor is not None
    assert_invalid(cursor)


@pytest.mark.parametrize(
    "cursor", ["", ".", "..", "a", "abc.def", "𠮷.𠮷", "\x00", "%00", "e30.", ".0123456789abcdef", "=" * 2000, "e30=.x"]
)
def test_what_is_no_cursor_at_all_is_refused(cursor: str) -> None:
    assert_invalid(cursor)


def test_a_cursor_with_another_position_is_refused() -> None:
    body, _, mac = cursor_of().partition(".")
    content = base64.urlsafe_b64decode(body + "=" * (-len(body) % 4))
    assert b'"position":5' in content
    forged = base64.urlsafe_b64encode(content.replace(b'"position":5', b'"position":9')).decode().rstrip("=")
    assert_invalid(f"{forged}.{mac}")
    assert_invalid(f"{body}.{mac[:-1]}")
    assert_invalid(f"{body}.")


@settings(deadline=None)
@given(st.data())
def test_a_cursor_changed_anywhere_is_refused_or_means_the_same(data: st.DataObject) -> None:
    cursor = cursor_of(status="pending")
    place = data.draw(st.integers(0, len(cursor) - 1))
    changed = cursor[:place] + data.draw(st.characters(codec="ascii")) + cursor[place + 1 :]
    with contextlib.suppress(Refused):
        assert page_of(changed, status="pending").items == [4, 3, 2]
