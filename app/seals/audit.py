"""Checks leaves against rows, trees against leaves, checkpoints against trees, and signatures against keys."""

from __future__ import annotations

from typing import TYPE_CHECKING

import orjson

from app import ledger
from app.kernel.database import AUDITOR_ROLE
from app.kernel.heads import CITY
from app.kernel.idempotency import receipted_answers
from app.kernel.jobs import sealed_numbers
from app.kernel.merkle import Frontier, leaf_hash
from app.kernel.notes import NoteError, read_key, read_note, signed_by
from app.kernel.receipts import read_receipt
from app.ledger import Discrepancy
from app.seals import store
from app.seals.rules import read_checkpoint

if TYPE_CHECKING:
    from collections.abc import Sequence

    from app.kernel.database import Session
    from app.kernel.idempotency import AnswerKey
    from app.kernel.merkle import Node
    from app.ledger import Books, Leaf, Stretch
    from app.seals.rules import Sealed

_step = 1000
_shown_max = 1000


class Audit:
    """All leaves worked out again, and from them the tree, beside what is stored, sealed, signed and answered."""

    def __init__(self, books: Books) -> None:
        """Begin with no leaf."""
        self._session, self._community = books.session, books.community
        self._tree = _Tree(books.session, books.community)
        self._leaves = _Leaves()

    async def step(self, stretch: Stretch) -> None:
        """Let the tree grow by a stretch's leaves."""
        await self._tree.await_checkpoints(stretch.first, stretch.last)
        for leaf, stored in stretch.leaves:
            worked_out = self._leaves.check(leaf, stored)
            if leaf.number == self._tree.size + 1:
                self._tree.append(worked_out if stored is None else stored)

    async def finish(self) -> list[Discrepancy]:
        """Compare what is stored beyond the tree, or lacks, and give what disagreed."""
        session, community = self._session, self._community
        number, sealed, due = await sealed_numbers(session, community)
        found = self._leaves.found + await self._tree.finish(sealed)
        newest = await store.latest(session, community)
        if sealed != (newest.tree_size if newest else 0):
            detail = f"the head says {sealed}, the last checkpoint {newest.tree_size if newest else None}"
            found.append(Discrepancy("sealed-number-wrong", "community", detail))
        if (number > sealed) != due:
            found.append(Discrepancy("seal-not-due", "community", f"posted {number}, sealed {sealed}, due {due}"))
        # Answers have in them what the desk sees of persons, so auditors' role does not read them.
        if session.role != AUDITOR_ROLE:
            found += await _answers(session, community)
        return found[:_shown_max]


async def audit_city(session: Session) -> list[Discrepancy]:
    """Check the city's log against the communities' checkpoints, all of which the session sees."""
    newest = await store.latest(session, CITY)
    size = newest.tree_size if newest else 0
    tree = _Tree(session, CITY)
    found: list[Discrepancy] = []
    for first in range(1, size + 1, _step):
        last = min(first + _step - 1, size)
        await tree.await_checkpoints(first, last)
        for row in await store.city_leaves_between(session, first, last):
            own = await store.latest(session, row.sealed_community, size=row.tree_size)
            if own is None or _text_hash(own) != row.leaf:
                detail = f"it is not the checkpoint {row.tree_size} of community {row.sealed_community}"
                found.append(Discrepancy("city-leaf-differs", f"city-leaf/{row.number}", detail))
            if row.number == tree.size + 1:
                tree.append(row.leaf)
    return (found + await tree.finish(size))[:_shown_max]


def _text_hash(sealed: Sealed) -> bytes | None:
    try:
        return leaf_hash(read_note(sealed.note).text.encode())
    except NoteError:
        return None


class _Leaves:
    """Leaves held against the rows that they were made of, in order."""

    def __init__(self) -> None:
        self.found: list[Discrepancy] = []
        self._begun = False

    def check(self, leaf: Leaf, stored: bytes | None) -> bytes:
        worked_out = ledger.hash_of(leaf)
        if stored is not None and stored != worked_out:
            self._add("leaf-differs", leaf, "its rows are not those that were posted")
        if stored is None and self._begun:
            self._add("leaf-missing", leaf, "transactions before it have one")
        self._begun = self._begun or stored is not None
        return worked_out

    def _add(self, check: str, leaf: Leaf, detail: str) -> None:
        self.found.append(Discrepancy(check, f"transaction/{leaf.number}", detail))


