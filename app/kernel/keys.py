"""Ed25519 keys in PEM, as settings hold them."""

from __future__ import annotations

import re

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

_block = re.compile(r"-----BEGIN ([A-Z0-9 ]+)-----.*?-----END \1-----", re.DOTALL)


class SigningKeyError(Exception):
    """A setting holds no key that anything can be signed or checked with; the text says so without showing it."""


def new_signing_key() -> str:
    """Make an Ed25519 private key in PEM."""
    return pem_of(Ed25519PrivateKey.generate())


def pem_of(key: Ed25519PrivateKey | Ed25519PublicKey) -> str:
    """Write a key in PEM."""
    if isinstance(key, Ed25519PublicKey):
        return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def private_key(pem: str, setting: str) -> Ed25519PrivateKey:
    """Load a key of the one kind that signs; another would fail at its first signature only.

    Raises `SigningKeyError`, which names the setting.
    """
    key = _private_key(pem)
    if key is None:
        message = f"LOVEBANK_{setting} has to be an Ed25519 private key in PEM, without a password."
        raise SigningKeyError(message)
    return key


def _private_key(pem: str) -> Ed25519PrivateKey | None:
    try:
        key = load_pem_private_key(pem.encode(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):  # Garbage, or behind a password, or of an unknown kind.
        return None
    return key if isinstance(key, Ed25519PrivateKey) else None


def public_keys(text: str, setting: str) -> list[Ed25519PublicKey]:
    """Load the public halves of keys, public or private, that stand one after the other.

    Raises `SigningKeyError`, which names the setting.
    """
    keys = [_public_key(block[0]) for block in _block.finditer(text)]
    found = [key for key in keys if key is not None]
    if len(found) < len(keys) or _block.sub("", text).strip():
        message = f"LOVEBANK_{setting} has to be Ed25519 keys in PEM, public or private, without a password."
        raise SigningKeyError(message)
    return found


def _public_key(pem: str) -> Ed25519PublicKey | None:
    if "PUBLIC" not in pem.partition("\n")[0]:
        private = _private_key(pem)
        return None if private is None else private.public_key()
    try:
        key = load_pem_public_key(pem.encode())
    except (ValueError, UnsupportedAlgorithm):
        return None
    return key if isinstance(key, Ed25519PublicKey) else None
