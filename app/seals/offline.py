"""Checks receipts, proofs and checkpoints with nothing but a public key: no database, no network.

`verify.html` does the same in a browser; a test holds the two against each other.
"""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any, NamedTuple

import orjson

from app.kernel.keys import SigningKeyError, public_keys
from app.kernel.merkle import is_consistent, leaf_hash
from app.kernel.notes import Note, NoteError, PublicKey, bytes_of, hash_from, read_key, read_note, signed_by
from app.kernel.receipts import HEADER, read_receipt
from app.seals.rules import PROOF_HEADER, Proof, read_checkpoint, read_proof

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_key_bytes = 32
_whole_max = 2**53 - 1


class Keys(NamedTuple):
    """The keys to check with: the service's under any name, or under one name, and those of witnesses."""

    given: tuple[PublicKey | bytes, ...]

    def under(self, origin: str) -> list[PublicKey]:
        """The service's keys for a log; a key that was given with a name is good for that log alone."""
        named = [PublicKey(origin, key) if isinstance(key, bytes) else key for key in self.given]
        return [key for key in named if key.name == origin and not key.is_witness]

    def of_witnesses(self) -> list[PublicKey]:
        """The witnesses' keys."""
        return [key for key in self.given if isinstance(key, PublicKey) and key.is_witness]


class Checked(NamedTuple):
    """One thing that was checked: what it is, whether it holds, and what it says or what is wrong with it."""

    kind: str
    holds: bool
    facts: dict[str, Any]


def _held(kind: str, facts: dict[str, Any]) -> Checked:
    return Checked(kind, holds=True, facts=facts)


def _failed(kind: str, fault: object, **facts: Any) -> Checked:
    return Checked(kind, holds=False, facts={"fault": str(fault), **facts})


def read_keys(texts: Iterable[str]) -> Keys:
    """Read public keys: each PEM, base64 of the 32 bytes, or name, id and base64 joined by plus signs.

    Raises `NoteError`.
    """
    return Keys(tuple(key for text in texts for key in _keys(text.strip())))


def _keys(text: str) -> Sequence[PublicKey | bytes]:
    if text.startswith("-----BEGIN"):
        try:
            return [key.public_bytes_raw() for key in public_keys(text, "KEY")]
        except SigningKeyError:
            message = "the PEM holds no Ed25519 key"
            raise NoteError(message) from None
    # No base64 of 32 bytes has a plus sign followed by eight hexadecimal digits and another one.
    if text.count("+") >= 2 and len(text.split("+")[1]) == 8:
        return [read_key(text)]
    key = bytes_of(text)
    if len(key) != _key_bytes:
        message = "a public key has 32 bytes"
        raise NoteError(message)
    return [key]


def check(text: str, keys: Keys) -> list[Checked]:
    """Check all that a file holds: a receipt, a proof, a checkpoint, or an answer of the API with these in it."""
    if text.lstrip().startswith("{"):
        return _answer(text, keys)
    return [_one(text.replace("\r\n", "\n"), keys, leaf=None)]


def _one(text: str, keys: Keys, *, leaf: bytes | None) -> Checked:
    kind = "checkpoint"
    try:
        if text.startswith(HEADER):
            kind = "receipt"
            return _held(kind, _receipt(text, keys, leaf))
        if text.startswith(PROOF_HEADER):
            kind = "proof"
            return _held(kind, _proof(read_proof(text), keys, leaf))
        return _held(kind, _checkpoint(read_note(text), keys))
    except NoteError as error:
        return _failed(kind, error)


def _receipt(text: str, keys: Keys, leaf: bytes | None) -> dict[str, Any]:
    receipt = read_receipt(text)
    _demand_signed(receipt.note, keys, receipt.origin)
    if leaf is not None and leaf not in [one for _, one in receipt.leaves]:
        message = "the receipt is for another leaf"
        raise NoteError(message)
    return {
        "origin": receipt.origin,
        "transactions": [{"number": number, "leaf": _text(one)} for number, one in receipt.leaves],
    }


def _proof(proof: Proof, keys: Keys, leaf: bytes | None) -> dict[str, Any]:
    facts = _checkpoint(proof.note, keys)
    stands_for = None if proof.extra is None else leaf_hash(proof.extra)
    if leaf is not None and stands_for is not None and leaf != stands_for:
        message = "what the leaf is said to stand for is not what it stands for"
        raise NoteError(message)
    proved = leaf or stands_for
    if proved is None:
        message = "the proof does not say what it proves; give the leaf"
        raise NoteError(message)
    if not proof.holds_for(proved):
        message = "the hashes do not lead from the leaf to the root"
        raise NoteError(message)
    facts |= {"number": proof.place + 1, "leaf": _text(proved)}
    if proof.extra is not None:
        facts["stands_for"] = _readable(proof.extra)
        _demand_own_place(facts["stands_for"], proof)
    return facts


