"""The log of erasures, append-only: whose personal data was destroyed, when, by whom, and why.

It is kept apart from backups, and replayed over one from before that was restored: a line for each person, whose kind
(a volunteer, a beneficiary …) tells which feature erases again. A line holds ids and no personal data.

Volunteers have a table of their own for it, which refers to them; here stand all persons beside them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

import orjson
import sqlalchemy as sa

from app.kernel import persons
from app.kernel.events import Event, append
from app.kernel.rows import insert_rows
from app.kernel.tables import metadata, tenant_key
from app.kernel.types import Count, Id, Instant

if TYPE_CHECKING:
    from app.kernel.database import Session

person_erasures = sa.Table(
    "person_erasures",
    metadata,
    tenant_key(),
    sa.Column("person_id", Id, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("number", Count, nullable=False),
    sa.Column("erased_at", Instant, nullable=False),
    sa.Column("erased_by", sa.Text, nullable=False),
    sa.Column("reason", sa.Text),
    sa.PrimaryKeyConstraint("community_id", "person_id", name="person_erasures_pkey"),
    sa.ForeignKeyConstraint(["community_id"], ["ledger_heads.community_id"], name="person_erasures_head_fkey"),
    sa.UniqueConstraint("community_id", "number", name="person_erasures_number_key"),
    sqlite_strict=True,
)

_of_community = "community_id"
_id = "_id"


@dataclass(frozen=True, slots=True)
class NewErasure:
    """A person whose personal data is to be erased; the reason stays in the log."""

    community: int
    person_id: UUID
    erased_by: str
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Erasure:
    """A line of the log: which kind of person, whose data was erased, when, by whom, and why."""

    kind: str
    person_id: UUID
    erased_at: datetime
    erased_by: str
    reason: str | None


async def erase_person(session: Session, community: int, erasure: Erasure) -> None:
    """Destroy a person's key, write it into the log and announce it. The feature blanks what it found the person by."""
    await persons.destroy_keys(session, [(community, erasure.person_id)])
    ids = {f"{erasure.kind}{_id}": str(erasure.person_id)}
    (number,) = await append(session, [Event(community, f"{erasure.kind}.erased", ids)])
    row = {
        "community_id": community,
        "person_id": erasure.person_id,
        "kind": erasure.kind,
        "number": number,
        "erased_at": erasure.erased_at,
        "erased_by": erasure.erased_by,
        "reason": erasure.reason,
    }
    await insert_rows(session, person_erasures, [row])


async def log_of_erasures(session: Session, community: int) -> list[Erasure]:
    """A community's erasures of persons beside volunteers, oldest first."""
    log = person_erasures.c
    found = await session.execute(
        sa.select(log.kind, log.person_id, log.erased_at, log.erased_by, log.reason)
        .where(log.community_id == community)
        .order_by(log.number)
    )
    return [Erasure(*row) for row in found]


def log_line(community_id: UUID, erasure: Erasure) -> str:
    """A line of the log as it stands in a file: JSON, the person under its kind (`volunteer_id`)."""
    line = {
        _of_community: community_id,
        f"{erasure.kind}{_id}": erasure.person_id,
        "erased_at": erasure.erased_at,
        "erased_by": erasure.erased_by,
        "reason": erasure.reason,
    }
    return orjson.dumps(line).decode()


def of_log_line(line: str) -> tuple[UUID, Erasure]:
    """Read a line of the log's file: the community's id and the erasure. Raises `ValueError`."""
    found = orjson.loads(line)
    try:
        (name,) = (name for name in found if name.endswith(_id) and name != _of_community)
        erasure = Erasure(
            name.removesuffix(_id),
            UUID(found[name]),
            datetime.fromisoformat(found["erased_at"]),
            str(found["erased_by"]),
            found["reason"],
        )
        return UUID(found[_of_community]), erasure
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        message = f"no line of a log of erasures: {error}"
        raise ValueError(message) from None
