"""The guard of every route: reads the token, and holds the caller against the route's own `x-roles`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Protocol, Self, cast
from uuid import UUID

from fastapi import Depends, Request
from fastapi.openapi.models import OAuthFlowClientCredentials, OAuthFlows
from fastapi.security import OAuth2

from app.access import service
from app.access.errors import InvalidToken, RoleMissing
from app.http.operations import CITY_ADMIN, COMMUNITY_ROLES, VOLUNTEER
from app.kernel.errors import NotFound, Refused
from app.kernel.heads import CITY

if TYPE_CHECKING:
    from collections.abc import Sequence

    from app.access.rules import Caller
    from app.access.tokens import Tokens
    from app.kernel.database import Session
    from app.kernel.errors import Refusal
    from app.kernel.rows import Read

ROLES = (CITY_ADMIN, *COMMUNITY_ROLES, VOLUNTEER)


class Directory(Protocol):
    """Finds communities; the feature that has them provides it."""

    async def number_of(self, community_id: UUID) -> int | None:
        """Give the small number of a community."""

    def known(self, community_id: UUID) -> int | None:
        """Give the small number of a community that was looked up before."""

    async def id_of(self, community: int) -> UUID | None:
        """Give the id of the community with a small number."""


@dataclass(frozen=True, slots=True)
class Admitted:
    """A caller who may call the route, and the small number of the community that the path names.

    Where it names none, that is 0 (the city), or a volunteer's own community.
    """

    caller: Caller
    community: int
    beside: int | None = None
    """A community that its command looks at besides: the city, whose teams serve in all."""

    @property
    def role(self) -> str:
        """The caller's role."""
        return self.caller.role

    @property
    def caller_id(self) -> str:
        """The caller's name."""
        return self.caller.id

    @property
    def volunteer_id(self) -> UUID:
        """The volunteer who calls; of routes that are open to volunteers alone."""
        return cast("UUID", self.caller.volunteer_id)

    @property
    def seen(self) -> frozenset[int]:
        """The communities that its command looks at: of the caller's client or card, and the one beside."""
        return frozenset({self.caller.community, self.caller.community if self.beside is None else self.beside})

    def reads(self, dialect: str, others: Sequence[Self]) -> Sequence[Read[Any]]:
        """What `withdrawn` will ask."""
        return service.revocations(dialect, _callers(others))

    async def withdrawn(self, session: Session, others: Sequence[Self]) -> list[Refusal | None]:
        """For each of others: a refusal if its client or card was revoked since the token was made."""
        revoked = await service.revoked_among(session, _callers(others))
        refusal = InvalidToken(reason="what it was made for has been revoked")
        return [refusal if other.caller in revoked else None for other in others]


def _callers(admitted: Sequence[Admitted]) -> list[Caller]:
    return list(dict.fromkeys(one.caller for one in admitted))


class Guard:
    """Tells who calls, and lets callers through to routes."""

    def __init__(self, tokens: Tokens, directory: Directory) -> None:
        """Take what checks tokens and what finds communities."""
        self._tokens, self._directory = tokens, directory

    def caller(self, authorization: str) -> Caller:
        """Read the caller out of the header. Raises `Refused(InvalidToken)`."""
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise Refused(InvalidToken(reason="there is no Bearer token in the Authorization header"))
        return self._tokens.check(token.strip(), roles=ROLES)

    async def admit(self, caller: Caller, community_id: UUID | None, roles: Sequence[str]) -> Admitted:
        """Let a caller through to a route for these roles, in a community if its path names one.

        Raises `Refused`: with `NotFound` outside the caller's community, else with `RoleMissing`.
        """
        if self.would_look_up(caller, community_id):
            await self._directory.number_of(cast("UUID", community_id))
        return self.admit_known(caller, community_id, roles)

    def would_look_up(self, caller: Caller, community_id: UUID | None) -> bool:
        """Whether admitting asks the database: the city's, for a community that nobody has named before."""
        own = community_id is None or caller.community_id == community_id
        return not own and caller.role == CITY_ADMIN and self._directory.known(cast("UUID", community_id)) is None

    def admit_known(self, caller: Caller, community_id: UUID | None, roles: Sequence[str]) -> Admitted:
        """Let a caller through as `admit` does, without asking the database."""
        if community_id is None:
            community: int | None = caller.community if caller.role == VOLUNTEER else CITY
        elif caller.community_id == community_id:
            community = caller.community
        else:
            community = self._directory.known(community_id) if caller.role == CITY_ADMIN else None
        if community is None:
            raise Refused(NotFound(resource="community"))
        if caller.role not in roles:
            raise Refused(RoleMissing(role=caller.role, roles=tuple(roles)))
        return Admitted(caller, community)


_scheme = OAuth2(
    flows=OAuthFlows(clientCredentials=OAuthFlowClientCredentials(tokenUrl="/oauth2/token")),
    scheme_name="token",
    description="Client credentials (RFC 6749), or at the same address a volunteer's card with its PIN (`grant_type` "
    "`urn:love-bank:grant-type:card`, `card_number`, `pin`); the token's scope is the caller's role.",
    auto_error=False,
)


async def admit(request: Request, _: Annotated[str | None, Depends(_scheme)]) -> Admitted:
    """Let a caller through to a route, or raise: 401 without a valid token, 404 outside the caller's community, 403.

    Raises `Refused` with `InvalidToken`, `NotFound` or `RoleMissing`.
    """
    guard: Guard = request.app.state.guard
    caller = guard.caller(request.headers.get("authorization", ""))
    request.state.caller_id = caller.id
    return await guard.admit(caller, _community_id(request), request.scope["route"].openapi_extra["x-roles"])


def _community_id(request: Request) -> UUID | None:
    text = request.path_params.get("community_id")
    try:
        return None if text is None else UUID(text)
    except ValueError:
        raise Refused(NotFound(resource="community")) from None


#: A route that takes this is open to the roles in its `x-roles` and to no one else.
AdmittedDep = Annotated[Admitted, Depends(admit)]
