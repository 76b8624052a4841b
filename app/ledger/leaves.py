"""What a transaction is bound to be: its canonical encoding, which is the leaf of the community's tree.

The encoding, version 1, is JSON after RFC 8785: members in the order of their names, no spaces, whole numbers, UTF-8.

    community, number        the community's small number, the transaction's number in it
    kind, reference          as they were posted; the reference is a path below the community
    posted_at                microseconds since 1970-01-01 UTC
    posted_by                the caller's id
    reverses                 the number of the transaction that it takes back, or null
    reason                   HMAC-SHA-256 of the words under the transaction's salt, in hex, or null
    evidence                 likewise of the facts that it stands for, such as those of a service record, or null
    postings                 for each, in the order of addresses: [address, unit, amount, version, balance_after]
    version                  1

Words and facts may be about a person, so they are never there as a bare hash: the salt is 16 random bytes that stand
beside the transaction alone.
"""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING, Any, NamedTuple

import orjson

from app.kernel.merkle import leaf_hash
from app.kernel.moments import micros

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

VERSION = 1
SALT_BYTES = 16

Bound = tuple[str, str, int, int, int]
"""A posting as a leaf binds it: address, unit, amount, version and balance after it."""


class Leaf(NamedTuple):
    """All that a leaf binds."""

    community: int
    number: int
    kind: str
    posted_at: datetime
    posted_by: str
    reference: str
    reverses: int | None
    reason: bytes | None
    evidence: bytes | None
    postings: Sequence[Bound]


def digest(salt: bytes, words: bytes) -> bytes:
    """Hash what may be about a person under a transaction's salt."""
    return hmac.digest(salt, words, "sha256")


def encoded(leaf: Leaf) -> bytes:
    """Write the canonical encoding."""
    members: dict[str, Any] = {
        "community": leaf.community,
        "evidence": leaf.evidence.hex() if leaf.evidence is not None else None,
        "kind": leaf.kind,
        "number": leaf.number,
        "posted_at": micros(leaf.posted_at),
        "posted_by": leaf.posted_by,
        "postings": sorted(leaf.postings),
        "reason": leaf.reason.hex() if leaf.reason is not None else None,
        "reference": leaf.reference,
        "reverses": leaf.reverses,
        "version": VERSION,
    }
    # The names stand in their order here.
    return orjson.dumps(members)


def hash_of(leaf: Leaf) -> bytes:
    """Hash a leaf as the tree takes it."""
    return leaf_hash(encoded(leaf))
