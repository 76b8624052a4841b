"""Deciding about a batch of rows in order, each reference once: the frame that records and redemptions share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, Protocol, TypeVar, cast

from app.kernel.errors import InvalidRequest, Refusal
from app.kernel.references import (
    NewlySeen,
    ReferenceReused,
    Seen,
    Told,
    content_hash,
    keep_seen,
    load_seen,
    replay,
    told,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence
    from uuid import UUID

    from app.kernel.database import Session


class Row(Protocol):
    """A row to decide about. A sender who knows no id names the volunteer by an alias."""

    @property
    def community(self) -> int:
        """The community's small number."""

    @property
    def volunteer_id(self) -> UUID | None:
        """The volunteer, if known."""

    @property
    def reference(self) -> str | None:
        """The sender's own number for the row, if any."""

    @property
    def alias(self) -> str | None:
        """The keyed hash of the phone that names the volunteer on paper."""

    @property
    def content(self) -> Mapping[str, Any]:
        """What makes two rows under one reference the same: parsed values by name."""


class Made(Protocol):
    """What a decision makes."""

    @property
    def id(self) -> UUID:
        """The id of the resource."""


RowT = TypeVar("RowT", bound=Row)
MadeT = TypeVar("MadeT", bound=Made)
Before = Seen | ReferenceReused | None

_not_made = (Seen, Refusal)
_using_up_no_reference = (Seen, ReferenceReused, InvalidRequest)


class Decided(NamedTuple, Generic[MadeT]):
    """What became of a row: the resource or the refusal, and whether that was decided before."""

    outcome: MadeT | Refusal | Told
    replayed: bool = False


@dataclass(frozen=True, slots=True)
class Deciding(Generic[RowT, MadeT]):
    """How one resource is decided, stored and loaded.

    `decide` gets a row and what its reference decided before, which it gives back unless the row is invalid anyway.
    """

    resource: str
    decide: Callable[[RowT, Before], MadeT | Seen | Refusal]
    store: Callable[[Session, Sequence[MadeT]], Awaitable[Mapping[UUID, MadeT]]]
    load: Callable[[Session, set[tuple[int, UUID]]], Awaitable[Mapping[tuple[int, UUID], MadeT]]]


async def decide_rows(session: Session, rows: Sequence[RowT], deciding: Deciding[RowT, MadeT]) -> list[Decided[MadeT]]:
    """Decide rows in order, store what they make, and keep what was decided about new references.

    What is invalid uses up no reference; any other outcome does.
    """
    references = {(row.community, row.reference) for row in rows if row.reference is not None}
    seen = await load_seen(session, deciding.resource, references)
    decisions: list[MadeT | Seen | Refusal] = []
    newly: list[NewlySeen] = []
    for row in rows:
        decision = deciding.decide(row, _before(seen, row))
        decisions.append(decision)
        if row.reference is not None and not isinstance(decision, _using_up_no_reference):
            now_seen = _seen(row, decision)
            seen[row.community, row.reference] = now_seen
            newly.append(NewlySeen(row.community, row.reference, now_seen))
    made = await deciding.store(session, [one for one in decisions if not isinstance(one, _not_made)])
    await keep_seen(session, deciding.resource, newly)
    return await _answers(session, rows, decisions, made, deciding)


def _before(seen: Mapping[tuple[int, str], Seen], row: Row) -> Before:
    if row.reference is None or (known := seen.get((row.community, row.reference))) is None:
        return None
    names = {str(name) for name in (row.volunteer_id, row.alias) if name is not None}
    return replay(known, row.reference, who=names, content=content_hash(row.content))


def _seen(row: Row, decision: Made | Refusal) -> Seen:
    who, content = str(row.volunteer_id or row.alias), content_hash(row.content)
    if isinstance(decision, Refusal):
        return Seen(who, content, None, told(decision))
    return Seen(who, content, decision.id, None)


async def _answers(
    session: Session,
    rows: Sequence[RowT],
    decisions: Sequence[MadeT | Seen | Refusal],
    made: Mapping[UUID, MadeT],
    deciding: Deciding[RowT, MadeT],
) -> list[Decided[MadeT]]:
    again = {
        (row.community, one.resource_id)
        for row, one in zip(rows, decisions, strict=True)
        if isinstance(one, Seen) and one.resource_id is not None and one.resource_id not in made
    }
    earlier = await deciding.load(session, again)
    answers: list[Decided[MadeT]] = []
    for row, one in zip(rows, decisions, strict=True):
        if isinstance(one, Refusal):
            answers.append(Decided(one))
        elif not isinstance(one, Seen):
            answers.append(Decided(made[one.id]))
        elif one.refusal is not None:
            answers.append(Decided(one.refusal, replayed=True))
        elif one.resource_id is not None:
            resource = made.get(one.resource_id) or earlier[row.community, one.resource_id]
            answers.append(Decided(resource, replayed=True))
    return answers


def unreferenced(decided: Sequence[Decided[MadeT]]) -> list[MadeT | Refusal]:
    """The outcomes of rows that carry no reference, none of which can have been told before."""
    return [cast("MadeT | Refusal", one.outcome) for one in decided]
