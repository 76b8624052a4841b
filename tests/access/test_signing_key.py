"""The signing key: Ed25519 or nothing, found out before the first token."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)
from pydantic import SecretStr

from app.access.rules import Caller
from app.access.tokens import Tokens
from app.kernel.errors import Refused
from app.kernel.keys import SigningKeyError, new_signing_key
from app.main import check_secrets, create_app
from app.settings import Settings

if TYPE_CHECKING:
    from pathlib import Path

ISSUER = "http://127.0.0.1:8000"
AUDITOR = Caller("1-0123456789abcdef", "auditor", 1, None)
_ed25519 = Ed25519PrivateKey.generate()
UNUSABLE = {
    "X25519": X25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
    "public": _ed25519.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
    "encrypted": _ed25519.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"word")),
    "broken": b"-----BEGIN PRIVATE KEY-----\nbm90IGEga2V5\n-----END PRIVATE KEY-----\n",
    "no PEM": b"a passphrase, perhaps",
    "empty": b"",
}


@pytest.mark.parametrize("kind", UNUSABLE)
def test_any_key_but_a_private_one_of_ed25519_is_refused_with_the_name_of_its_setting(kind: str) -> None:
    with pytest.raises(SigningKeyError, match="LOVEBANK_SIGNING_KEY has to be an Ed25519 private key"):
        Tokens(UNUSABLE[kind].decode(), issuer="http://127.0.0.1:8000", seconds=600)


def test_a_key_of_our_own_making_signs() -> None:
    tokens = Tokens(new_signing_key(), issuer="http://127.0.0.1:8000", seconds=600)
    caller = Caller("1-0123456789abcdef", "auditor", 1, None)
    assert tokens.check(tokens.issue(caller), roles=["auditor"]) == caller


def issued_by(key: str) -> str:
    """A token that this key signed."""
    return Tokens(key, issuer=ISSUER, seconds=600).issue(AUDITOR)


def public_half(key: str) -> str:
    """The public key of a private one, in PEM."""
    private = load_pem_private_key(key.encode(), password=None)
    return private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def test_tokens_of_old_keys_hold_until_their_key_is_removed_and_all_keys_are_published() -> None:
    new, old, older = new_signing_key(), new_signing_key(), new_signing_key()
    old_keys = f"{public_half(old)}\n{older}"
    tokens = Tokens(new, old_keys=old_keys, issuer=ISSUER, seconds=600)
    for key in (new, old, older):
        assert tokens.check(issued_by(key), roles=["auditor"]) == AUDITOR
    with pytest.raises(Refused):
        tokens.check(issued_by(new_signing_key()), roles=["auditor"])
    with pytest.raises(Refused):
        Tokens(new, old_keys=older, issuer=ISSUER, seconds=600).check(issued_by(old), roles=["auditor"])
    published = tokens.public_keys()["keys"]
    # The one that signs stands first, and it alone signs.
    assert published[0] == Tokens(new, issuer=ISSUER, seconds=600).public_keys()["keys"][0]
    assert len({key["kid"] for key in published}) == len(published) == 3
    assert all("d" not in key for key in published)
    assert Tokens(new, issuer=ISSUER, seconds=600).check(tokens.issue(AUDITOR), roles=["auditor"]) == AUDITOR


def test_key_that_signs_may_stand_among_the_old_ones() -> None:
    key = new_signing_key()
    assert len(Tokens(key, old_keys=key, issuer=ISSUER, seconds=600).public_keys()["keys"]) == 1


@pytest.mark.parametrize("kind", sorted({*UNUSABLE} - {"public", "empty"}))
def test_old_keys_that_are_none_are_refused_with_the_name_of_their_setting(kind: str) -> None:
    for old_keys in (UNUSABLE[kind].decode(), new_signing_key() + UNUSABLE[kind].decode()):
        with pytest.raises(SigningKeyError, match="LOVEBANK_SIGNING_KEYS_OLD has to be Ed25519 keys"):
            Tokens(new_signing_key(), old_keys=old_keys, issuer=ISSUER, seconds=600)


def test_old_keys_come_from_the_setting(tmp_path: Path) -> None:
    old = new_signing_key()
    settings = Settings(
        database_url=f"sqlite:///{tmp_path}/bank.db",
        signing_key=SecretStr(new_signing_key()),
        signing_keys_old=SecretStr(public_half(old)),
        secret_pepper=SecretStr("a pepper for tests that is long enough"),
    )
    tokens: Tokens = create_app(settings).state.tokens
    assert tokens.check(issued_by(old), roles=["auditor"]) == AUDITOR
    broken = settings.model_copy(update={"signing_keys_old": SecretStr("nothing")})
    with pytest.raises(SigningKeyError, match="LOVEBANK_SIGNING_KEYS_OLD"):
        check_secrets(broken)
