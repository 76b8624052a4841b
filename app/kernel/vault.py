"""Secrets at rest: keyed hashes, and personal data under a key of the person's own.

A person's 256-bit key is wrapped by the service's key; their data is sealed with AES-GCM under it. Whoever destroys
the wrapped key destroys the data, in every backup as well.
"""

from __future__ import annotations

import base64
import hmac
import os
import secrets
import tempfile
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

_nonce_bytes = 12


def _derive(pepper: str, purpose: str) -> bytes:
    return HKDF(SHA256(), 32, salt=None, info=f"love-bank {purpose}".encode()).derive(pepper.encode())


class Vault:
    """Hashes and seals with keys derived (HKDF-SHA-256) from the service's pepper, one for each purpose."""

    def __init__(self, pepper: str) -> None:
        """Derive the keys."""
        self._wrapping = AESGCM(_derive(pepper, "person keys"))
        self._hashing = _derive(pepper, "keyed hashes")

    def hash(self, purpose: str, *values: str) -> str:
        """Hash values under the service's key (HMAC-SHA-256, hex); the purpose keeps equal values apart."""
        message = "\x1f".join((purpose, *values)).encode()
        return hmac.digest(self._hashing, message, "sha256").hex()

    def new_person_key(self, owner: str) -> tuple[bytes, str]:
        """Make a person's key; give it with its wrapped form, which only unwraps for the same owner."""
        key = AESGCM.generate_key(256)
        return key, _sealed(self._wrapping, key, owner)

    def unwrap(self, wrapped: str, owner: str) -> bytes:
        """Give the person's key back. Raises `cryptography.exceptions.InvalidTag` for another owner or pepper."""
        return _opened(self._wrapping, wrapped, owner)


def seal(key: bytes, plain: bytes, context: str) -> str:
    """Encrypt under a person's key (AES-256-GCM, base64 with its nonce); the context has to be given again to open."""
    return _sealed(AESGCM(key), plain, context)


def unseal(key: bytes, sealed: str, context: str) -> bytes:
    """Decrypt what `seal` made. Raises `cryptography.exceptions.InvalidTag` if it is not that."""
    return _opened(AESGCM(key), sealed, context)


def _sealed(cipher: AESGCM, plain: bytes, context: str) -> str:
    nonce = os.urandom(_nonce_bytes)
    return base64.b64encode(nonce + cipher.encrypt(nonce, plain, context.encode())).decode()


def _opened(cipher: AESGCM, sealed: str, context: str) -> bytes:
    raw = base64.b64decode(sealed)
    return cipher.decrypt(raw[:_nonce_bytes], raw[_nonce_bytes:], context.encode())


def development_secret(path: Path, make: str) -> str:
    """Read a secret that development keeps in a file only its owner may read; write `make` there the first time.

    The file gets its name when it is whole, so that no crash leaves an empty secret behind to be used later. Of two
    processes that make one, the second reads what the first made.
    """
    if path.exists():
        return path.read_text(encoding="utf-8")
    descriptor, unfinished = tempfile.mkstemp(prefix=f"{path.name}.", dir=path.parent)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(make)
            file.flush()
            os.fsync(descriptor)
        os.link(unfinished, path)
    except FileExistsError:
        return path.read_text(encoding="utf-8")
    finally:
        Path(unfinished).unlink()
    return make


def new_pepper() -> str:
    """Make a pepper of 256 random bits."""
    return secrets.token_hex(32)


__all__ = ["InvalidTag", "Vault", "development_secret", "new_pepper", "seal", "unseal"]
