"""Why there is no seal, or no signature under one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from app.kernel.errors import Refusal


@dataclass(frozen=True, slots=True)
class NotYetSealed(Refusal):
    """The tree does not reach so far yet: a moment's matter."""

    code: ClassVar[str] = "not-yet-sealed"
    kept: ClassVar[bool] = False
    tree_size: int

    @property
    def detail(self) -> str:
        """Say how far the tree reaches."""
        return f"The ledger is sealed up to transaction {self.tree_size}. What comes after follows within a second."


@dataclass(frozen=True, slots=True)
class InvalidSignature(Refusal):
    """A signature that is not one of the witness under this checkpoint."""

    code: ClassVar[str] = "invalid-signature"
    kept: ClassVar[bool] = False
    reason: str

    @property
    def detail(self) -> str:
        """Say what is wrong with it."""
        return f"The signature was not taken: {self.reason}."


@dataclass(frozen=True, slots=True)
class AlreadyWitnessed(Refusal):
    """A witness signs a checkpoint once."""

    code: ClassVar[str] = "already-witnessed"
    witness: str
    tree_size: int

    @property
    def detail(self) -> str:
        """Name the witness and the checkpoint."""
        return f"{self.witness} has signed the checkpoint of size {self.tree_size} already."


@dataclass(frozen=True, slots=True)
class UnknownWitness(Refusal):
    """A signature by whom nobody named as a witness of this log."""

    code: ClassVar[str] = "unknown-witness"
    kept: ClassVar[bool] = False
    witness: str

    @property
    def detail(self) -> str:
        """Name who signed."""
        return f"{self.witness} is no witness of this log."


@dataclass(frozen=True, slots=True)
class WitnessExists(Refusal):
    """A name is a witness's once, so that nobody else's key ever stands for it; a log is no witness of itself."""

    code: ClassVar[str] = "already-exists"
    name: str

    @property
    def detail(self) -> str:
        """Say which name is taken."""
        return f"The name {self.name} stands for another key already."
