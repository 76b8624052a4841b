"""References: a sender's own number for a row of a batch or of paper, which decides whether it was seen before.

A reference is unique per community and resource, whichever way it comes in. What was decided about it stays decided:
the same content again is a replay, other content is refused.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import orjson
import sqlalchemy as sa

from app.kernel.errors import Refusal
from app.kernel.rows import Read, insert_rows, looked_up, rows_of
from app.kernel.tables import metadata, tenant_key
from app.kernel.types import Document, Id, Instant

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from uuid import UUID

    from app.kernel.database import Session
    from app.kernel.rows import Query

seen_references = sa.Table(
    "seen_references",
    metadata,
    tenant_key(),
    sa.Column("resource", sa.Text, nullable=False),
    sa.Column("reference", sa.Text, nullable=False),
    # The volunteer's id, or the keyed hash of the phone that named nobody.
    sa.Column("who", sa.Text, nullable=False),
    sa.Column("content_hash", sa.Text, nullable=False),
    sa.Column("resource_id", Id),
    sa.Column("refusal", Document),
    sa.Column("seen_at", Instant, nullable=False),
    sa.PrimaryKeyConstraint("community_id", "resource", "reference", name="seen_references_pkey"),
    # Not on PostgreSQL, where it would cost more than it says: whoever inserts here holds the head's lock.
    sa.ForeignKeyConstraint(["community_id"], ["ledger_heads.community_id"], name="seen_references_head_fkey").ddl_if(
        dialect="sqlite"
    ),
    sqlite_strict=True,
)

Place = tuple[int, str]
"""A community's small number and a reference in it."""


class Told(NamedTuple):
    """A refusal as it was told the first time."""

    code: str
    detail: str
    facts: dict[str, Any]


def told(refusal: Refusal) -> Told:
    """Write a refusal down in the form in which it can be told again."""
    facts: dict[str, Any] = orjson.loads(orjson.dumps(refusal.facts()))
    return Told(refusal.code, refusal.detail, facts)


@dataclass(frozen=True, slots=True)
class ReferenceReused(Refusal):
    """The reference stood on something else before."""

    code: ClassVar[str] = "reference-reused"
    reference: str

    @property
    def detail(self) -> str:
        """Name the reference."""
        return f"The reference {self.reference} was seen before with other content."


class Seen(NamedTuple):
    """What became of a reference: the resource made, or the refusal told."""

    who: str
    content_hash: str
    resource_id: UUID | None
    refusal: Told | None


class NewlySeen(NamedTuple):
    """A reference decided just now."""

    community: int
    reference: str
    seen: Seen


def content_hash(content: Mapping[str, Any]) -> str:
    """Hash parsed values, so that two spellings of one value are the same.

    A moment is the same whatever offset it was written with, if it is a field of its own.
    """
    values = {name: value.astimezone(UTC) if isinstance(value, datetime) else value for name, value in content.items()}
    return hashlib.sha256(orjson.dumps(values)).hexdigest()


def replay(known: Seen, reference: str, *, who: Collection[str], content: str) -> Seen | ReferenceReused:
    """Decide about a reference seen before: what was decided then, or a refusal when the content is another."""
    return known if known.who in who and known.content_hash == content else ReferenceReused(reference=reference)


@cache
def _known(dialect: str) -> Query:
    table = seen_references
    asked = rows_of(dialect, "rows", [table.c.community_id, table.c.resource, table.c.reference])
    matches = sa.and_(*(table.c[name] == asked.c[name] for name in ("community_id", "resource", "reference")))
    found = sa.select(
        table.c.community_id,
        table.c.reference,
        table.c.who,
        table.c.content_hash,
        table.c.resource_id,
        table.c.refusal,
    )
    return looked_up(dialect, asked, found, matches)


async def load_seen(session: Session, resource: str, places: Collection[Place]) -> dict[Place, Seen]:
    """Load what became of these references; new ones are missing."""
    if not places:
        return {}
    rows = [
        {"community_id": community, "resource": resource, "reference": reference}
        for community, reference in set(places)
    ]
    return await session.ask(Read(_known(session.dialect), rows, _by_place))


def _by_place(rows: list[Sequence[Any]]) -> dict[Place, Seen]:
    return {
        (community, reference): Seen(who, content, resource_id, refusal and Told(**refusal))
        for community, reference, who, content, resource_id, refusal in rows
    }


async def keep_seen(session: Session, resource: str, new: Sequence[NewlySeen]) -> None:
    """Store what was decided about new references, in the commit of the decisions."""
    rows = [
        {
            "community_id": item.community,
            "resource": resource,
            "reference": item.reference,
            "who": item.seen.who,
            "content_hash": item.seen.content_hash,
            "resource_id": item.seen.resource_id,
            "refusal": item.seen.refusal and item.seen.refusal._asdict(),
            "seen_at": session.now(item.community),
        }
        for item in new
    ]
    await insert_rows(session, seen_references, rows)
