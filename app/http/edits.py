"""PATCH over HTTP: `ETag` shows a resource's revision, `If-Match` says which one a change was made on (RFC 9110)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar, TypeVar

from fastapi import Depends, Request, Response

from app.http.problem_codes import PROBLEMS
from app.kernel.editing import WHICHEVER, Expected
from app.kernel.errors import Refusal, Refused
from app.kernel.submission import confirm

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from pydantic import BaseModel

    from app.http.context import Context
    from app.kernel.database import Session
    from app.kernel.submission import Submitter

ItemT = TypeVar("ItemT")
ResultT = TypeVar("ResultT")

_strong = re.compile(r'"([0-9]{1,15})"')


@dataclass(frozen=True, slots=True)
class PreconditionRequired(Refusal):
    """A PATCH without If-Match."""

    code: ClassVar[str] = "precondition-required"
    kept: ClassVar[bool] = False

    @property
    def detail(self) -> str:
        """Say what to send."""
        return PROBLEMS[self.code].detail


def etag(revision: int) -> str:
    """Write a revision as an entity tag."""
    return f'"{revision}"'


async def _expected(request: Request) -> Expected:
    """Read If-Match; a tag that is none of ours matches nothing. Raises `Refused(PreconditionRequired)`."""
    header = ",".join(request.headers.getlist("if-match")).strip()
    if not header:
        raise Refused(PreconditionRequired())
    if header == "*":
        return WHICHEVER
    forms = [_strong.fullmatch(tag.strip()) for tag in header.split(",")]
    return Expected(frozenset(int(form[1]) for form in forms if form))


ExpectedDep = Annotated[Expected, Depends(_expected)]


async def edit(
    request: Request,
    admitted: Submitter,
    *,
    item: ItemT,
    run: Callable[[Session, Sequence[ItemT]], Awaitable[Sequence[ResultT | Refusal]]],
    render: Callable[[ResultT], tuple[BaseModel, int]],
) -> Response:
    """Carry out one change and answer with the resource and its new ETag. Raises `Refused`.

    `render` gives the model and the revision.
    """
    context: Context = request.app.state.context

    async def work(session: Session) -> ResultT | Refusal:
        await confirm(session, admitted)
        (outcome,) = await run(session, [item])
        return outcome

    outcome = await context.database.run([admitted.community], work)
    if isinstance(outcome, Refusal):
        raise Refused(outcome)
    model, revision = render(outcome)
    return Response(model.model_dump_json(), headers={"ETag": etag(revision)}, media_type="application/json")
