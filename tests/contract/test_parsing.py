"""Bodies are parsed in a quick way that has to be the slow one's equal: the same values, and the same refusals."""

from __future__ import annotations

import json
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.http import bodies

WHOLE_MAX = 2**63 - 1
SPELLINGS = ("a", "\\u0061", "b", ":", "\\u003a", "\\u003A", "\\\\u003a", "é", "\\u00e9", '\\"', "\\n", "")

texts = st.lists(st.sampled_from(SPELLINGS), max_size=3).map(lambda parts: '"' + "".join(parts) + '"')
numbers = st.one_of(
    st.integers(-(2**66), 2**66).map(str),
    st.sampled_from([str(WHOLE_MAX), str(WHOLE_MAX + 1), str(-WHOLE_MAX), str(-WHOLE_MAX - 1), "-0", "1e5", "-0.0"]),
    st.floats(allow_nan=False, allow_infinity=False).map(repr),
)


def objects(members: list[tuple[str, str]]) -> str:
    """Write an object of names and values that are JSON already."""
    return "{" + ", ".join(f"{name}:{value}" for name, value in members) + "}"


def documents(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.one_of(
        st.lists(inner, max_size=3).map(lambda values: "[" + ",".join(values) + "]"),
        st.lists(st.tuples(texts, inner), max_size=3).map(objects),
    )


bodies_of_json = st.recursive(st.one_of(texts, numbers, st.sampled_from(["true", "null"])), documents, max_leaves=12)


def slowly(body: bytes) -> Any:
    """Parse as the slow way alone does, and give a refusal as text."""
    try:
        orjson.loads(body)
        return json.loads(
            body,
            object_pairs_hook=bodies._with_each_name_once,  # noqa: SLF001  the slow way's own
            parse_int=bodies._within_64_bits,  # noqa: SLF001
        )
    except ValueError as error:
        return f"refused: {error}"


def quickly(body: bytes) -> Any:
    try:
        return bodies.parsed(body)
    except bodies.UnreadableBody as error:
        return "refused: " + error.document["errors"][0].message


@given(bodies_of_json)
def test_both_ways_give_the_same_value_or_the_same_refusal(text: str) -> None:
    body = text.encode()
    quick, slow = quickly(body), slowly(body)
    assert quick == slow
    assert repr(quick) == repr(slow)


@pytest.mark.parametrize(
    ("text", "read_slowly"),
    [
        ('{"note":"10:30","name":"\\u5f20\\u6587","minutes":90}', 0),
        ('{"a":1,"a":1}', 1),
        ('{"a":{"b":1,"b":1}}', 1),
        ('{"a":"\\u003a"}', 1),
        ("9" * 19, 1),
        ("[" * 300 + "]" * 300, 1),
    ],
)
def test_slow_way_is_for_what_the_quick_one_cannot_vouch_for(
    text: str, read_slowly: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow: list[bytes] = []

    def noted(body: bytes, **_: Any) -> Any:
        slow.append(body)

    monkeypatch.setattr(json, "loads", noted)
    bodies.parsed(text.encode())
    assert len(slow) == read_slowly
