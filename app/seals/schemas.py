"""What seals look like on the wire."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from app.http.fields import RequestModel
from app.http.pages import PageModel
from app.kernel.notes import base64_of
from app.seals.proofs import Consistency, Evidence
from app.seals.rules import Sealed

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

    tree_size: int = Field(strict=True, ge=1, le=2**53 - 1, description="which checkpoint")
    public_key: _Line = Field(
        description="the witness's key as name, id and base64, joined by plus signs (type 4)",
        examples=["witness.example+c54c21aa+BAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f"],
    )
    signature: _Line = Field(
        description="the line to stand under the note", examples=["— witness.example xUwhqgAAAABlU/EAAAEC…"]
    )
