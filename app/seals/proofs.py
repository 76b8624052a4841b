"""What others are given to check: checkpoints with all their signatures, proofs, and receipts."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple
from uuid import UUID

from app import ledger
from app.kernel.errors import Fault, InvalidRequest, NotFound, Refused
from app.kernel.heads import CITY
from app.kernel.merkle import consistency_parts, hash_of, inclusion_parts, is_included, spans_of
from app.kernel.notes import (
    SIGNATURES_MAX,
    NoteError,
    cosigned_time,
    read_key,
    read_note,
    read_signature,
    signed_by,
)
from app.kernel.receipts import receipt_for
from app.seals import store
from app.seals.errors import AlreadyWitnessed, InvalidSignature, NotYetSealed, UnknownWitness
from app.seals.rules import Sealed, proof_text
from app.volunteers.rules import minutes_account, owed_account, points_account, reserved_account

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from app.kernel.database import Session
    from app.kernel.errors import Refusal
    from app.kernel.merkle import Part
    from app.kernel.notes import PublicKey, Signature
    from app.kernel.paging import Paging
    from app.ledger import Leaf


_witnesses_max = SIGNATURES_MAX - 1
_ahead_seconds_max = 60

_accounts = (minutes_account, points_account, reserved_account, owed_account)


class Consistency(NamedTuple):
    """That a later tree begins with an earlier one: both checkpoints, and the hashes that show it."""

    earlier: Sealed
    later: Sealed
    proof: list[bytes]


class Evidence(NamedTuple):
    """What a volunteer holds in hands about a transaction: a receipt, and once it is sealed the proof."""

    transaction_id: int
    posted_at: datetime
    kind: str
    leaf: bytes
    receipt: str
    proof: str | None


class NewSignature(NamedTuple):
    """A witness's signature under a checkpoint, as it was handed in."""

    community: int
    tree_size: int
    signature: str
    received_by: str


async def read_checkpoint(session: Session, community: int, *, size: int | None = None) -> Sealed:
    """Read the last checkpoint of a log, or the one of a size, with who signed it besides. Raises `Refused`."""
    found = await store.latest(session, community, size=size)
    if found is None:
        raise Refused(NotFound(resource="checkpoint"))
    (witnessed,) = await _witnessed(session, community, [found])
    return witnessed


async def list_checkpoints(session: Session, community: int, paging: Paging) -> list[Sealed]:
    """Checkpoints of a log, newest first, each with who signed it besides."""
    return await _witnessed(session, community, await store.page_of_checkpoints(session, community, paging))


async def _witnessed(session: Session, community: int, found: Sequence[Sealed]) -> list[Sealed]:
    lines = await store.signatures(session, community, [one.tree_size for one in found])
    below = {size: "".join(f"{line}\n" for line in of_size) for size, of_size in lines.items()}
    return [one._replace(note=one.note + below.get(one.tree_size, "")) for one in found]


async def prove_transaction(session: Session, community: int, number: int) -> str:
    """Prove that a transaction is in the community's tree, and say what its leaf stands for. Raises `Refused`."""
    bound = await ledger.bound(session, community, [number])
    if number not in bound:
        raise Refused(NotFound(resource="transaction"))
    found = await store.latest(session, community)
    if found is None or found.tree_size < number:
        raise Refused(NotYetSealed(tree_size=found.tree_size if found else 0))
    proofs = await _proofs(session, community, [bound[number]], found)
    return proofs[number]


async def prove_in_city(session: Session, community: int) -> str:
    """Prove that the community's last checkpoint but for this minute's is in the city's log. Raises `Refused`.

    `session` sees both communities. What the leaf stands for is the checkpoint's text.
    """
    of_city = await store.latest(session, CITY)
    leaf = await store.city_leaf_below(session, community, of_city.tree_size) if of_city else None
    if of_city is None or leaf is None:
        raise Refused(NotYetSealed(tree_size=0))
    (checkpoint,) = await _witnessed(session, CITY, [of_city])
    own = await store.latest(session, community, size=leaf.tree_size)
    if own is None:
        raise Refused(NotFound(resource="checkpoint"))
    (hashes,) = await _hashes(session, CITY, [inclusion_parts(leaf.number - 1, of_city.tree_size)])
    return proof_text(leaf.number - 1, hashes, checkpoint.note, extra=read_note(own.note).text.encode())


async def prove_consistency(session: Session, community: int, earlier: int | None, later: int | None) -> Consistency:
    """Prove that the tree of one checkpoint, or the last, begins with that of another, or the first.

    Raises `Refused`.
    """
    if earlier is not None and later is not None and later < earlier:
        raise Refused(InvalidRequest((Fault("/to", "a later tree is not smaller than an earlier one"),)))
    last = await read_checkpoint(session, community, size=later)
    first = await read_checkpoint(session, community, size=earlier or await store.first_size(session, community))
    (proof,) = await _hashes(session, community, [consistency_parts(first.tree_size, last.tree_size)])
    return Consistency(first, last, proof)


