"""Why the ledger does not post an entry."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from app.kernel.errors import Refusal


@dataclass(frozen=True, slots=True)
class UnknownAccount(Refusal):
    """An entry moves units of an account that was never opened."""

    code: ClassVar[str] = "unknown-account"
    account: str

    @property
    def detail(self) -> str:
        """Name the account."""
        return f"The account {self.account} has not been opened."


@dataclass(frozen=True, slots=True)
class UnbalancedEntry(Refusal):
    """An entry is no movement: a unit does not sum to zero, an account stands twice, or an amount is zero."""

    code: ClassVar[str] = "unbalanced-entry"
    reason: str

    @property
    def detail(self) -> str:
        """Say what is wrong with the movements."""
        return f"The entry is not balanced: {self.reason}."


@dataclass(frozen=True, slots=True)
class BalanceOutOfBounds(Refusal):
    """An account would go below its floor or above its ceiling."""

    code: ClassVar[str] = "balance-out-of-bounds"
    account: str
    balance: int
    amount: int

    @property
    def detail(self) -> str:
        """Name the account, what it holds and what was to be moved."""
        return f"{self.account} holds {self.balance}, which a movement of {self.amount} would take out of its bounds."


@dataclass(frozen=True, slots=True)
class LinkedEntryRefused(Refusal):
    """The entry would hold, but one it is linked with does not."""

    code: ClassVar[str] = "linked-entry-refused"

    @property
    def detail(self) -> str:
        """Say that linked entries stand or fall together."""
        return "An entry that this one is linked with was refused; linked entries are posted together or not at all."


@dataclass(frozen=True, slots=True)
class UnknownTransaction(Refusal):
    """A reversal names a transaction that is not there."""

    code: ClassVar[str] = "unknown-transaction"
    transaction_id: int

    @property
    def detail(self) -> str:
        """Name the transaction."""
        return f"There is no transaction {self.transaction_id} in this community."


@dataclass(frozen=True, slots=True)
class AlreadyReversed(Refusal):
    """A transaction is reversed once at most."""

    code: ClassVar[str] = "already-reversed"
    transaction_id: int

    @property
    def detail(self) -> str:
        """Name the transaction."""
        return f"Transaction {self.transaction_id} has been reversed already."


class InconsistentError(Exception):
    """A feature decided that entries hold and the ledger refused one: a bug, so nothing is committed."""
