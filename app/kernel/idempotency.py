"""Keys that make a request happen once: the first answer is stored in the commit of its effect and given again.

The key and the hash of its request are kept for good, the answer for a time. An answer that names a person is sealed
under that person's key, so that erasing the person erases it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import sqlalchemy as sa

from app.kernel import persons
from app.kernel.errors import Refusal
from app.kernel.rows import Read, insert_rows, looked_up, rows_of
from app.kernel.tables import metadata, tenant_key
from app.kernel.types import Id, Instant
from app.kernel.vault import seal, unseal

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from uuid import UUID

    from app.kernel.database import Session
    from app.kernel.rows import Query

idempotency_keys = sa.Table(
    "idempotency_keys",
    metadata,
    tenant_key(),
    sa.Column("caller", sa.Text, nullable=False),
    sa.Column("key", sa.Text, nullable=False),
    sa.Column("request_hash", sa.Text, nullable=False),
    sa.Column("created_at", Instant, nullable=False),
    sa.PrimaryKeyConstraint("community_id", "caller", "key", name="idempotency_keys_pkey"),
    # Not on PostgreSQL, where it would cost more than it says: whoever inserts here holds the head's lock.
    sa.ForeignKeyConstraint(["community_id"], ["ledger_heads.community_id"], name="idempotency_keys_head_fkey").ddl_if(
        dialect="sqlite"
    ),
    sqlite_strict=True,
)

idempotency_answers = sa.Table(
    "idempotency_answers",
    metadata,
    tenant_key(),
    sa.Column("caller", sa.Text, nullable=False),
    sa.Column("key", sa.Text, nullable=False),
    sa.Column("status", sa.Integer, nullable=False),
    sa.Column("location", sa.Text),
    sa.Column("body", sa.Text, nullable=False),
    sa.Column("person_id", Id),
    sa.Column("created_at", Instant, nullable=False),
    sa.PrimaryKeyConstraint("community_id", "caller", "key", name="idempotency_answers_pkey"),
    # On PostgreSQL a trigger looks for the keys, which never change or go away, all of a statement at once.
    sa.ForeignKeyConstraint(
        ["community_id", "caller", "key"],
        ["idempotency_keys.community_id", "idempotency_keys.caller", "idempotency_keys.key"],
        name="idempotency_answers_key_fkey",
    ).ddl_if(dialect="sqlite"),
    # For forgetting what is old.
    sa.Index("idempotency_answers_age_idx", "community_id", "created_at"),
    sqlite_strict=True,
)


class Keyed(NamedTuple):
    """A key as it was sent: by whom, in which community, and the hash of the request it came with."""

    community: int
    caller: str
    key: str
    request_hash: str


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer, ready to be sent: status, body (JSON) and the path of what was created.

    `person` is the volunteer whom the body names, if any. `kept_body` is what a replay gives when the body shows a
    secret once. An answer that is not `kept` leaves its key free. `posted` are the references of what may have been
    posted for it, whose receipt then stands in the body.
    """

    status: int
    body: bytes
    location: str | None = None
    person: UUID | None = None
    kept_body: bytes | None = None
    kept: bool = True
    posted: tuple[str, ...] = ()

    def again(self) -> Answer:
        """Give the answer as a repeat gets it."""
        return self if self.kept_body is None else replace(self, body=self.kept_body, kept_body=None)


@dataclass(frozen=True, slots=True)
class IdempotencyKeyReused(Refusal):
    """The key belongs to another request."""

    code: ClassVar[str] = "idempotency-key-reused"
    kept: ClassVar[bool] = False

    @property
    def detail(self) -> str:
        """Say what to do."""
        return "This Idempotency-Key was used for another request. Send every new request with a new key."


@dataclass(frozen=True, slots=True)
class IdempotencyAnswerErased(Refusal):
    """The request took place, and its answer named a person who has been erased since."""

    code: ClassVar[str] = "idempotency-answer-erased"
    kept: ClassVar[bool] = False

    @property
    def detail(self) -> str:
        """Say that nothing happened again."""
        return "The request was carried out before; its answer named a person whose data has been erased."


@dataclass(frozen=True, slots=True)
class IdempotencyAnswerExpired(Refusal):
    """The request took place longer ago than answers are kept."""

    code: ClassVar[str] = "idempotency-answer-expired"
    kept: ClassVar[bool] = False

    @property
    def detail(self) -> str:
        """Say that nothing happened again."""
        return "The request was carried out before and did not happen again; its answer is no longer kept."


