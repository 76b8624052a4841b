"""The signing key: Ed25519 or nothing, found out before the first token."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from app.access.rules import Caller
from app.access.tokens import SigningKeyError, Tokens, new_signing_key

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
