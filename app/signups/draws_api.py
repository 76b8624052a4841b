"""Routes of draws."""

from __future__ import annotations

from functools import partial
from uuid import UUID

from fastapi import Request, Response

from app.access.guard import AdmittedDep
from app.http.commands import answered, submit
from app.http.context import ContextDep
from app.http.operations import MANAGERS, READERS, operation
from app.http.routes import Router
from app.signups import draws
from app.signups.draws_schemas import DrawModel

router = Router(prefix="/v1/communities/{community_id}/shifts/{shift_id}/draw", tags=["activities"])


@router.get(
    "",
    response_model=DrawModel,
    **operation(roles=READERS, summary="Read the draw of a shift"),
)
async def get_draw(shift_id: UUID, context: ContextDep, admitted: AdmittedDep) -> DrawModel:
    """The draw of a shift's seats, which anybody can repeat offline.

    An id counts as its 16 bytes, a secret as its 32. Before anybody applied, `commitment` was published: the SHA-256 of
    the secret. `seed` is the SHA-256 of the secret followed by the ids of all applicants in ascending order. Of each
    position, those who applied for it are ranked by the SHA-256 of the seed followed by their id, ascending as bytes.
    In this order they get the free seats from 1 on, and the others wait in it. In Python:

        ids = sorted(UUID(one).bytes for one in applicants)
        assert sha256(bytes.fromhex(secret)).hexdigest() == commitment
        seed = sha256(bytes.fromhex(secret) + b"".join(ids)).digest()
        ranking = [UUID(bytes=one) for one in sorted(ids, key=lambda one: sha256(seed + one).digest())]
    """
    async with context.database.read(admitted.community) as session:
        return DrawModel.of(await draws.get_draw(session, admitted.community, shift_id))


@router.post(
    "",
    response_model=DrawModel,
    **operation(
        roles=MANAGERS,
        summary="Draw the seats of a shift",
        keyed=True,
        problems=["draw-not-due", "already-drawn", "shift-skipped"],
    ),
)
async def make_draw(shift_id: UUID, request: Request, admitted: AdmittedDep) -> Response:
    """Draw among those who applied, when it is time and nobody has yet; the service does so by itself as well."""
    return await submit(
        request,
        admitted,
        body=None,
        item=draws.DueDraw(admitted.community, shift_id, admitted.caller_id),
        run=partial(draws.make_draws, objections=request.app.state.objections),
        render=lambda draw: answered(DrawModel.of(draw)),
    )
