"""Sealing: what was posted goes into its community's tree, and a signed checkpoint says which tree that is."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from app import ledger
from app.communities.service import list_communities
from app.kernel import jobs, metrics
from app.kernel.errors import Unavailable
from app.kernel.heads import CITY
from app.kernel.log import logger
from app.kernel.merkle import Frontier, Node, hashes_of, leaf_hash, spans_of
from app.kernel.notes import read_note, signed_by
from app.kernel.paging import Paging
from app.kernel.rows import CITUS
from app.seals import store
from app.seals.rules import Checkpoint, read_checkpoint

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from app.kernel.database import Database, Session
    from app.kernel.rows import Read

CITY_INTERVAL = timedelta(minutes=1)
"""How often the communities' checkpoints go into the city's log."""

_together_max = 64
# Who holds a community for longer holds up its own seal, and those who post elsewhere for no longer than this.
_wait_seconds = 0.25


class _Grown(NamedTuple):
    """A tree with its new leaves, and the nodes that these completed."""

    frontier: Frontier
    completed: list[tuple[Node, bytes]]


class BrokenSealError(Exception):
    """What is stored contradicts what was signed before: a signature over it would hide that, so there is none."""


class Sealer:
    """Seals communities, and keeps the right edges of their trees in mind so that it need not read them."""

    def __init__(self, database: Database) -> None:
        """Begin with nothing in mind."""
        self._database = database
        self._frontiers: dict[int, Frontier] = {}
        self._apart: set[int] = set()
        self._city_at: datetime | None = None

    async def seal_due(self) -> int:
        """Seal every community whose tree lacks transactions; give how many transactions that were.

        One that another writer holds, or that cannot be sealed, keeps no other from its seal: it is tried by itself
        from then on, after the others.
        """
        async with self._database.read() as session:
            waiting = dict(await jobs.communities_unsealed(session))
        metrics.seal_lag_seconds.set(self._waited(waiting))
        together = [community for community in waiting if community not in self._apart]
        size = 1 if self._database.dialect == CITUS else _together_max
        groups = [together[at : at + size] for at in range(0, len(together), size)]
        groups += [[community] for community in waiting if community in self._apart]
        return sum([await self._seal(group) for group in groups])

    def _waited(self, waiting: Mapping[int, datetime]) -> float:
        now = self._database.clock.now
        return max(((now(community) - since).total_seconds() for community, since in waiting.items()), default=0.0)

    async def _seal(self, communities: Sequence[int]) -> int:
        grown: dict[int, Frontier] = {}

        async def work(session: Session) -> int:
            grown.clear()
            return await seal(session, communities, known=self._frontiers, grown=grown)

        try:
            count = await self._database.run(
                communities, work, wait_seconds=_wait_seconds, ahead=_asked(self._database.dialect, communities)
            )
        except Exception as error:  # noqa: BLE001  whatever it is, the other communities are sealed
            if len(communities) > 1:
                return sum([await self._seal([community]) for community in communities])
            self._apart.update(communities)
            if isinstance(error, Unavailable):
                logger.warning("community busy, its seal waits", community=communities[0])
            else:
                metrics.seals_failed.inc()
                logger.exception("not sealed", community=communities[0])
            return 0
        self._apart.difference_update(communities)
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


def _asked(dialect: str, communities: Sequence[int]) -> list[Read[Any]]:
    return [ledger.ask_unsealed(dialect, communities), store.ask_last_notes(dialect, communities)]


async def seal(
    session: Session, communities: Sequence[int], *, known: Mapping[int, Frontier], grown: dict[int, Frontier]
) -> int:
    """Put what the trees of communities lack into them, whose heads are held; give how many transactions that were.

    `known` are right edges of trees that need not be read; `grown` gets those after it. Raises `BrokenSealError`.
    """
    unsealed, signed = await session.load(*_asked(session.dialect, communities))
    nodes, notes, done, count = [], [], [], 0
    for community in communities:
        head = session.heads[community]
        found = sorted(unsealed.get(community, ()))
        leaves = await ledger.whole_leaves(session, community, head.sealed_number + 1, found, count=len(found))
        if leaves:
            _, note = signed.get(community, (0, None))
            frontier = await _frontier(session, community, head.sealed_number, note, known.get(community))
            tree = _grown(frontier, leaves)
            grown[community] = tree.frontier
            nodes += [_node_row(community, node, value) for node, value in tree.completed]
            notes.append(_checkpoint_row(session, community, head.sealed_number, tree.frontier))
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
    frontier = await _frontier(session, CITY, size, last.note if last else None, None)
    tree = _grown(frontier, [leaf for *_, leaf in new])
    await store.insert_city_leaves(
        session,
        [
            {"community_id": CITY, "number": number, "sealed_community": community, "tree_size": of, "leaf": leaf}
            for number, (community, of, leaf) in enumerate(new, size + 1)
        ],
    )
    nodes = [_node_row(CITY, node, value) for node, value in tree.completed]
    await store.insert_seals(session, nodes, [_checkpoint_row(session, CITY, size, tree.frontier)])
    return True


async def _frontier(session: Session, community: int, size: int, note: str | None, known: Frontier | None) -> Frontier:
    """Give the right edge of a tree of a size, as a copy: what grows in a transaction may never have been.

    It is held against the checkpoint of that size. Raises `BrokenSealError`.
    """
    if known is not None and known.size > size:
        message = f"log {community} was sealed up to {known.size}, and is at {size} now"
        raise BrokenSealError(message)
    if known is not None and known.size == size:
        frontier = known.copy()
    else:
        whole = (0, size)
        nodes = await store.load_nodes(session, community, spans_of([whole]))
        frontier = Frontier(size, hashes_of(whole, nodes))
    if size and not _is_signed(session, community, frontier, note):
        message = f"log {community} is not at {size} what was signed"
        raise BrokenSealError(message)
    return frontier


def _is_signed(session: Session, community: int, frontier: Frontier, note: str | None) -> bool:
    """Whether the checkpoint of a tree's size is of that tree, and ours, whatever the log is called by now."""
    if note is None:
        return False
    signed = read_note(note)
    checkpoint = read_checkpoint(signed)
    keys = [key._replace(name=checkpoint.origin) for key in session.signer.keys_of(community)]
    return (checkpoint.tree_size, checkpoint.root) == (frontier.size, frontier.root()) and bool(signed_by(signed, keys))


def _grown(frontier: Frontier, leaves: Sequence[bytes]) -> _Grown:
    completed = [node for leaf in leaves for node in frontier.append(leaf)]
    return _Grown(frontier, completed)


def _node_row(community: int, node: Node, value: bytes) -> dict[str, object]:
    return {"community_id": community, "level": node.level, "place": node.place, "hash": value}


def _checkpoint_row(session: Session, community: int, previous_size: int, frontier: Frontier) -> dict[str, object]:
    checkpoint = Checkpoint(session.signer.origin_of(community), frontier.size, frontier.root())
    return {
        "community_id": community,
        "tree_size": frontier.size,
        "previous_size": previous_size,
        "sealed_at": session.now(community),
        "note": session.signer.sign(community, checkpoint.text),
    }
