"""Receipts, proofs and checkpoints of a small log, as the service writes them and spoilt in many ways."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from app.kernel.keys import pem_of
from app.kernel.merkle import Frontier, Node, consistency_parts, hash_of, inclusion_parts, leaf_hash
from app.kernel.notes import PublicKey, Signer, cosign, read_note
from app.kernel.receipts import receipt_for
from app.ledger import Leaf, encoded
from app.seals.rules import Checkpoint, proof_text, read_checkpoint

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

COMMUNITY = 7
SIZE = 7
KEY = Ed25519PrivateKey.from_private_bytes(b"\x01" * 32)
SIGNER = Signer(KEY, "points.example")
STRANGER = Signer(Ed25519PrivateKey.from_private_bytes(b"\x02" * 32), "points.example")
ORIGIN = SIGNER.origin_of(COMMUNITY)
BARE = base64.b64encode(SIGNER.public).decode()
WITNESS_KEY = Ed25519PrivateKey.from_private_bytes(b"\x03" * 32)
WITNESS = str(PublicKey("witness.example", WITNESS_KEY.public_key().public_bytes_raw(), is_witness=True))
_moment = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)
_volunteer = "volunteer/019a0000-0000-7000-8000-000000000001"


class Case(NamedTuple):
    """A text and the public keys to check it with, and perhaps what somebody kept, to hold it against."""

    text: str
    keys: tuple[str, ...] = (BARE,)
    kept: str | None = None


def transaction(number: int, community: int = COMMUNITY) -> bytes:
    """The encoding of a transaction: fifteen points for a volunteer."""
    postings = [
        ("community/points_issued", "POINT", -15, number, -15 * number),
        (f"{_volunteer}/points", "POINT", 15, number, 15 * number),
    ]
    reference = f"service-records/{number}"
    return encoded(
        Leaf(community, number, "deposit", _moment, "client-1", reference, None, None, b"\x05" * 32, postings)
    )


class Log:
    """A community's log with these entries, of which it signs what it is asked for."""

    def __init__(self, entries: Sequence[bytes], community: int = COMMUNITY) -> None:
        self.entries, self.community = entries, community
        self.leaves = [leaf_hash(entry) for entry in entries]
        self._nodes = {Node(0, index): leaf for index, leaf in enumerate(self.leaves)}

    def checkpoint(self, size: int = SIZE, *, signer: Signer = SIGNER) -> str:
        """The note of the checkpoint of a size."""
        tree = Frontier()
        for leaf in self.leaves[:size]:
            tree.append(leaf)
        text = Checkpoint(signer.origin_of(self.community), size, tree.root()).text
        return signer.sign(self.community, text)

    def shown(self, size: int = SIZE, changed: Mapping[str, Any] = MappingProxyType({})) -> dict[str, Any]:
        """The API's answer with the checkpoint of a size."""
        note = self.checkpoint(size)
        checkpoint = read_checkpoint(read_note(note))
        of_tree = {"tree_size": size, "root_hash": text_of(checkpoint.root)}
        return {"origin": checkpoint.origin, **of_tree, "note": note, **changed}

    def proof(self, index: int, *, bare: bool = False, note: str | None = None) -> str:
        """The proof of an entry, without what it stands for if it is to be `bare`."""
        size = len(self.leaves)
        hashes = [self.node(*part) for part in inclusion_parts(index, size)]
        extra = None if bare else self.entries[index]
        return proof_text(index, hashes, note or self.checkpoint(size), extra=extra)

    def node(self, first: int, end: int) -> bytes:
        """The hash of a subtree."""
        return hash_of((first, end), self._nodes)

    def consistency(self, old: int, new: int) -> dict[str, Any]:
        """The API's answer that a later tree begins with an earlier one."""
        return {
            "earlier": {"note": self.checkpoint(old)},
            "later": {"note": self.checkpoint(new)},
            "proof": [text_of(self.node(*part)) for part in consistency_parts(old, new)],
        }


