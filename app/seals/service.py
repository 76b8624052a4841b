"""Sealing: what was posted goes into its community's tree, and a signed checkpoint says which tree that is."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from app import ledger
from app.communities.service import list_communities
from app.kernel import jobs, metrics
from app.kernel.errors import Unavailable
from app.kernel.heads import CITY
from app.kernel.log import logger
from app.kernel.merkle import Frontier, Node, hashes_of, leaf_hash, spans_of
from app.kernel.notes import read_note
from app.kernel.paging import Paging
from app.kernel.rows import CITUS
from app.seals import store
from app.seals.rules import Checkpoint

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from app.kernel.database import Database, Session

CITY_INTERVAL = timedelta(minutes=1)
"""How often the communities' checkpoints go into the city's log."""

_together_max = 64


class _Grown(NamedTuple):
    """A tree with its new leaves, and the nodes that these completed."""

    frontier: Frontier
    completed: list[tuple[Node, bytes]]


class Sealer:
    """Seals communities, and keeps the right edges of their trees in mind so that it need not read them."""

    def __init__(self, database: Database) -> None:
        """Begin with nothing in mind."""
        self._database = database
        self._frontiers: dict[int, Frontier] = {}
        self._city_at: datetime | None = None

    async def seal_due(self) -> int:
        """Seal every community whose tree lacks transactions; give how many transactions that were.

        One that another writer holds for long is left for the next round.
        """
        async with self._database.read() as session:
            waiting = await jobs.communities_unsealed(session)
        if not waiting:
            metrics.seal_lag_seconds.set(0)
            return 0
        community, since = waiting[0]
        metrics.seal_lag_seconds.set((self._database.clock.now(community) - since).total_seconds())
        communities = [number for number, _ in waiting]
        together = 1 if self._database.dialect == CITUS else _together_max
        return sum([await self._seal(communities[at : at + together]) for at in range(0, len(communities), together)])

    async def _seal(self, communities: Sequence[int]) -> int:
        grown: dict[int, Frontier] = {}

        async def work(session: Session) -> int:
            grown.clear()
            return await seal(session, communities, known=self._frontiers, grown=grown)

        try:
            count = await self._database.run(
                communities, work, ahead=[ledger.ask_unsealed(self._database.dialect, communities)]
            )
        except Unavailable:
            if len(communities) == 1:
                logger.warning("community busy, its seal waits", community=communities[0])
                return 0
            return sum([await self._seal([community]) for community in communities])
        self._frontiers |= grown
        return count

    async def seal_city(self) -> bool:
        """Append the communities' new checkpoints to the city's log, unless that was less than a minute ago."""
        now = self._database.clock.now(CITY)
        if self._city_at is not None and timedelta(0) <= now - self._city_at < CITY_INTERVAL:
            return False
        async with self._database.read(CITY) as session:
            last = await store.latest(session, CITY)
            communities = [one.number for one in await list_communities(session, CITY, Paging())]
        self._city_at = last.sealed_at if last else None
        if last and timedelta(0) <= now - last.sealed_at < CITY_INTERVAL:
            return False
        asked = store.ask_last_notes(self._database.dialect, communities)
        (notes,) = await self._database.glance(communities, [asked])
        sealed = await self._database.run([CITY], partial(seal_city, notes=notes))
        self._city_at = now
        return sealed


async def seal(
    session: Session, communities: Sequence[int], *, known: dict[int, Frontier], grown: dict[int, Frontier]
) -> int:
    """Put what the trees of communities lack into them, whose heads are held; give how many transactions that were.

    `known` are right edges of trees that need not be read; `grown` gets those after it.
    """
    unsealed = await session.ask(ledger.ask_unsealed(session.dialect, communities))
    nodes, notes, done, count = [], [], [], 0
    for community in communities:
        head = session.heads[community]
        found = sorted(unsealed.get(community, ()))
        leaves = await ledger.whole_leaves(session, community, head.sealed_number + 1, found, count=len(found))
        if leaves:
            frontier = await _frontier(session, community, head.sealed_number, known.get(community))
            tree = _grown(frontier, leaves)
            grown[community] = tree.frontier
            nodes += [_node_row(community, node, value) for node, value in tree.completed]
            notes.append(_checkpoint_row(session, community, tree.frontier))
            head.seal(tree.frontier.size)
            count += len(leaves)
        if head.is_sealed:
            done.append(community)
    await store.insert_seals(session, nodes, notes)
    await jobs.mark_sealed(session, done)
    metrics.sealed.inc(count)
    return count


async def seal_city(session: Session, notes: dict[int, tuple[int, str]]) -> bool:
    """Append checkpoints of communities, which are newer than those that the city's log has, and seal it."""
    last = await store.latest(session, CITY)
    size = last.tree_size if last else 0
    present = await store.in_city(session, [(community, of) for community, (of, _) in notes.items()])
    new = [
        (community, of, leaf_hash(read_note(note).text.encode()))
        for community, (of, note) in sorted(notes.items())
        if (community, of) not in present
    ]
    if not new:
        return False
    tree = _grown(await _frontier(session, CITY, size, None), [leaf for *_, leaf in new])
    await store.insert_city_leaves(
        session,
        [
            {"community_id": CITY, "number": number, "sealed_community": community, "tree_size": of, "leaf": leaf}
            for number, (community, of, leaf) in enumerate(new, size + 1)
        ],
    )
    nodes = [_node_row(CITY, node, value) for node, value in tree.completed]
    await store.insert_seals(session, nodes, [_checkpoint_row(session, CITY, tree.frontier)])
    return True


async def _frontier(session: Session, community: int, size: int, known: Frontier | None) -> Frontier:
    """Give the right edge of a tree of a size, as a copy: what grows in a transaction may never have been."""
    if known is not None and known.size == size:
        return known.copy()
    whole = (0, size)
    nodes = await store.load_nodes(session, community, spans_of([whole]))
    return Frontier(size, hashes_of(whole, nodes))


def _grown(frontier: Frontier, leaves: Sequence[bytes]) -> _Grown:
    completed = [node for leaf in leaves for node in frontier.append(leaf)]
    return _Grown(frontier, completed)


def _node_row(community: int, node: Node, value: bytes) -> dict[str, object]:
    return {"community_id": community, "level": node.level, "place": node.place, "hash": value}


def _checkpoint_row(session: Session, community: int, frontier: Frontier) -> dict[str, object]:
    checkpoint = Checkpoint(session.signer.origin_of(community), frontier.size, frontier.root())
    return {
        "community_id": community,
        "tree_size": frontier.size,
        "sealed_at": session.now(community),
        "note": session.signer.sign(community, checkpoint.text),
    }
