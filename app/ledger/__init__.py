"""The ledger: append-only, double-entry, and this module its only door.

Everything that moves a unit goes through `post` (or `reverse`); nothing else in the app writes these tables.
The session has to hold the heads of the communities it posts in (`database.write(...)` locks them).
"""

from app.ledger.audit import Discrepancy, audit
from app.ledger.errors import (
    AlreadyReversed,
    BalanceOutOfBounds,
    InconsistentError,
    LinkedEntryRefused,
    UnbalancedEntry,
    UnknownAccount,
    UnknownTransaction,
)
from app.ledger.extracts import Extract, ExtractAsked, Held, ask_extracts, ask_held
from app.ledger.leaves import Leaf, encoded, hash_of
from app.ledger.rules import (
    BALANCE_MAX,
    MAY_OVERDRAW,
    NEVER_NEGATIVE,
    NEVER_POSITIVE,
    Account,
    Change,
    Entry,
    NewAccount,
    State,
)
from app.ledger.sealing import UNSEALED_MAX, ask_unsealed, bound, leaves, touching, whole_leaves
from app.ledger.service import (
    Posted,
    balances,
    open_accounts,
    post,
    post_decided,
    reverse,
    states,
)
from app.ledger.store import (
    Booked,
    Line,
    accounts,
    ask_states,
    booked,
    booked_after,
    count_by_kind,
    lines_of_transactions,
    repeated,
    same,
    transactions,
    trial_balance,
    unclaimed,
)

__all__ = [
    "BALANCE_MAX",
    "MAY_OVERDRAW",
    "NEVER_NEGATIVE",
    "NEVER_POSITIVE",
    "UNSEALED_MAX",
    "Account",
    "AlreadyReversed",
    "BalanceOutOfBounds",
    "Booked",
    "Change",
    "Discrepancy",
    "Entry",
    "Extract",
    "ExtractAsked",
    "Held",
    "InconsistentError",
    "Leaf",
    "Line",
    "LinkedEntryRefused",
    "NewAccount",
    "Posted",
    "State",
    "UnbalancedEntry",
    "UnknownAccount",
    "UnknownTransaction",
    "accounts",
    "ask_extracts",
    "ask_held",
    "ask_states",
    "ask_unsealed",
    "audit",
    "balances",
    "booked",
    "booked_after",
    "bound",
    "count_by_kind",
    "encoded",
    "hash_of",
    "leaves",
    "lines_of_transactions",
    "open_accounts",
    "post",
    "post_decided",
    "repeated",
    "reverse",
    "same",
    "states",
    "touching",
    "transactions",
    "trial_balance",
    "unclaimed",
    "whole_leaves",
]