def text_of(value: bytes) -> str:
    return base64.b64encode(value).decode()


LOG = Log([transaction(number) for number in range(1, SIZE + 1)])
RECEIPT = receipt_for(SIGNER, COMMUNITY, [(2, LOG.leaves[1])])
TWO = receipt_for(SIGNER, COMMUNITY, [(2, LOG.leaves[1]), (3, LOG.leaves[2])])
CHECKPOINT = LOG.checkpoint()
WITNESSED = f"{CHECKPOINT}{cosign(WITNESS_KEY, 'witness.example', read_note(CHECKPOINT).text, 1_772_424_000)}\n"
PROOF = LOG.proof(2)
CITY = Log([read_note(CHECKPOINT).text.encode(), b"another\n"], community=0)
ITEM = {"leaf": text_of(LOG.leaves[1]), "receipt": RECEIPT, "proof": LOG.proof(1, bare=True)}
STRANGE_LINES = [f"— stranger{number}.example {text_of(bytes([number]) * 68)}" for number in range(32)]


def with_lines(note: str, *lines: str) -> str:
    """A note with more signatures under it."""
    return note + "".join(f"{line}\n" for line in lines)


def misplaced(entry: Any, community: int = COMMUNITY) -> str:
    """The proof of an entry that stands third in a community's log, whatever it says of itself."""
    written = entry if isinstance(entry, bytes) else json.dumps(entry).encode()
    return Log([transaction(1), transaction(2), written], community).proof(2)


def spoilt_lines(name: str, text: str) -> dict[str, Case]:
    """A text with each of its lines left out, doubled, indented, followed by a space, and with a letter changed."""
    lines = text.split("\n")[:-1]
    spoilt = {}
    for place, line in enumerate(lines):
        middle = len(line) // 2
        changed = line[:middle] + ("A" if line[middle : middle + 1] != "A" else "B") + line[middle + 1 :]
        for how, put in {
            "left out": [],
            "doubled": [line, line],
            "indented": [f" {line}"],
            "followed by a space": [f"{line} "],
            "changed": [changed],
        }.items():
            kept = [*lines[:place], *put, *lines[place + 1 :], ""]
            spoilt[f"{name}, line {place} {how}"] = Case("\n".join(kept))
    # The same signature twice counts once, and the note holds.
    del spoilt[f"{name}, line {len(lines) - 1} doubled"]
    return spoilt


def swapped(text: str, old: str, new: str) -> Case:
    """A text in which something was put in another's place; it has to be there."""
    assert old in text, old
    return Case(text.replace(old, new, 1))


def loose(text: str) -> str:
    """Base64 that other readers take for the same bytes: unused bits of its last letter are set."""
    letters = text.rstrip("=")
    return letters[:-1] + chr(ord(letters[-1]) + 1) + "=" * (len(text) - len(letters))


def flipped(note: str) -> str:
    """A note with one bit of its last signature changed."""
    head, _, value = note[:-1].rpartition(" ")
    signature = bytearray(base64.b64decode(value))
    signature[-40] ^= 1
    return f"{head} {text_of(bytes(signature))}\n"


def consistent(**changed: Any) -> Case:
    return Case(json.dumps({**LOG.consistency(3, 7), **changed}))


_OWN_LINE = CHECKPOINT[:-1].rpartition("\n")[2]
_FLIPPED_LINE = flipped(CHECKPOINT)[:-1].rpartition("\n")[2]

