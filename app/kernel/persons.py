"""The keys of persons. Personal data stands sealed under its person's key; without the row here it is gone."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING
from uuid import UUID

import sqlalchemy as sa

from app.kernel.rows import insert_rows, looked_up, rows_of
from app.kernel.tables import metadata, tenant_key
from app.kernel.types import Id

if TYPE_CHECKING:
    from collections.abc import Sequence

    from app.kernel.database import Session
    from app.kernel.rows import Query

Person = tuple[int, UUID]
"""A person: the community's small number and the person's id."""

person_keys = sa.Table(
    "person_keys",
    metadata,
    tenant_key(),
    sa.Column("person_id", Id, nullable=False),
    sa.Column("wrapped_key", sa.Text, nullable=False),
    sa.PrimaryKeyConstraint("community_id", "person_id", name="person_keys_pkey"),
    sqlite_strict=True,
)


def _owner(person: Person) -> str:
    return f"{person[0]}/{person[1]}"


async def make_keys(session: Session, persons: Sequence[Person]) -> dict[Person, bytes]:
    """Make and store a key for each of these new persons."""
    made = {person: session.vault.new_person_key(_owner(person)) for person in persons}
    rows = [
        {"community_id": person[0], "person_id": person[1], "wrapped_key": wrapped}
        for person, (_, wrapped) in made.items()
    ]
    await insert_rows(session, person_keys, rows)
    return {person: key for person, (key, _) in made.items()}


@cache
def _wrapped(dialect: str) -> Query:
    asked = rows_of(dialect, "rows", [person_keys.c.community_id, person_keys.c.person_id])
    matches = (person_keys.c.community_id == asked.c.community_id) & (person_keys.c.person_id == asked.c.person_id)
    return looked_up(dialect, asked, sa.select(*person_keys.c), matches)


async def destroy_keys(session: Session, persons: Sequence[Person]) -> None:
    """Destroy persons' keys: what is sealed under them cannot be opened any more."""
    session.leave_no_copy()
    for community, person_id in persons:
        await session.execute(
            sa.delete(person_keys).where(person_keys.c.community_id == community, person_keys.c.person_id == person_id)
        )


async def load_keys(session: Session, persons: Sequence[Person]) -> dict[Person, bytes]:
    """Load persons' keys; an erased person has none and is missing from the answer."""
    if not persons:
        return {}
    asked = [{"community_id": community, "person_id": person_id} for community, person_id in set(persons)]
    found = await session.execute_rows(_wrapped(session.dialect), asked)
    return {
        (row.community_id, row.person_id): session.vault.unwrap(
            row.wrapped_key, _owner((row.community_id, row.person_id))
        )
        for row in found
    }
