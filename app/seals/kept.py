"""Checkpoints that somebody kept, held against the trees that the leaves make today."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app import ledger
from app.kernel.heads import CITY
from app.kernel.merkle import Frontier
from app.kernel.notes import NoteError, base64_of
from app.ledger import Discrepancy
from app.seals import store
from app.seals.offline import Keys, check, states_of

if TYPE_CHECKING:
    from collections.abc import Collection

    from app.kernel.database import Session
    from app.kernel.notes import Signer

_step = 1000

Kept = dict[int, set[tuple[int, str]]]
"""Kept checkpoints by community (0: the city): the size of each, and its root in base64."""


def read_kept(text: str, signer: Signer, communities: Collection[int]) -> Kept:
    """Read the checkpoints of a file, which the service has to have signed for the logs of these communities.

    Raises `NoteError`.
    """
    checked = check(text, Keys(tuple(key.key for key in signer.keys_of(CITY))))
    for one in checked:
        if not one.holds:
            raise NoteError(one.facts["fault"])
    numbers = {signer.origin_of(number): number for number in communities}
    kept: Kept = {}
    for state in states_of(checked):
        if state["origin"] not in numbers:
            message = f"{state['origin']} is no log that is audited here"
            raise NoteError(message)
        kept.setdefault(numbers[state["origin"]], set()).add((state["tree_size"], state["root_hash"]))
    if not kept:
        message = "there is no checkpoint in it"
        raise NoteError(message)
    return kept


async def contradictions(session: Session, community: int, kept: Collection[tuple[int, str]]) -> list[Discrepancy]:
    """Say which kept checkpoints of a log are not of the tree that its leaves make."""
    tree, found = Frontier(), []
    for size, root in sorted(kept):
        await _grow(session, community, tree, size)
        if tree.size < size:
            found.append(_contradicts(size, "the log has not all the leaves that it had"))
        elif base64_of(tree.root()) != root:
            found.append(_contradicts(size, "somebody kept another root than the leaves make"))
    return found


async def _grow(session: Session, community: int, tree: Frontier, size: int) -> None:
    """Let a tree grow to a size, unless leaves are missing before it."""
    while tree.size < size:
        last = min(tree.size + _step, size)
        try:
            leaves = await store.load_leaves(session, community, tree.size + 1, last)
        except ledger.InconsistentError:
            return
        for leaf in leaves:
            tree.append(leaf)
        if tree.size < last:
            return


def _contradicts(size: int, detail: str) -> Discrepancy:
    return Discrepancy("checkpoint-contradicts", f"checkpoint/{size}", detail)