GOOD: dict[str, Case] = {
    "a receipt": Case(RECEIPT),
    "a receipt for two": Case(TWO),
    "a receipt with the line ends of Windows": Case(RECEIPT.replace("\n", "\r\n")),
    "a checkpoint": Case(CHECKPOINT),
    "a checkpoint with an order mark before it": Case("\ufeff" + CHECKPOINT),
    "an answer with an order mark before it": Case("\ufeff" + json.dumps({"receipt": RECEIPT})),
    "a key with an order mark before it": Case(RECEIPT, ("\ufeff" + BARE,)),
    "a checkpoint with a witness": Case(WITNESSED, (BARE, WITNESS)),
    "a checkpoint with a witness whose key was not given": Case(WITNESSED),
    "a checkpoint with unknown signatures": Case(with_lines(CHECKPOINT, *STRANGE_LINES[:31])),
    "a checkpoint signed twice": Case(with_lines(CHECKPOINT, CHECKPOINT[:-1].rpartition("\n")[2])),
    "a checkpoint signed rightly, then wrongly by the same, which nobody reads": Case(
        with_lines(CHECKPOINT, _FLIPPED_LINE)
    ),
    "a checkpoint of nothing": Case(LOG.checkpoint(0)),
    "the city's checkpoint": Case(CITY.checkpoint(2)),
    "a key in PEM": Case(RECEIPT, (pem_of(KEY.public_key()),)),
    "two keys in PEM": Case(RECEIPT, (pem_of(STRANGER._key.public_key()) + pem_of(KEY.public_key()),)),  # noqa: SLF001
    "a key with its log's name": Case(RECEIPT, (str(SIGNER.key_of(COMMUNITY)),)),
    "a key among white space": Case(RECEIPT, (f"\n \u3000{BARE}\u2028",)),
    "another's key beside it": Case(RECEIPT, (text_of(STRANGER.public), BARE)),
    **{f"the proof of number {index + 1}": Case(LOG.proof(index)) for index in range(SIZE)},
    "a proof under a witness": Case(LOG.proof(2, note=WITNESSED), (WITNESS, BARE)),
    "a proof in a log of one": Case(Log([transaction(1)]).proof(0)),
    "a proof in the city's log": Case(CITY.proof(0)),
    "a proof of what is no text": Case(misplaced(b"\xff\xfe{")),
    "a proof of JSON that is no transaction": Case(misplaced({"number": 9})),
    "a proof of a number like 3.0": Case(misplaced(b'{"number":3.0,"community":7.0}')),
    "one's own receipts": Case(json.dumps({"items": [ITEM, {**ITEM, "proof": LOG.proof(1)}], "next_cursor": None})),
    "a receipt not sealed yet": Case(json.dumps({"items": [{**ITEM, "proof": None}]})),
    "the answer to a posting": Case(json.dumps({"id": "x", "award": {"points": 15}, "receipt": RECEIPT})),
    "the answer to a batch": Case(json.dumps({"items": [{"status": 201}, 5, None], "receipt": TWO})),
    "an answer in Chinese": Case(' \n{"name": "李佳儒𠮷", ' + json.dumps(LOG.shown())[1:]),
    "a page of checkpoints": Case(json.dumps({"items": [LOG.shown(7), LOG.shown(4)]})),
    "the answer to a gift with words": Case(json.dumps({"transaction_id": 2, "note": "谢谢", "receipt": RECEIPT})),
    "the answer to a correction": Case(
        json.dumps({"transaction_id": 1, "correction": {"transaction_id": 2, "reason": "记错"}, "receipt": TWO})
    ),
    "a receipt for two beside the proof of one": Case(
        json.dumps({"transaction_id": 3.0, "receipt": TWO, "proof": LOG.proof(2)})
    ),
    "a stock count that posted nothing": Case(json.dumps({"transaction_id": None, "receipt": RECEIPT})),
    "consistency of whole checkpoints": consistent(earlier=LOG.shown(3), later=LOG.shown(7)),
    **{
        f"consistency of {old} and {new}": Case(json.dumps(LOG.consistency(old, new)))
        for old, new in ((1, 7), (3, 7), (4, 7), (6, 7), (7, 7), (4, 5))
    },
}

_ROOT = CHECKPOINT.split("\n")[2]
_CONSISTENT = LOG.consistency(3, 7)["proof"]