def _same_key(left: sa.FromClause, right: sa.FromClause) -> sa.ColumnElement[bool]:
    return sa.and_(*(left.c[name] == right.c[name] for name in ("community_id", "caller", "key")))


@cache
def _known(dialect: str) -> Query:
    keys, answers = idempotency_keys, idempotency_answers
    asked = rows_of(dialect, "rows", [keys.c.community_id, keys.c.caller, keys.c.key])
    found = sa.select(*keys.c, answers.c.status, answers.c.location, answers.c.body, answers.c.person_id)
    return looked_up(
        dialect, asked, found.select_from(keys.outerjoin(answers, _same_key(keys, answers))), _same_key(asked, keys)
    )


def known(dialect: str, asked: Sequence[Keyed]) -> Read[dict[tuple[int, str, str], _Found]]:
    """Ask which of these keys were seen before."""
    rows = [{"community_id": item.community, "caller": item.caller, "key": item.key} for item in asked]
    return Read(_known(dialect), rows, _by_place)


async def known_answers(session: Session, asked: Sequence[Keyed]) -> dict[Keyed, Answer | Refusal]:
    """For each key seen before: its first answer, or why that cannot be given. New keys are missing."""
    found = await session.ask(known(session.dialect, asked))
    named = [(row.community_id, row.person_id) for row in found.values() if row.person_id]
    keys = await persons.load_keys(session, named)
    return {item: _replay(item, found[item[:3]], keys) for item in asked if item[:3] in found}


class _Found(NamedTuple):
    """A key that is known, with its answer as far as that is kept."""

    community_id: int
    caller: str
    key: str
    request_hash: str
    created_at: datetime
    status: int | None
    location: str | None
    body: str
    person_id: UUID | None


def _by_place(rows: list[Sequence[Any]]) -> dict[tuple[int, str, str], _Found]:
    return {(row[0], row[1], row[2]): _Found(*row) for row in rows}


def _replay(item: Keyed, row: _Found, keys: dict[persons.Person, bytes]) -> Answer | Refusal:
    if row.request_hash != item.request_hash:
        return IdempotencyKeyReused()
    if row.status is None:
        return IdempotencyAnswerExpired()
    if row.person_id is None:
        return Answer(row.status, row.body.encode(), row.location)
    key = keys.get((row.community_id, row.person_id))
    if key is None:
        return IdempotencyAnswerErased()
    return Answer(row.status, unseal(key, row.body, _context(item)), row.location, row.person_id)


def _context(item: Keyed) -> str:
    return f"answer {item.community}/{item.caller}/{item.key}"


async def keep_answers(session: Session, answers: Sequence[tuple[Keyed, Answer]]) -> None:
    """Store keys with their answers, in the commit of what they answer for."""
    kept = [(item, answer) for item, answer in answers if answer.kept]
    if not kept:
        return
    keys = await persons.load_keys(session, [(item.community, answer.person) for item, answer in kept if answer.person])
    key_rows, answer_rows = [], []
    for item, answer in kept:
        body = answer.again().body
        text = body.decode()
        if answer.person:
            text = seal(keys[item.community, answer.person], body, _context(item))
        common = {"community_id": item.community, "caller": item.caller, "key": item.key}
        common["created_at"] = session.now(item.community)
        key_rows.append({**common, "request_hash": item.request_hash})
        answer_rows.append(
            {**common, "status": answer.status, "location": answer.location, "body": text, "person_id": answer.person}
        )
    await insert_rows(session, idempotency_keys, key_rows)
    await insert_rows(session, idempotency_answers, answer_rows)


async def forget_answers(session: Session, community: int, *, before: datetime) -> int:
    """Delete a community's answers from before a moment and give their number; keys and hashes stay."""
    deleted = await session.execute(
        sa.delete(idempotency_answers).where(
            idempotency_answers.c.community_id == community, idempotency_answers.c.created_at < before
        )
    )
    return deleted.rowcount


AnswerKey = tuple[str, str]
"""Which answer of a community: the caller and the key."""


async def receipted_answers(
    session: Session, community: int, *, after: AnswerKey | None, limit: int
) -> list[tuple[AnswerKey, str]]:
    """Load kept answers that have a receipt, with their bodies, in the order of their keys."""
    a = idempotency_answers.c
    query = sa.select(a.caller, a.key, a.body).where(a.community_id == community, a.body.contains(',"receipt":"'))
    if after is not None:
        query = query.where(sa.tuple_(a.caller, a.key) > sa.tuple_(*after))
    found = await session.execute(query.order_by(a.caller, a.key).limit(limit))
    return [((row.caller, row.key), row.body) for row in found]
