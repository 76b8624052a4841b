"""Draws of a shift's seats: announced with the shift, made when it is time, and repeatable by anybody afterwards.

A draw's secret stands nowhere until it is made: it is a keyed hash of the shift's id, which only the service can work
out, and which the commitment that was published with the shift holds it to.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from app.activities.errors import ShiftSkipped
from app.activities.rules import SKIPPED
from app.activities.service import load_shifts
from app.kernel.errors import NotFound, Refusal, Refused
from app.kernel.events import Event, append
from app.kernel.jobs import NewJob, enqueue
from app.signups import draws_store, store
from app.signups.errors import AlreadyDrawn, DrawNotDue
from app.signups.participants import NO_OBJECTIONS
from app.signups.rules import APPLIED, Draw, Lot, Signup, commitment_of, ranked
from app.signups.service import Drawn, settle_draws

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime
    from uuid import UUID

    from app.activities.rules import Shift
    from app.kernel.database import Session
    from app.kernel.vault import Vault
    from app.signups.participants import Objections
    from app.signups.store import Key

MAKE_DRAW = "make_draw"


@dataclass(frozen=True, slots=True)
class DueDraw:
    """A draw to make, if it is time."""

    community: int
    shift_id: UUID
    drawn_by: str


def _secret(vault: Vault, community: int, shift_id: UUID) -> bytes:
    return bytes.fromhex(vault.hash("secret of a draw", str(community), str(shift_id)))


def _event(draw: Draw, what: str, **more: str) -> Event:
    return Event(draw.community, f"draw.{what}", {"shift_id": str(draw.shift_id), **more})


async def open_draws(session: Session, times: Mapping[Key, datetime]) -> None:
    """Announce draws of shifts, by community and id, at these times: publish what each will be held to."""
    opened = [
        Draw(
            community=community,
            shift_id=shift_id,
            commitment=commitment_of(_secret(session.vault, community, shift_id)),
            opened_at=session.now(community),
            draws_at=draws_at,
        )
        for (community, shift_id), draws_at in times.items()
    ]
    await draws_store.insert(session, opened)
    await append(session, [_event(one, "opened", commitment=one.commitment) for one in opened])
    await _enqueue(session, opened)


async def put_off_draws(session: Session, times: Mapping[Key, datetime]) -> None:
    """Let draws that were not made yet be made at other times; shifts without a draw are passed over."""
    found = await draws_store.load(session, times)
    put_off = [
        replace(one, draws_at=times[key])
        for key, one in found.items()
        if one.drawn_at is None and one.draws_at != times[key]
    ]
    await draws_store.update(session, put_off)
    await _enqueue(session, put_off)


async def _enqueue(session: Session, draws: Iterable[Draw]) -> None:
    await enqueue(
        session, [NewJob(one.community, MAKE_DRAW, one.draws_at, {"shift_id": str(one.shift_id)}) for one in draws]
    )


async def make_draws(
    session: Session, due: Sequence[DueDraw], *, objections: Objections = NO_OBJECTIONS
) -> list[Draw | Refusal]:
    """Draw the seats of shifts in order, each once and not before its time: the others wait in the order drawn."""
    keys = {(item.community, item.shift_id) for item in due}
    found, shifts = await draws_store.load(session, keys), await load_shifts(session, keys)
    applied: dict[Key, list[Signup]] = {key: [] for key in keys}
    for one in await store.live_of_shifts(session, keys):
        if one.status == APPLIED:
            applied[one.community, one.shift_id].append(one)
    outcomes: list[Key | Refusal] = []
    made: list[Draw] = []
    for item in due:
        key, now = (item.community, item.shift_id), session.now(item.community)
        refusal = _refusal(found.get(key), shifts.get(key), now)
        outcomes.append(refusal or key)
        if refusal is None:
            secret = _secret(session.vault, *key).hex()
            found[key] = replace(found[key], drawn_at=now, drawn_by=item.drawn_by, secret=secret)
            made.append(found[key])
    drawn = {(one.community, one.shift_id): one for one in await _settle(session, made, applied, objections)}
    return [outcome if isinstance(outcome, Refusal) else drawn[outcome] for outcome in outcomes]


def _refusal(draw: Draw | None, shift: Shift | None, now: datetime) -> Refusal | None:
    if draw is None or shift is None:
        return NotFound(resource="draw")
    if draw.drawn_at is not None:
        return AlreadyDrawn(drawn_at=draw.drawn_at)
    if shift.status == SKIPPED:
        return ShiftSkipped(shift_id=shift.id)
    return DrawNotDue(draws_at=draw.draws_at) if now < draw.draws_at else None


async def _settle(
    session: Session, made: Sequence[Draw], applied: Mapping[Key, Sequence[Signup]], objections: Objections
) -> list[Draw]:
    """Give the seats, and store who was drawn how."""
    orders: list[tuple[int, list[Signup]]] = []
    applicants: list[tuple[UUID, ...]] = []
    for index, draw in enumerate(made):
        by_participant = {one.participant_id: one for one in applied[draw.community, draw.shift_id]}
        applicants.append(tuple(sorted(by_participant)))
        by_position: dict[UUID, list[Signup]] = {}
        for participant_id in ranked(bytes.fromhex(str(draw.secret)), by_participant):
            one = by_participant[participant_id]
            by_position.setdefault(one.position_id, []).append(one)
        orders += [(index, order) for _, order in sorted(by_position.items())]
    # From here on what is decided about these shifts rests on their draws.
    await draws_store.update(session, made)
    settled = await settle_draws(
        session,
        [Drawn(made[index].community, tuple(one.id for one in order)) for index, order in orders],
        objections=objections,
    )
    lots: list[list[Lot]] = [[] for _ in made]
    for (index, _), seated in zip(orders, settled, strict=True):
        if isinstance(seated, Refusal):
            raise Refused(seated)
        lots[index] += [
            Lot(one.id, one.position_id, one.participant_id, rank, one.seat) for rank, one in enumerate(seated, 1)
        ]
    drawn = [replace(draw, applicants=applicants[index], lots=tuple(lots[index])) for index, draw in enumerate(made)]
    await draws_store.insert_lots(session, drawn)
    await append(session, [_event(one, "made", secret=str(one.secret)) for one in drawn])
    return drawn


async def get_draw(session: Session, community: int, shift_id: UUID) -> Draw:
    """Read the draw of a shift, with who has applied so far, or took part. Raises `Refused(NotFound)`."""
    key = (community, shift_id)
    draw = (await draws_store.load(session, [key])).get(key)
    if draw is None:
        raise Refused(NotFound(resource="draw"))
    if draw.drawn_at is not None:
        lots = await draws_store.lots_of(session, key)
        return replace(draw, applicants=tuple(sorted(one.participant_id for one in lots)), lots=lots)
    live = await store.live_of_shifts(session, [key])
    return replace(draw, applicants=tuple(sorted(one.participant_id for one in live if one.status == APPLIED)))