SPOILT: dict[str, Case] = {
    "nothing": Case(""),
    "any words": Case("love-bank"),
    **spoilt_lines("receipt", RECEIPT),
    **spoilt_lines("checkpoint", CHECKPOINT),
    **spoilt_lines("proof", PROOF),
    "a bit of a receipt's signature": Case(flipped(RECEIPT)),
    "a bit of a checkpoint's signature": Case(flipped(CHECKPOINT)),
    "a bit of a proof's signature": Case(flipped(PROOF)),
    "a bit of a witness's signature": Case(flipped(WITNESSED), (BARE, WITNESS)),
    "another key": Case(RECEIPT, (text_of(STRANGER.public),)),
    "no key": Case(RECEIPT, ()),
    "a witness's key alone": Case(WITNESSED, (WITNESS,)),
    "a stranger's checkpoint": Case(LOG.checkpoint(signer=STRANGER)),
    "the key under another log's name": Case(RECEIPT, (str(SIGNER.key_of(8)),)),
    "a signature in another log's name": Case(SIGNER.sign(8, read_note(CHECKPOINT).text)),
    "a wrong signature before the right one": Case(
        with_lines(CHECKPOINT.replace(_OWN_LINE, _FLIPPED_LINE), _OWN_LINE),
    ),
    "33 signatures": Case(with_lines(CHECKPOINT, *STRANGE_LINES)),
    "no line end": Case(CHECKPOINT[:-1]),
    "one line end too many": Case(CHECKPOINT + "\n"),
    "a carriage return alone": Case(CHECKPOINT.replace("\n", "\r")),
    "a tab": swapped(CHECKPOINT, " ", "\t"),
    "a hyphen for the dash": swapped(CHECKPOINT, "—", "-"),
    "a wide space in a name": Case(with_lines(CHECKPOINT, STRANGE_LINES[0].replace("stranger", "a\u3000b"))),
    "a plus sign in a name": Case(with_lines(CHECKPOINT, STRANGE_LINES[0].replace("stranger", "a+b"))),
    "two order marks before it": Case("\ufeff\ufeff" + CHECKPOINT),
    "loose base64 of a root": swapped(CHECKPOINT, _ROOT, loose(_ROOT)),
    "loose base64 of a leaf": swapped(RECEIPT, text_of(LOG.leaves[1]), loose(text_of(LOG.leaves[1]))),
    "base64 without its end": Case(with_lines(CHECKPOINT, STRANGE_LINES[0].rstrip("="))),
    "base64 for addresses": Case(with_lines(CHECKPOINT, f"— a.example {base64.urlsafe_b64encode(b'?' * 66).decode()}")),
    **{
        f"a size like {size!r}": Case(SIGNER.sign(COMMUNITY, f"{ORIGIN}\n{size}\n{_ROOT}\n"))
        for size in ("07", "+7", "7.0", "\uff17", "-1", "", "1" * 21)
    },
    "a root of 31 bytes": Case(SIGNER.sign(COMMUNITY, f"{ORIGIN}\n7\n{text_of(b'1' * 31)}\n")),
    "an empty receipt": Case(SIGNER.sign(COMMUNITY, f"love-bank receipt v1\n{ORIGIN}\n")),
    "a receipt of version 2": Case(SIGNER.sign(COMMUNITY, f"love-bank receipt v12\n{ORIGIN}\n")),
    "a receipt for number 02": Case(SIGNER.sign(COMMUNITY, f"love-bank receipt v1\n{ORIGIN}\n02 {_ROOT}\n")),
    "a receipt with another line end": Case(
        SIGNER.sign(COMMUNITY, f"love-bank receipt v1\n{ORIGIN}\n2 {_ROOT}\u20283 {_ROOT}\n")
    ),
    **{
        f"an index like {index}": swapped(PROOF, "\nindex 2\n", f"\nindex {index}\n")
        for index in ("1", "3", "6", "7", "02", "\uff19", "18014398509481986", "99999999999999999999", "")
    },
    "a proof with two hashes exchanged": Case(
        "\n".join([*PROOF.split("\n")[:3], PROOF.split("\n")[4], PROOF.split("\n")[3], *PROOF.split("\n")[5:]])
    ),
    "a proof with 65 hashes": swapped(PROOF, "index 2\n", "index 2\n" + f"{_ROOT}\n" * 65),
    "a proof with a hash of 31 bytes": swapped(PROOF, PROOF.split("\n")[3], text_of(b"1" * 31)),
    "a proof without what it proves": Case(LOG.proof(2, bare=True)),
    "a proof of another transaction": swapped(PROOF, text_of(transaction(3)), text_of(transaction(4))),
    "a proof that is cut off": Case(PROOF.partition("\n\n")[0]),
    "a transaction in another's place": Case(misplaced(transaction(4))),
    "a transaction in another community's log": Case(misplaced(transaction(3, community=8))),
    "a community whose number ends alike": Case(misplaced(transaction(3), community=17)),
    "a transaction in the city's log": Case(misplaced(transaction(3), community=0)),
    **{
        f"a transaction with the number {number!r}": Case(misplaced({"number": number, "community": 7}))
        for number in ("3", True, None, 3.5, [3], 2**53 + 3, -3)
    },
    **{
        f"a transaction of the community {community!r}": Case(misplaced({"number": 3, "community": community}))
        for community in ("7", None, True, 7.5)
    },
    "no JSON": Case('{"receipt": '),
    "JSON of another kind": Case("[]"),
    "JSON with not a number": Case('{"x": NaN, ' + json.dumps(LOG.shown())[1:]),
    "JSON with an infinite number": Case('{"x": [1e999], ' + json.dumps(LOG.shown())[1:]),
    "JSON with half a character": Case('{"x": {"\\ud842": 1}, ' + json.dumps(LOG.shown())[1:]),
    "JSON without anything": Case("{}"),
    "a list of nothing": Case('{"items": []}'),
    "a note that is no text": Case('{"note": 5, "receipt": ["x"], "proof": {}}'),
    "an item's note with the line ends of Windows": Case(
        json.dumps(LOG.shown(changed={"note": CHECKPOINT.replace("\n", "\r\n")}))
    ),
    "a checkpoint's note without what stands beside it": Case(json.dumps({"note": CHECKPOINT})),
    "people's words with a size beside them": Case(json.dumps({"note": "谢谢", "tree_size": 7})),
    "people's words for a checkpoint's note": Case(json.dumps(LOG.shown(changed={"note": "谢谢"}))),
    "a receipt for a checkpoint's note": Case(json.dumps(LOG.shown(changed={"note": RECEIPT}))),
    **{
        f"a checkpoint with the {name} {value!r} beside it": Case(json.dumps(LOG.shown(changed={name: value})))
        for name, value in (
            ("origin", SIGNER.origin_of(8)),
            ("origin", None),
            ("tree_size", 6),
            ("tree_size", "7"),
            ("tree_size", True),
            ("tree_size", None),
            ("root_hash", text_of(b"1" * 32)),
            ("root_hash", [_ROOT]),
        )
    },
    **{
        f"a receipt of number {number!r}": Case(json.dumps({"transaction_id": number, "receipt": RECEIPT}))
        for number in (3, 0, "2", True, 2.5, [2], 2**53 + 2)
    },
    **{
        f"a proof of number {number!r}": Case(json.dumps({"transaction_id": number, "proof": PROOF}))
        for number in (2, 4, "3", False)
    },
    "a correction whose receipt is for something else": Case(
        json.dumps({"transaction_id": 2, "correction": {"transaction_id": 1}, "receipt": RECEIPT})
    ),
    "a leaf under another number of the receipt": Case(
        json.dumps({"transaction_id": 2, "leaf": text_of(LOG.leaves[2]), "receipt": TWO})
    ),
    "a receipt and a proof of two transactions": Case(json.dumps({"receipt": RECEIPT, "proof": LOG.proof(2)})),
    "a receipt and a proof of two logs": Case(
        json.dumps({"receipt": receipt_for(SIGNER, 8, [(3, LOG.leaves[2])]), "proof": PROOF})
    ),
    "a receipt and a proof of two leaves": Case(
        json.dumps({"receipt": receipt_for(SIGNER, COMMUNITY, [(3, LOG.leaves[1])]), "proof": PROOF})
    ),
    "a proof where the receipt should be": Case(json.dumps({"receipt": PROOF})),
    "a receipt where the proof should be": Case(json.dumps({"proof": RECEIPT})),
    "consistency with another size beside a note": consistent(earlier=LOG.shown(3, {"tree_size": 4})),
    "a receipt of another leaf": Case(json.dumps({"items": [{**ITEM, "leaf": text_of(LOG.leaves[2])}]})),
    "a proof whose leaf stands for something else": Case(
        json.dumps({"leaf": text_of(LOG.leaves[2]), "proof": LOG.proof(1)})
    ),
    "a leaf of 33 bytes": Case(json.dumps({**ITEM, "leaf": text_of(LOG.leaves[1] + b"1")})),
    "a leaf that is no base64": Case(json.dumps({**ITEM, "leaf": "!"})),
    "one wrong among right ones": Case(json.dumps({"items": [ITEM, {"receipt": flipped(RECEIPT)}]})),
    "a batch with a wrong receipt": Case(json.dumps({"items": [ITEM], "receipt": flipped(TWO)})),
    "consistency with a hash changed": consistent(proof=[_ROOT, *_CONSISTENT[1:]]),
    "consistency with a hash left out": consistent(proof=_CONSISTENT[1:]),
    "consistency with a hash doubled": consistent(proof=[*_CONSISTENT, _CONSISTENT[-1]]),
    "consistency with hashes exchanged": consistent(proof=_CONSISTENT[::-1]),
    "consistency with loose base64": consistent(proof=[loose(_CONSISTENT[0]), *_CONSISTENT[1:]]),
    "consistency with words for a proof": consistent(proof=""),
    "consistency with an object for a proof": Case(json.dumps({**LOG.consistency(7, 7), "proof": {}})),
    "consistency with a number for a hash": consistent(proof=[5]),
    "consistency without a proof": consistent(proof=None),
    "consistency with a fork": consistent(earlier={"note": Log([b"another", *LOG.entries[1:]]).checkpoint(3)}),
    "an inner node for a leaf": Case(
        json.dumps({"leaf": text_of(LOG.node(0, 4)), "proof": proof_text(0, [LOG.node(4, 7)], CHECKPOINT)})
    ),
    "consistency backwards": Case(json.dumps({**LOG.consistency(3, 7), "later": {"note": LOG.checkpoint(2)}})),
    "consistency with nothing earlier": consistent(earlier=None),
    "consistency without a note": consistent(earlier={}),
    "consistency with a wrong note": consistent(later={"note": flipped(CHECKPOINT)}),
    "consistency of two logs": consistent(later={"note": Log(LOG.entries, 8).checkpoint()}),
}

_rest = WITNESS.partition("+")[2]
_other_kind = X25519PrivateKey.generate().public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)

BAD_KEYS: dict[str, str] = {
    "nothing": "",
    "any words": "no key",
    "31 bytes": text_of(b"1" * 31),
    "loose base64": loose(BARE),
    "another name": f"another.example+{_rest}",
    "another id": f"witness.example+00000000+{_rest.partition('+')[2]}",
    "a name with a space": f"witness example+{_rest}",
    "a kind that nobody knows": f"a.example+00000000+{text_of(bytes([9]) * 33)}",
    "a PEM of another kind of key": _other_kind.decode(),
    "half a PEM": pem_of(KEY.public_key())[:60],
    "a PEM with words after it": pem_of(KEY.public_key()) + "and more",
    "a PEM of nothing": "-----BEGIN PUBLIC KEY-----\n-----END PUBLIC KEY-----",
}
