"""Receipts: signed at once for what was posted, they cover the moment until the tree has it.

A receipt is a signed note. Its text:

    love-bank receipt v1
    the origin of the community's log
    a line for each transaction: its number, a space, and its leaf in base64
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import orjson

from app.kernel.notes import NoteError, base64_of, hash_from, number_from, read_note

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from app.kernel.notes import Note, Signer

HEADER = "love-bank receipt v1"

Leaf = tuple[int, bytes]
"""A transaction's number, and its leaf's hash."""


class Receipt(NamedTuple):
    """A receipt that was taken apart; whether it is signed is another question."""

    origin: str
    leaves: tuple[Leaf, ...]
    note: Note


def receipt_for(signer: Signer, community: int, leaves: Iterable[Leaf]) -> str:
    """Sign a receipt for transactions of a community."""
    lines = [f"{number} {base64_of(leaf)}" for number, leaf in leaves]
    return signer.sign(community, "\n".join((HEADER, signer.origin_of(community), *lines, "")))


def with_receipt(body: bytes, receipt: str) -> bytes:
    """Add a receipt to the JSON object that an answer is."""
    return body[:-1] + b',"receipt":' + orjson.dumps(receipt) + b"}"


def read_receipt(text: str) -> Receipt:
    """Take a receipt apart. Raises `NoteError`."""
    note = read_note(text)
    header, _, rest = note.text.partition("\n")
    origin, _, lines = rest.partition("\n")
    if header != HEADER or not origin:
        message = "this is no receipt of version 1"
        raise NoteError(message)
    return Receipt(origin, tuple(_leaves(lines[:-1].split("\n"))), note)


def _leaves(lines: Sequence[str]) -> Iterable[Leaf]:
    for line in lines:
        number, _, leaf = line.partition(" ")
        yield number_from(number), hash_from(leaf)
