"""Clients: made with a secret that is shown once, checked, listed, revoked."""

from __future__ import annotations

import hmac
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from app.access import store
from app.access.rules import client_name, community_of
from app.kernel.errors import NotFound, Refusal
from app.kernel.events import Event, append

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import datetime
    from uuid import UUID

    from app.access.rules import Caller
    from app.kernel.database import Session
    from app.kernel.paging import Paging
    from app.kernel.rows import Read

_purpose = "client secret"


@dataclass(frozen=True, slots=True)
class NewClient:
    """A client to make, for the community with this small number (0: the city)."""

    community: int
    name: str
    role: str


@dataclass(frozen=True, slots=True)
class Client:
    """A client. The secret is known once, when it is made."""

    community: int
    client_id: str
    name: str
    role: str
    created_at: datetime
    client_secret: str | None = None


async def create_clients(session: Session, new: Sequence[NewClient]) -> list[Client]:
    """Make clients with new secrets; only a keyed hash of each secret is stored."""
    made = [
        Client(
            community=item.community,
            client_id=client_name(item.community, secrets.token_hex(8)),
            name=item.name,
            role=item.role,
            created_at=session.now(item.community),
            client_secret=secrets.token_urlsafe(32),
        )
        for item in new
    ]
    numbers = await append(
        session,
        [Event(client.community, "client.created", {"client_id": client.client_id}) for client in made],
    )
    rows = [
        {
            "community_id": client.community,
            "client_id": client.client_id,
            "number": number,
            "name": client.name,
            "role": client.role,
            "secret_hash": session.vault.hash(_purpose, client.client_id, client.client_secret or ""),
            "created_at": client.created_at,
        }
        for client, number in zip(made, numbers, strict=True)
    ]
    await store.insert(session, rows)
    return made


async def authenticate(session: Session, client_id: str, client_secret: str) -> Client | None:
    """Give the client whose secret this is; None for a wrong secret, an unknown and a revoked client alike."""
    community = community_of(client_id)
    row = None if community is None else await store.find(session, community, client_id)
    given = session.vault.hash(_purpose, client_id, client_secret)
    expected = row.secret_hash if row is not None else session.vault.hash(_purpose, "", "")
    right = hmac.compare_digest(given, expected)
    if row is None or not right or row.revoked_at is not None:
        return None
    return Client(row.community_id, row.client_id, row.name, row.role, row.created_at)


async def revoked_among(session: Session, callers: Collection[Caller]) -> set[Caller]:
    """Whose client or card has been revoked. Under a community's head no revocation of its own can come between."""
    unseen = {caller.community for caller in callers} - session.seen
    if unseen:
        await session.show(*session.seen, *unseen)
    with_card, clients = _keys(callers)
    cards, names = await session.load(*revocations(session.dialect, callers))
    live = {with_card[key] for key in cards} | {clients[key] for key in names}
    return set(callers) - live


def revocations(dialect: str, callers: Collection[Caller]) -> tuple[Read[set[Any]], Read[set[Any]]]:
    """Ask which cards and which clients of callers are not revoked."""
    with_card, clients = _keys(callers)
    return store.live_cards(dialect, with_card), store.live_clients(dialect, clients)


def _keys(callers: Collection[Caller]) -> tuple[dict[tuple[int, UUID], Caller], dict[tuple[int, str], Caller]]:
    with_card = {(caller.community, caller.card_id): caller for caller in callers if caller.card_id is not None}
    return with_card, {(caller.community, caller.id): caller for caller in callers if caller.card_id is None}


async def list_clients(session: Session, community: int, paging: Paging) -> list[tuple[int, Client]]:
    """Clients that are not revoked, newest first, each with its number for paging."""
    rows = await store.page(session, community, paging)
    return [(row.number, Client(row.community_id, row.client_id, row.name, row.role, row.created_at)) for row in rows]


async def revoke_client(session: Session, community: int, client_id: str) -> Refusal | None:
    """Revoke a client: from now on it moves nothing, and with its tokens' ten minutes it reads nothing either."""
    ours = community_of(client_id) == community
    if not ours or not await store.revoke(session, community, client_id, session.now(community)):
        return NotFound(resource="client")
    await append(session, [Event(community, "client.revoked", {"client_id": client_id})])
    return None
