"""What seals look like on the wire."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from fastapi import Path, Query
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationInfo, field_validator

from app.http.fields import RequestModel
from app.http.pages import PageModel
from app.kernel.keys import pem_of
from app.kernel.notes import Signer, base64_of, is_weak, read_key
from app.seals.proofs import Consistency, Evidence
from app.seals.rules import Sealed

_NUMBER_MAX = 2**53 - 1
Number = Annotated[int, Path(ge=1, le=_NUMBER_MAX)]
Earlier = Annotated[
    int | None, Query(alias="from", ge=1, le=_NUMBER_MAX, description="size of a checkpoint; else the first")
]
Later = Annotated[int | None, Query(alias="to", ge=1, le=_NUMBER_MAX, description="size of a later one; else the last")]
_Line = Annotated[str, StringConstraints(min_length=1, max_length=1000)]


class CheckpointModel(BaseModel):
    """A signed state of a log (封账凭证): everything up to a transaction, in one hash."""

    model_config = ConfigDict(title="Checkpoint")

    origin: str = Field(description="name of the log", examples=["points.example/communities/7"])
    tree_size: int = Field(description="how many transactions the tree has: all up to this number")
    root_hash: str = Field(description="root of the tree (RFC 6962), in base64")
    sealed_at: datetime
    note: str = Field(description="the signed note (c2sp.org/tlog-checkpoint), with what witnesses signed under it")

    @classmethod
    def of(cls, sealed: Sealed) -> CheckpointModel:
        """Show a checkpoint."""
        checkpoint = sealed.checkpoint
        return cls(
            origin=checkpoint.origin,
            tree_size=checkpoint.tree_size,
            root_hash=base64_of(checkpoint.root),
            sealed_at=sealed.sealed_at,
            note=sealed.note,
        )


class CheckpointPage(PageModel[CheckpointModel]):
    """A page of checkpoints."""


class ConsistencyModel(BaseModel):
    """That a later tree begins with an earlier one: nothing in it was changed or left out since."""

    model_config = ConfigDict(title="Consistency")

    earlier: CheckpointModel
    later: CheckpointModel
    proof: list[str] = Field(description="hashes of RFC 6962, section 2.1.2, in base64; none between equal trees")

    @classmethod
    def of(cls, found: Consistency) -> ConsistencyModel:
        """Show a proof of consistency."""
        return cls(
            earlier=CheckpointModel.of(found.earlier),
            later=CheckpointModel.of(found.later),
            proof=[base64_of(one) for one in found.proof],
        )


class ReceiptModel(BaseModel):
    """What a volunteer has in hands about a transaction, to be checked without the service."""

    model_config = ConfigDict(title="Receipt")

    transaction_id: int
    posted_at: datetime
    kind: str
    leaf: str = Field(description="hash that the transaction is bound to, in base64")
    receipt: str = Field(description="signed note that names the transaction and its leaf")
    proof: str | None = Field(
        description="proof that the leaf is in the sealed tree (c2sp.org/tlog-proof); null until it is, within a second"
    )

    @classmethod
    def of(cls, evidence: Evidence) -> ReceiptModel:
        """Show a receipt."""
        return cls(
            transaction_id=evidence.transaction_id,
            posted_at=evidence.posted_at,
            kind=evidence.kind,
            leaf=base64_of(evidence.leaf),
            receipt=evidence.receipt,
            proof=evidence.proof,
        )


class ReceiptPage(PageModel[ReceiptModel]):
    """A page of receipts."""


class WitnessSignatureNew(RequestModel):
    """A witness's signature under a checkpoint (c2sp.org/tlog-cosignature, version 1)."""

    tree_size: int = Field(strict=True, ge=1, le=_NUMBER_MAX, description="which checkpoint")
    signature: _Line = Field(
        description="the line to stand under the note", examples=["— witness.example xUwhqgAAAABlU/EAAAEC…"]
    )


class WitnessNew(RequestModel):
    """A witness to name: who may countersign checkpoints from now on, with which key."""

    name: _Line = Field(description="what it signs as; stands for this key for good", examples=["witness.example"])
    public_key: _Line = Field(
        description="its key as name, id and base64, joined by plus signs (type 4)",
        examples=["witness.example+c54c21aa+BAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f"],
    )

    @field_validator("public_key")
    @classmethod
    def _is_of_witness(cls, text: str, given: ValidationInfo) -> str:
        key = read_key(text)
        if not key.is_witness:
            message = "the key is not one of a witness (type 4)"
            raise ValueError(message)
        if is_weak(key.key):
            message = "under this key anybody could sign"
            raise ValueError(message)
        if key.name != given.data.get("name", key.name):
            message = "the key is of another name"
            raise ValueError(message)
        return text


class WitnessModel(BaseModel):
    """Who may countersign checkpoints of a log (见证人)."""

    model_config = ConfigDict(title="Witness", from_attributes=True)

    id: UUID
    name: str
    public_key: str = Field(description="name, id and base64, joined by plus signs, as verifiers take it")
    named_by: str
    named_at: datetime


class WitnessPage(PageModel[WitnessModel]):
    """A page of witnesses."""


class LedgerKeyModel(BaseModel):
    """The key that signs receipts and checkpoints, of every log of the service, each under the log's name."""

    model_config = ConfigDict(title="LedgerKey")

    origin_prefix: str = Field(
        description="logs are `{origin_prefix}/communities/{number}` and `{origin_prefix}/city`",
        examples=["points.example"],
    )
    public_key: str = Field(description="the Ed25519 public key, in base64")
    pem: str = Field(description="the same key, as PEM")

    @classmethod
    def of(cls, signer: Signer) -> LedgerKeyModel:
        """Show the key of a service."""
        pem = pem_of(Ed25519PublicKey.from_public_bytes(signer.public))
        return cls(origin_prefix=signer.origin, public_key=base64_of(signer.public), pem=pem)
