"""Hashes tell purposes apart, sealed data opens for its owner alone, and development keeps its secrets to itself."""

from __future__ import annotations

import base64
import os
import stat
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.kernel.ids import new_id
from app.kernel.vault import InvalidTag, Vault, development_secret, new_pepper, seal, unseal

if TYPE_CHECKING:
    from pathlib import Path

VAULT = Vault("a pepper for tests that is long enough")
OTHER = Vault("another pepper that is long enough too")


def test_a_hash_depends_on_purpose_values_and_pepper_and_on_nothing_else() -> None:
    assert VAULT.hash("phone", "1", "13900000000") == VAULT.hash("phone", "1", "13900000000")
    hashes = [
        VAULT.hash("phone", "1", "13900000000"),
        VAULT.hash("phone", "2", "13900000000"),
        VAULT.hash("phone tail", "1", "13900000000"),
        VAULT.hash("phone", "1", "13900000001"),
        VAULT.hash("phone", "113900000000"),
        VAULT.hash("phone", "13900000000", "1"),
        VAULT.hash("phone1", "13900000000"),
        OTHER.hash("phone", "1", "13900000000"),
    ]
    assert len(set(hashes)) == len(hashes)
    assert all(len(value) == 64 and "13900000000" not in value for value in hashes)


@settings(deadline=None)
@given(st.binary(max_size=200), st.text(st.characters(exclude_categories=["Cs"]), max_size=20))
def test_what_was_sealed_opens_under_the_same_key_and_context(plain: bytes, context: str) -> None:
    key, _ = VAULT.new_person_key("1/person")
    assert unseal(key, seal(key, plain, context), context) == plain


def test_sealing_twice_gives_two_texts_and_neither_shows_what_is_in_it() -> None:
    key, _ = VAULT.new_person_key("1/person")
    plain = "邓阿姨".encode()
    one, another = seal(key, plain, "name"), seal(key, plain, "name")
    assert one != another
    assert plain not in base64.b64decode(one)


def test_sealed_data_opens_in_no_other_context_and_under_no_other_key() -> None:
    key, _ = VAULT.new_person_key("1/person")
    other_key, _ = VAULT.new_person_key("1/person")
    sealed = seal(key, b"plain", "name")
    for opening in ((key, "phone"), (key, ""), (other_key, "name")):
        with pytest.raises(InvalidTag):
            unseal(opening[0], sealed, opening[1])


def test_sealed_data_that_was_changed_does_not_open() -> None:
    key, _ = VAULT.new_person_key("1/person")
    raw = bytearray(base64.b64decode(seal(key, b"plain", "name")))
    for place in range(len(raw)):
        changed = bytearray(raw)
        changed[place] ^= 1
        with pytest.raises(InvalidTag):
            unseal(key, base64.b64encode(changed).decode(), "name")


def test_a_persons_key_unwraps_for_its_owner_and_service_alone() -> None:
    key, wrapped = VAULT.new_person_key("1/person")
    assert VAULT.unwrap(wrapped, "1/person") == key
    assert len(key) == 32
    for vault, owner in ((VAULT, "2/person"), (VAULT, "1/other"), (OTHER, "1/person")):
        with pytest.raises(InvalidTag):
            vault.unwrap(wrapped, owner)


def test_every_person_gets_another_key() -> None:
    assert len({VAULT.new_person_key("1/person")[0] for _ in range(20)}) == 20


def test_development_makes_a_secret_once_and_lets_only_its_owner_read_it(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    assert development_secret(path, "first") == "first"
    assert development_secret(path, "second") == "first"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_crash_while_a_secret_is_written_leaves_no_part_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash(descriptor: int, *_: object, **__: object) -> None:
        os.close(descriptor)
        raise KeyboardInterrupt

    path = tmp_path / "secret"
    with monkeypatch.context() as patches:
        patches.setattr(os, "fdopen", crash)
        with pytest.raises(KeyboardInterrupt):
            development_secret(path, "first")
    assert list(tmp_path.iterdir()) == []
    assert development_secret(path, "second") == "second"
    assert list(tmp_path.iterdir()) == [path]


def test_of_two_that_make_a_secret_at_once_the_second_takes_what_the_first_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "secret"
    link = os.link

    def link_too_late(*arguments: Any) -> None:
        path.write_text("the other's", encoding="utf-8")
        link(*arguments)

    monkeypatch.setattr(os, "link", link_too_late)
    assert development_secret(path, "mine") == "the other's"
    assert list(tmp_path.iterdir()) == [path]


def test_a_new_pepper_is_as_long_as_settings_ask_for_and_never_the_same() -> None:
    assert len(new_pepper()) == 64
    assert new_pepper() != new_pepper()


def test_ids_are_of_version_seven_and_begin_with_their_time() -> None:
    ids = [new_id() for _ in range(1000)]
    assert len(set(ids)) == 1000
    assert {(value.version, value.variant) for value in ids} == {(7, "specified in RFC 4122")}
    assert [value.int >> 80 for value in ids] == sorted(value.int >> 80 for value in ids)