async def evidence_of(session: Session, community: int, numbers: Sequence[int], owner: str) -> list[Evidence]:
    """Give receipts and proofs of transactions to whom the accounts below `owner` belong.

    What a leaf stands for is shown where no other volunteer's account is in it.
    """
    bound = await ledger.bound(session, community, numbers)
    _demand_as_posted(bound, await ledger.stored_leaves(session, community, numbers))
    found = await store.latest(session, community)
    sealed = [bound[number] for number in numbers if found and number <= found.tree_size]
    proofs = await _proofs(session, community, sealed, found, owner=owner) if found else {}
    evidence = []
    for number in numbers:
        leaf = ledger.hash_of(bound[number])
        receipt = receipt_for(session.signer, community, [(number, leaf)])
        evidence.append(
            Evidence(number, bound[number].posted_at, bound[number].kind, leaf, receipt, proofs.get(number))
        )
    return evidence


def _demand_as_posted(bound: Mapping[int, Leaf], stored: Mapping[int, bytes]) -> None:
    """Raise `InconsistentError` for a transaction that is not what it was posted as: nobody gets a receipt for that."""
    for number, leaf in bound.items():
        if stored.get(number, ledger.hash_of(leaf)) != ledger.hash_of(leaf):
            message = f"transaction {number} of community {leaf.community} is not what was posted"
            raise ledger.InconsistentError(message)


async def list_evidence(session: Session, community: int, paging: Paging) -> list[Evidence]:
    """Receipts and proofs of what moved on a volunteer's accounts, newest first; filter: `volunteer_id`."""
    volunteer_id = UUID(paging.filters["volunteer_id"])
    accounts = [account(volunteer_id) for account in _accounts]
    numbers = await ledger.touching(session, community, accounts, paging)
    return await evidence_of(session, community, numbers, f"volunteer/{volunteer_id}")


async def _proofs(
    session: Session, community: int, leaves: Sequence[Leaf], under: Sealed, *, owner: str | None = None
) -> dict[int, str]:
    (checkpoint,) = await _witnessed(session, community, [under])
    parts = [inclusion_parts(leaf.number - 1, checkpoint.tree_size) for leaf in leaves]
    proofs = {}
    for leaf, hashes in zip(leaves, await _hashes(session, community, parts), strict=True):
        root = checkpoint.checkpoint.root
        if not is_included(ledger.hash_of(leaf), leaf.number - 1, checkpoint.tree_size, hashes, root):
            message = f"transaction {leaf.number} of community {community} is not what was sealed"
            raise ledger.InconsistentError(message)
        extra = ledger.encoded(leaf) if owner is None or _is_own(leaf, owner) else None
        proofs[leaf.number] = proof_text(leaf.number - 1, hashes, checkpoint.note, extra=extra)
    return proofs


def _is_own(leaf: Leaf, owner: str) -> bool:
    addresses = [address for address, *_ in leaf.postings]
    return all(address.startswith(f"{owner}/") for address in addresses if address.startswith("volunteer/"))


async def _hashes(session: Session, community: int, proofs: Sequence[list[Part]]) -> list[list[bytes]]:
    """Work out the hashes of proofs of a log, reading what they share once."""
    nodes = await store.load_nodes(session, community, spans_of([part for parts in proofs for part in parts]))
    return [[hash_of(part, nodes) for part in parts] for parts in proofs]


async def add_signatures(session: Session, new: Sequence[NewSignature]) -> list[Sealed | Refusal]:
    """Take witnesses' signatures under checkpoints; give these with all their signatures."""
    return [await _add_signature(session, item) for item in new]


async def _add_signature(session: Session, item: NewSignature) -> Sealed | Refusal:
    found = await store.latest(session, item.community, size=item.tree_size)
    if found is None:
        return NotFound(resource="checkpoint")
    lines = await store.signatures(session, item.community, [item.tree_size])
    if len(lines.get(item.tree_size, ())) >= _witnesses_max:
        return InvalidSignature(reason=f"{_witnesses_max} witnesses have signed this checkpoint, and no more may")
    try:
        signature = read_signature(item.signature)
        witness = await store.find_witness(session, item.community, signature.name)
        if witness is None:
            return UnknownWitness(witness=signature.name)
        _demand_right(session, item, found, read_key(witness.public_key), signature)
    except NoteError as error:
        return InvalidSignature(reason=str(error))
    if await store.has_signed(session, item.community, item.tree_size, witness.name):
        return AlreadyWitnessed(witness=witness.name, tree_size=item.tree_size)
    await store.insert_signature(
        session,
        {
            "community_id": item.community,
            "tree_size": item.tree_size,
            "witness": witness.name,
            "public_key": witness.public_key,
            "signature": str(signature),
            "received_by": item.received_by,
            "received_at": session.now(item.community),
        },
    )
    (witnessed,) = await _witnessed(session, item.community, [found])
    return witnessed


def _demand_right(session: Session, item: NewSignature, found: Sealed, key: PublicKey, signature: Signature) -> None:
    if not signed_by(read_note(found.note)._replace(signatures=(signature,)), [key]):
        message = "it is of another key than the witness's"
        raise NoteError(message)
    if cosigned_time(signature) > session.now(item.community).timestamp() + _ahead_seconds_max:
        message = "its time is to come"
        raise NoteError(message)
