"""Checks receipts, proofs and checkpoints with nothing but a public key: no database, no network.

`verify.html` does the same in a browser; a test holds the two against each other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import orjson

from app.kernel.keys import SigningKeyError, public_keys
from app.kernel.merkle import is_consistent, leaf_hash
from app.kernel.notes import Note, NoteError, PublicKey, base64_of, bytes_of, hash_from, read_key, read_note, signed_by
from app.kernel.receipts import HEADER, read_receipt
from app.seals.rules import PROOF_HEADER, Proof, read_checkpoint, read_proof

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from app.seals.rules import Checkpoint

_key_bytes = 32
_whole_max = 2**53 - 1
_order_mark = "\ufeff"
_said_beside = ("origin", "tree_size", "root_hash")


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


class _Beside(NamedTuple):
    """What an item says besides of the transaction that its receipt and its proof are about."""

    number: int | None = None
    leaf: bytes | None = None


_nothing = _Beside()


def _failed(kind: str, fault: object, **facts: Any) -> Checked:
    return Checked(kind, holds=False, facts={"fault": str(fault), **facts})


def read_keys(texts: Iterable[str]) -> Keys:
    """Read public keys: each PEM, base64 of the 32 bytes, or name, id and base64 joined by plus signs.

    Raises `NoteError`.
    """
    return Keys(tuple(key for text in texts for key in _keys(text.removeprefix(_order_mark).strip())))


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
    text = text.removeprefix(_order_mark)
    if text.lstrip().startswith("{"):
        return _answer(text, keys)
    text = text.replace("\r\n", "\n")
    if text.startswith(HEADER):
        return [_guarded("receipt", lambda: _receipt(text, keys, _nothing))]
    if text.startswith(PROOF_HEADER):
        return [_guarded("proof", lambda: _proof(text, keys, _nothing))]
    return [_guarded("checkpoint", lambda: _checkpoint(read_note(text), keys))]


def hold_against(checked: Sequence[Checked], kept: Sequence[Checked]) -> list[Checked]:
    """Hold what was checked against checkpoints that somebody kept: whether it is of the log that they were of.

    What contradicts a kept one shows that the log was rewritten; what nothing ties to it does not hold either.
    """
    found = [_failed("kept", f"what was kept does not hold: {one.facts['fault']}") for one in kept if not one.holds]
    known, states = states_of(kept), states_of(checked)
    if not known and not found:
        found.append(_failed("kept", "what was kept holds no checkpoint"))
    found += [_held_to(one, states, checked) for one in known]
    logs = {one["origin"] for one in known}
    strange = dict.fromkeys(one["origin"] for one in states if one["origin"] not in logs) if known else {}
    return found + [_failed("kept", f"no checkpoint of the log {origin} was kept") for origin in strange]


def states_of(checked: Sequence[Checked]) -> list[dict[str, Any]]:
    """The states of logs that hold: of checkpoints, of those that proofs lead to, and of both that are consistent."""
    states: list[dict[str, Any]] = []
    for one in checked:
        if one.holds and one.kind != "receipt":
            states += (one.facts["earlier"], one.facts["later"]) if one.kind == "consistency" else (one.facts,)
    whole = [{name: state[name] for name in _said_beside} for state in states]
    return [state for place, state in enumerate(whole) if state not in whole[:place]]


def _held_to(kept: dict[str, Any], states: Sequence[dict[str, Any]], checked: Sequence[Checked]) -> Checked:
    of_log = [one for one in states if one["origin"] == kept["origin"]]
    if not of_log:
        return _failed("kept", f"nothing in it says which state the log {kept['origin']} was in; a proof does", **kept)
    for one in of_log:
        if one["tree_size"] == kept["tree_size"] and one["root_hash"] != kept["root_hash"]:
            return _failed("kept", f"at size {kept['tree_size']} it is another log than the one that was kept", **kept)
    for one in of_log:
        if one != kept and not any(_tie(each, kept, one) for each in checked):
            sizes = sorted((kept["tree_size"], one["tree_size"]))
            message = f"it takes the proof of consistency from {sizes[0]} to {sizes[1]} to tell whether one continues"
            return _failed("kept", f"{message} the other", **kept)
    return Checked("kept", holds=True, facts=kept)


def _tie(checked: Checked, *states: dict[str, Any]) -> bool:
    """Whether this is a proof of consistency that holds between these two states."""
    if checked.kind != "consistency" or not checked.holds:
        return False
    ends = [{name: checked.facts[end][name] for name in _said_beside} for end in ("earlier", "later")]
    return all(state in ends for state in states)


def _guarded(kind: str, work: Callable[[], dict[str, Any]]) -> Checked:
    try:
        return Checked(kind, holds=True, facts=work())
    except NoteError as error:
        return _failed(kind, error)


def _receipt(text: str, keys: Keys, beside: _Beside) -> dict[str, Any]:
    receipt = read_receipt(text)
    _demand_signed(receipt.note, keys, receipt.origin)
    if beside.number is not None and beside.number not in [number for number, _ in receipt.leaves]:
        message = "the receipt is for another transaction"
        raise NoteError(message)
    if beside.leaf is not None and not any(
        leaf == beside.leaf and beside.number in (None, number) for number, leaf in receipt.leaves
    ):
        message = "the receipt is for another leaf"
        raise NoteError(message)
    return {
        "origin": receipt.origin,
        "transactions": [{"number": number, "leaf": base64_of(one)} for number, one in receipt.leaves],
    }


def _proof(text: str, keys: Keys, beside: _Beside) -> dict[str, Any]:
    proof = read_proof(text)
    facts = _checkpoint(proof.note, keys)
    if beside.number is not None and beside.number != proof.place + 1:
        message = "the proof is for another transaction"
        raise NoteError(message)
    stands_for = None if proof.extra is None else leaf_hash(proof.extra)
    if beside.leaf is not None and stands_for is not None and beside.leaf != stands_for:
        message = "what the leaf is said to stand for is not what it stands for"
        raise NoteError(message)
    proved = beside.leaf or stands_for
    if proved is None:
        message = "the proof does not say what it proves; give the leaf"
        raise NoteError(message)
    if not proof.holds_for(proved):
        message = "the hashes do not lead from the leaf to the root"
        raise NoteError(message)
    facts |= {"number": proof.place + 1, "leaf": base64_of(proved)}
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
        "root_hash": base64_of(checkpoint.root),
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
        checked.append(_guarded("receipt", lambda: _receipt(answer["receipt"], keys, _nothing)))
    if not checked:
        checked.append(_failed("answer", "there is neither a receipt nor a proof nor a checkpoint in it"))
    return checked


def _item(item: dict[str, Any], keys: Keys) -> list[Checked]:
    checked = []
    # What people write is a `note` too: a transfer's, a stock movement's.
    if item.keys() >= {"note", *_said_beside}:
        checked.append(_guarded("checkpoint", lambda: _noted(item, keys)[1]))
    receipt, proof = (item[name] if isinstance(item.get(name), str) else None for name in ("receipt", "proof"))
    if receipt is not None or proof is not None:
        checked += _evidence(item, receipt, proof, keys)
    if {"earlier", "later", "proof"} <= item.keys():
        checked.append(_consistency(item, keys))
    return checked


def _evidence(item: dict[str, Any], receipt: str | None, proof: str | None, keys: Keys) -> list[Checked]:
    """Check a receipt and a proof that stand side by side, with what the item says of their transaction."""
    try:
        beside = _beside(item)
    except NoteError as error:
        return [_failed("answer", error)]
    checked = []
    if receipt is not None:
        checked.append(_guarded("receipt", lambda: _receipt(receipt, keys, beside)))
    if proof is not None:
        checked.append(_guarded("proof", lambda: _proof(proof, keys, beside)))
    if len(checked) == 2 and all(one.holds for one in checked):
        acknowledged, proved = (one.facts for one in checked)
        transaction = {"number": proved["number"], "leaf": proved["leaf"]}
        if acknowledged["origin"] != proved["origin"] or transaction not in acknowledged["transactions"]:
            checked.append(_failed("answer", "the receipt and the proof are not of the same transaction"))
    return checked


def _beside(item: dict[str, Any]) -> _Beside:
    """Read which transaction an item is about; the answer to a correction is about what the correction posted."""
    correction = item.get("correction")
    number = (correction if isinstance(correction, dict) else item).get("transaction_id")
    whole = None if number is None else _whole(number)
    if whole is None and number is not None:
        message = "a transaction's number is a whole number"
        raise NoteError(message)
    return _Beside(whole, hash_from(item["leaf"]) if isinstance(item.get("leaf"), str) else None)


def _noted(item: Any, keys: Keys) -> tuple[Checkpoint, dict[str, Any]]:
    """Check a checkpoint of an answer: its note, and that what stands beside the note says the same."""
    if not isinstance(item, dict) or not isinstance(item.get("note"), str):
        message = "a checkpoint is given with its note"
        raise NoteError(message)
    note = read_note(item["note"])
    facts = _checkpoint(note, keys)
    said = {name: item[name] for name in _said_beside if name in item}
    if "tree_size" in said:
        said["tree_size"] = _whole(said["tree_size"])
    if any(facts[name] != value for name, value in said.items()):
        message = "what stands beside the note is not what the note says"
        raise NoteError(message)
    return read_checkpoint(note), facts


def _consistency(item: dict[str, Any], keys: Keys) -> Checked:
    try:
        (earlier, of_earlier), (later, of_later) = (_noted(item[name], keys) for name in ("earlier", "later"))
        hashes = _hashes(item["proof"])
    except NoteError as error:
        return _failed("consistency", error)
    holds = earlier.origin == later.origin and is_consistent(
        earlier.tree_size, later.tree_size, hashes, earlier.root, later.root
    )
    told: dict[str, Any] = {"earlier": of_earlier, "later": of_later}
    if not holds:
        return _failed("consistency", "the later tree does not begin with the earlier one", **told)
    return Checked("consistency", holds=True, facts=told)


def _hashes(proof: Any) -> list[bytes]:
    if not isinstance(proof, list) or not all(isinstance(one, str) for one in proof):
        message = "a proof of consistency is a list of hashes"
        raise NoteError(message)
    return list(map(hash_from, proof))
