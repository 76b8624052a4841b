"""Signed notes (c2sp.org/signed-note): a text, and below it a line for each signature.

A log signs under the name that its notes begin with, their origin, so that one public key serves every log of a
service. Witnesses sign as c2sp.org/tlog-cosignature says, version 1, with the time at which they saw the log.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from typing import TYPE_CHECKING, NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

SIGNATURES_MAX = 32
"""No note with more signatures is read."""

_prime = (1 << 255) - 19
_eighth = 0x05FC536D880238B13933C6D305ACDFD5F098EFF289F4C345B027B2C28F95E826
# The y of the points of order 1, 2, 4 and 8.
_weak = {
    1,
    _prime - 1,
    0,
    _eighth,
    _prime - _eighth,
}
_signed, _cosigned = b"\x01", b"\x04"
_key_bytes = 32
_hash_bytes = 32
_signature_bytes = 64
_id_bytes = 4
_time_bytes = 8


class NoteError(ValueError):
    """A text that is no signed note, or a key that is none; the message says why."""


class PublicKey(NamedTuple):
    """An Ed25519 public key (32 bytes) and the name under which it signs."""

    name: str
    key: bytes
    is_witness: bool = False

    @property
    def id(self) -> bytes:
        """The four bytes that signatures by this key begin with."""
        return _key_id(self.name, _cosigned if self.is_witness else _signed, self.key)

    def __str__(self) -> str:
        """The key as others are told it (a vkey): name, id and key, joined by plus signs."""
        kind = _cosigned if self.is_witness else _signed
        return f"{self.name}+{self.id.hex()}+{base64_of(kind + self.key)}"


class Signature(NamedTuple):
    """A line below a note: whose it says that it is, and its bytes, which begin with the key's id."""

    name: str
    value: bytes

    def __str__(self) -> str:
        """The line, without its end."""
        return f"— {self.name} {base64_of(self.value)}"


class Note(NamedTuple):
    """A note that was taken apart: its text with its last line break, and the signatures, which nobody has checked."""

    text: str
    signatures: tuple[Signature, ...]

    def __str__(self) -> str:
        """The note as it is handed on."""
        return self.text + "\n" + "".join(f"{signature}\n" for signature in self.signatures)


class Signer:
    """Signs notes with the service's Ed25519 key, each in the name of the log of a community."""

    def __init__(self, key: Ed25519PrivateKey, origin: str, *, old: Sequence[Ed25519PublicKey] = ()) -> None:
        """Keep the key; `origin` is the name of the service, a domain of its own, and `old` are keys of before."""
        self._key = key
        self._old = [one.public_bytes_raw() for one in old]
        self.origin = origin
        self.public = key.public_key().public_bytes_raw()
        self._ids: dict[str, bytes] = {}

    def origin_of(self, community: int) -> str:
        """Give the name of a community's log, or of the city's (0)."""
        return f"{self.origin}/communities/{community}" if community else f"{self.origin}/city"

    def key_of(self, community: int) -> PublicKey:
        """Give the public key under the name of a community's log."""
        return PublicKey(self.origin_of(community), self.public)

    def keys_of(self, community: int) -> list[PublicKey]:
        """Give the public keys that may have signed in the name of a community's log, the present one first."""
        return [PublicKey(self.origin_of(community), key) for key in (self.public, *self._old)]

    def sign(self, community: int, text: str) -> str:
        """Sign a text that ends with a line break, and give the note."""
        name = self.origin_of(community)
        key_id = self._ids.get(name) or self._ids.setdefault(name, _key_id(name, _signed, self.public))
        return f"{text}\n{Signature(name, key_id + self._key.sign(text.encode()))}\n"


def _key_id(name: str, kind: bytes, key: bytes) -> bytes:
    return hashlib.sha256(name.encode() + b"\n" + kind + key).digest()[:_id_bytes]


def cosigned_text(text: str, time: int) -> bytes:
    """Write what a witness signs: the note's text, and the time in seconds since 1970."""
    return f"cosignature/v1\ntime {time}\n{text}".encode()


def cosign(key: Ed25519PrivateKey, name: str, text: str, time: int) -> Signature:
    """Sign a note as a witness does."""
    key_id = _key_id(name, _cosigned, key.public_key().public_bytes_raw())
    return Signature(name, key_id + time.to_bytes(_time_bytes, "big") + key.sign(cosigned_text(text, time)))