def _demand_own_place(stands_for: Any, proof: Proof) -> None:
    """Refuse a transaction that is in another place, or in another community's log, than it says of itself."""
    if not isinstance(stands_for, dict) or not {"number", "community"} <= stands_for.keys():
        return
    if _whole(stands_for["number"]) != proof.place + 1:
        message = "the transaction says that it has another number than its place in the log gives it"
        raise NoteError(message)
    community = _whole(stands_for["community"])
    if community is None or not proof.checkpoint.origin.endswith(f"/communities/{community}"):
        message = "the transaction says that it is of another community than this log's"
        raise NoteError(message)


def _whole(value: Any) -> int | None:
    """A whole number as JavaScript has them too: 7.0 is 7, and what it would round is none."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return int(value) if is_number and abs(value) <= _whole_max and value == int(value) else None


def _readable(extra: bytes) -> Any:
    try:
        return orjson.loads(extra)
    except orjson.JSONDecodeError:
        return extra.decode(errors="replace")


def _checkpoint(note: Note, keys: Keys) -> dict[str, Any]:
    checkpoint = read_checkpoint(note)
    _demand_signed(note, keys, checkpoint.origin)
    return {
        "origin": checkpoint.origin,
        "tree_size": checkpoint.tree_size,
        "root_hash": _text(checkpoint.root),
        "witnesses": [key.name for key in signed_by(note, keys.of_witnesses())],
    }


def _demand_signed(note: Note, keys: Keys, origin: str) -> None:
    if not signed_by(note, keys.under(origin)):
        message = f"it is not signed by the given key under the name {origin}"
        raise NoteError(message)


def _answer(text: str, keys: Keys) -> list[Checked]:
    """Check what an answer of the API holds, and what one says of another."""
    try:
        answer = orjson.loads(text)
    except orjson.JSONDecodeError:
        return [_failed("answer", "this is no JSON")]
    checked = []
    for item in answer["items"] if isinstance(answer.get("items"), list) else [answer]:
        checked += _item(item, keys) if isinstance(item, dict) else []
    if isinstance(answer.get("receipt"), str) and "items" in answer:
        checked.append(_one(answer["receipt"], keys, leaf=None))
    if not checked:
        checked.append(_failed("answer", "there is neither a receipt nor a proof nor a checkpoint in it"))
    return checked


def _item(item: dict[str, Any], keys: Keys) -> list[Checked]:
    try:
        leaf = hash_from(item["leaf"]) if isinstance(item.get("leaf"), str) else None
        checked = [
            _one(item[name], keys, leaf=leaf)
            for name in ("note", "receipt", "proof")
            if isinstance(item.get(name), str)
        ]
        if {"earlier", "later", "proof"} <= item.keys():
            checked.append(_consistency(item, keys))
    except NoteError as error:
        return [_failed("answer", error)]
    return checked


def _consistency(item: dict[str, Any], keys: Keys) -> Checked:
    try:
        notes = [read_note(_note_in(item[name])) for name in ("earlier", "later")]
        facts = [_checkpoint(note, keys) for note in notes]
        earlier, later = map(read_checkpoint, notes)
        hashes = _hashes(item["proof"])
    except NoteError as error:
        return _failed("consistency", error)
    holds = earlier.origin == later.origin and is_consistent(
        earlier.tree_size, later.tree_size, hashes, earlier.root, later.root
    )
    told: dict[str, Any] = {"earlier": facts[0], "later": facts[1]}
    if not holds:
        return _failed("consistency", "the later tree does not begin with the earlier one", **told)
    return _held("consistency", told)


def _note_in(checkpoint: Any) -> str:
    if not isinstance(checkpoint, dict) or not isinstance(checkpoint.get("note"), str):
        message = "a checkpoint is given with its note"
        raise NoteError(message)
    return str(checkpoint["note"])


def _hashes(proof: Any) -> list[bytes]:
    if not isinstance(proof, list) or not all(isinstance(one, str) for one in proof):
        message = "a proof of consistency is a list of hashes"
        raise NoteError(message)
    return list(map(hash_from, proof))


def _text(value: bytes) -> str:
    return base64.b64encode(value).decode()