class _Tree:
    """A log's tree as its leaves make it, held against what is stored and signed as it grows."""

    def __init__(self, session: Session, community: int) -> None:
        self._session, self._community = session, community
        self._keys = session.signer.keys_of(community)
        self._frontier = Frontier()
        self._nodes: dict[Node, bytes] = {}
        self._awaited: dict[int, Sealed] = {}
        self._found: list[Discrepancy] = []
        self._parted = False
        self._sizes = {0}
        self._last_size = 0

    @property
    def size(self) -> int:
        return self._frontier.size

    async def await_checkpoints(self, first: int, last: int) -> None:
        """Load the checkpoints of these sizes, to be checked once the tree has grown to each."""
        for sealed in await store.checkpoints_between(self._session, self._community, first, last):
            self._awaited[sealed.tree_size] = sealed
            self._link(sealed)

    def _link(self, sealed: Sealed) -> None:
        """Hold what a checkpoint says of the one before it against that."""
        if sealed.previous_size != self._last_size:
            if sealed.previous_size not in self._sizes:
                self._add("checkpoint-missing", sealed.previous_size, f"checkpoint {sealed.tree_size} came after it")
            detail = f"it says that it came after {sealed.previous_size}, it comes after {self._last_size}"
            self._add("checkpoint-unlinked", sealed.tree_size, detail)
        self._last_size = sealed.tree_size
        self._sizes.add(sealed.tree_size)

    def append(self, leaf: bytes) -> None:
        self._nodes |= self._frontier.append(leaf)
        sealed = self._awaited.pop(self.size, None)
        if sealed is not None:
            self._check(sealed)

    def _check(self, sealed: Sealed) -> None:
        try:
            note = read_note(sealed.note)
            checkpoint = read_checkpoint(note)
            is_signed = bool(signed_by(note, self._keys))
        except NoteError as error:
            self._add("checkpoint-unsigned", sealed.tree_size, str(error))
            return
        if not is_signed:
            self._add("checkpoint-unsigned", sealed.tree_size, "no key of this service signed it")
        if checkpoint.origin != self._keys[0].name:
            detail = f"it is of the log {checkpoint.origin}, and this one is called {self._keys[0].name}"
            self._add("checkpoint-differs", sealed.tree_size, detail)
        # What the first that differs says of the leaves before it, the later ones would say again.
        elif (checkpoint.tree_size, checkpoint.root) != (self.size, self._frontier.root()) and not self._parted:
            self._parted = True
            self._add("checkpoint-differs", sealed.tree_size, "it is not of the tree that the leaves make")

    def _add(self, check: str, size: int, detail: str) -> None:
        self._found.append(Discrepancy(check, f"checkpoint/{size}", detail))

    async def finish(self, sealed: int) -> list[Discrepancy]:
        """Give what disagreed, with what is stored beyond the tree or lacks."""
        beyond = await store.checkpoints_between(self._session, self._community, self.size + 1, None)
        for size in sorted({*self._awaited, *(one.tree_size for one in beyond)}):
            self._add("checkpoint-differs", size, f"the tree has {self.size} leaves")
        if sealed not in self._sizes and sealed <= self.size:
            self._add("checkpoint-missing", sealed, "the head says that so much is sealed")
        self._found += await self._nodes_apart(sealed)
        self._found += await _unwitnessed(self._session, self._community)
        return self._found

    async def _nodes_apart(self, sealed: int) -> list[Discrepancy]:
        stored = await store.all_nodes(self._session, self._community)
        wanted = {node: value for node, value in self._nodes.items() if (node.place + 1) << node.level <= sealed}
        apart = []
        for node in sorted(stored.keys() | wanted.keys()):
            check = "node-missing" if node not in stored else "node-differs"
            if stored.get(node) != wanted.get(node):
                detail = "the leaves make another" if node in wanted else "the tree does not reach so far"
                apart.append(Discrepancy(check, f"node/{node.level}/{node.place}", detail))
        return apart


async def _unwitnessed(session: Session, community: int) -> list[Discrepancy]:
    """Witnesses' signatures that are none."""
    found = []
    for row in await store.witnessed(session, community):
        try:
            note = read_note(f"{read_note(row.note).text}\n{row.signature}\n")
            holds = [key.name for key in signed_by(note, [read_key(row.public_key)])] == [row.witness]
        except NoteError:
            holds = False
        if not holds:
            subject = f"checkpoint/{row.tree_size}"
            found.append(Discrepancy("witness-unsigned", subject, f"{row.witness} did not sign it"))
    return found


async def _answers(session: Session, community: int) -> list[Discrepancy]:
    """Kept answers whose receipts name what was not posted."""
    found: list[Discrepancy] = []
    after: AnswerKey | None = None
    while answers := await receipted_answers(session, community, after=after, limit=_step):
        named = [(key, *leaf) for key, body in answers for leaf in _receipted(body)]
        numbers = sorted({number for _, number, _ in named if number is not None})
        stored = await ledger.stored_leaves(session, community, numbers)
        for (caller, key), number, leaf in named:
            if number is None or stored.get(number) != leaf:
                detail = "its receipt is none" if number is None else f"transaction {number} is another"
                found.append(Discrepancy("answer-differs", f"answer/{caller}/{key}", detail))
        after = answers[-1][0]
    return found


def _receipted(body: str) -> Sequence[tuple[int | None, bytes]]:
    """What an answer's receipt names; nothing that it could be (None) when it cannot be read.

    Members of what the answer is about may have that name too.
    """
    try:
        receipt = orjson.loads(body).get("receipt")
        return [] if receipt is None else read_receipt(receipt).leaves
    except (ValueError, AttributeError, TypeError):
        return [(None, b"")]