def cosigned_time(signature: Signature) -> int:
    """Give the time, in seconds since 1970, at which a witness says that it signed."""
    return int.from_bytes(signature.value[_id_bytes : _id_bytes + _time_bytes], "big")


def is_weak(key: bytes) -> bool:
    """Whether a public key is a point of small order, under which anybody signs anything without a private key.

    There are eight such points and a few more spellings, one for each sign and each way to write y below 2^255.
    (Cremers et al., "Taming the many EdDSAs"; libsodium's list is the same.)
    """
    return (int.from_bytes(key, "little") & (1 << 255) - 1) % _prime in _weak


def read_note(note: str) -> Note:
    """Take a note apart. Raises `NoteError`."""
    text, gap, below = note.rpartition("\n\n")
    if not gap or not below.endswith("\n") or any(letter < " " and letter != "\n" for letter in note):
        message = "a signed note is a text, an empty line and signatures, each on a line of its own"
        raise NoteError(message)
    lines = below[:-1].split("\n")
    if len(lines) > SIGNATURES_MAX:
        message = f"a note has {SIGNATURES_MAX} signatures at most"
        raise NoteError(message)
    return Note(text + "\n", tuple(map(read_signature, lines)))


def read_signature(line: str) -> Signature:
    """Take a signature's line apart. Raises `NoteError`."""
    dash, _, named = line.partition(" ")
    name, _, value = named.partition(" ")
    if dash != "—" or not _is_name(name):
        message = "a signature is an em dash, a name and base64"
        raise NoteError(message)
    return Signature(name, bytes_of(value))


def _is_name(name: str) -> bool:
    return bool(name) and "+" not in name and name.isprintable() and not any(letter.isspace() for letter in name)


def read_key(text: str) -> PublicKey:
    """Take a vkey apart. Raises `NoteError`."""
    name, _, rest = text.partition("+")
    key_id, _, value = rest.partition("+")
    material = bytes_of(value)
    if not _is_name(name) or len(material) != _key_bytes + 1 or material[:1] not in (_signed, _cosigned):
        message = "a key is its name, its id and base64, joined by plus signs"
        raise NoteError(message)
    key = PublicKey(name, material[1:], is_witness=material[:1] == _cosigned)
    if key.id.hex() != key_id:
        message = f"the id of the key {name} is not its own"
        raise NoteError(message)
    return key


def base64_of(value: bytes) -> str:
    """Write bytes in base64, in the one right way."""
    return base64.b64encode(value).decode()


def bytes_of(text: str) -> bytes:
    """Read base64, which has to be written in the one right way. Raises `NoteError`."""
    try:
        value = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        value = b""
    if not text or base64_of(value) != text:
        message = "there is no base64 where it should be"
        raise NoteError(message)
    return value


def hash_from(text: str) -> bytes:
    """Read a hash of 32 bytes in base64. Raises `NoteError`."""
    value = bytes_of(text)
    if len(value) != _hash_bytes:
        message = "a hash has 32 bytes"
        raise NoteError(message)
    return value


def number_from(text: str) -> int:
    """Read a whole number of at most 20 digits, which has to be written in the one right way. Raises `NoteError`."""
    if not text.isascii() or not text.isdigit() or str(int(text[:20])) != text:
        message = "a number is written in digits, without zeros before them"
        raise NoteError(message)
    return int(text)


def signed_by(note: Note, keys: Iterable[PublicKey]) -> list[PublicKey]:
    """Which of these keys signed a note, each once. Raises `NoteError` when one that claims to is not right."""
    known = {(key.name, key.id): key for key in keys}
    found = []
    for signature in note.signatures:
        key = known.pop((signature.name, signature.value[:_id_bytes]), None)
        if key is None:
            continue
        if not _is_right(key, note.text, signature.value[_id_bytes:]):
            message = f"the signature of {key.name} does not belong to this text"
            raise NoteError(message)
        found.append(key)
    return found


def _is_right(key: PublicKey, text: str, value: bytes) -> bool:
    signed = text.encode()
    if key.is_witness:
        time, value = value[:_time_bytes], value[_time_bytes:]
        signed = cosigned_text(text, int.from_bytes(time, "big"))
    if len(value) != _signature_bytes:
        return False
    try:
        Ed25519PublicKey.from_public_bytes(key.key).verify(value, signed)
    except InvalidSignature:
        return False
    return True
