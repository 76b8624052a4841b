"""Routes of tokens and clients."""

from __future__ import annotations

import base64
from functools import partial
from typing import Annotated, Any
from urllib.parse import unquote_plus

from fastapi import Form, Request, Response
from pydantic import BeforeValidator

from app.access import cards, service
from app.access.guard import ROLES, AdmittedDep
from app.access.pins import Pins
from app.access.rules import Caller, caller_of_volunteer, community_of
from app.access.schemas import (
    ClientCreatedModel,
    ClientModel,
    ClientNew,
    ClientPage,
    KeySetModel,
    MetadataModel,
    TokenErrorModel,
    TokenModel,
)
from app.http.commands import created, submit
from app.http.context import ContextDep, context_of
from app.http.limits import source_of
from app.http.lists import ListingDep
from app.http.operations import ANYONE, CLIENT_READERS, MANAGERS, VOLUNTEER, operation
from app.http.problems import MEDIA_TYPE
from app.http.routes import Router
from app.kernel.errors import Refused
from app.kernel.heads import CITY
from app.kernel.idempotency import Answer
from app.kernel.submission import confirm

router = Router(prefix="/v1/communities/{community_id}/clients", tags=["clients"])
public = Router(tags=["tokens"])


def _text_or_nothing(value: object) -> object:
    """Read a file in place of a parameter as none: RFC 6749 has its own answer for what is missing."""
    return value if isinstance(value, str) else ""


_Parameter = Annotated[str, BeforeValidator(_text_or_nothing), Form()]
_client_grant = "client_credentials"
_card_grant = "urn:love-bank:grant-type:card"
_no_store = {"Cache-Control": "no-store", "Pragma": "no-cache"}
_token_errors: dict[int | str, dict[str, Any]] = {
    400: {
        "model": TokenErrorModel,
        "description": "`invalid_request`, `unsupported_grant_type`, or `invalid_grant`: no such card, wrong PIN, or"
        " too many wrong ones; a problem document when the form is broken",
        "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
        "x-problems": ["unmapped"],
    },
    401: {"model": TokenErrorModel, "description": "`invalid_client`: unknown client or wrong secret"},
}


def _token_operation(summary: str) -> dict[str, Any]:
    arguments = operation(roles=ANYONE, summary=summary, problems=["body-too-large"])
    example = {"grant_type": "client_credentials", "client_id": "1-0123456789abcdef", "client_secret": "shown once"}
    body = {"required": True, "content": {"application/x-www-form-urlencoded": {"example": example}}}
    return {
        **arguments,
        "openapi_extra": {**arguments["openapi_extra"], "requestBody": body},
        "responses": {**arguments["responses"], **_token_errors},
    }


@public.post("/oauth2/token", response_model=TokenModel, **_token_operation("Get an access token"))
async def get_token(
    request: Request,
    grant_type: _Parameter = "",
    client_id: _Parameter = "",
    client_secret: _Parameter = "",
    card_number: _Parameter = "",
    pin: _Parameter = "",
) -> Response:
    """Client credentials (RFC 6749, section 4.4), with the secret in the body or in HTTP Basic; or a volunteer's card.

    With `grant_type` `urn:love-bank:grant-type:card`, `card_number` and `pin` no client is authenticated. After 5 wrong
    PINs from one address a card gets no token there for 15 minutes, and after 20 from all addresses where it was not
    used in the last 30 days, none at such an address for a day. What was wrong is not told.
    """
    if grant_type not in {_client_grant, _card_grant}:
        error = "unsupported_grant_type" if grant_type else "invalid_request"
        return _token_error(400, error, f"grant_type has to be {_client_grant} or {_card_grant}")
    form = await request.form()
    basic = _basic(request.headers.get("authorization", ""))
    if len(form.multi_items()) > len(form) or (basic and client_secret):
        return _token_error(400, "invalid_request", "a parameter stands twice, or the secret is in two places")
    if not all(isinstance(value, str) for value in form.values()):
        return _token_error(400, "invalid_request", "a parameter is a file")
    if grant_type == _card_grant:
        return await _card_token(request, card_number, pin)
    return await _client_token(request, *(basic or (client_id, client_secret)))


async def _client_token(request: Request, client_id: str, client_secret: str) -> Response:
    context = await context_of(request)
    async with context.database.read(community_of(client_id) or CITY) as session:
        client = await service.authenticate(session, client_id, client_secret)
    if client is None:
        return _token_error(401, "invalid_client", "unknown client or wrong secret")
    community_id = await request.app.state.directory.id_of(client.community) if client.community else None
    return _token(request, Caller(client.client_id, client.role, client.community, community_id))


async def _card_token(request: Request, card_number: str, pin: str) -> Response:
    if not card_number or not pin:
        return _token_error(400, "invalid_request", "card_number and pin are needed")
    database = (await context_of(request)).database
    pins: Pins = request.app.state.pins
    source = source_of(request.scope)
    # No head is locked, so these transactions name no community; see `app.access.cards`.
    attempt = await database.run([], partial(cards.count_attempt, number=card_number, source=source))
    right = await pins.fits(attempt.pin_hash, attempt.card_id, pin)
    holder = await database.run([], partial(cards.let_in, attempt=attempt)) if right else None
    if holder is None:
        return _token_error(400, "invalid_grant", "the card and the PIN do not fit, or there were too many wrong PINs")
    caller = Caller(
        caller_of_volunteer(holder.volunteer_id),
        VOLUNTEER,
        holder.community,
        await request.app.state.directory.id_of(holder.community),
        holder.volunteer_id,
        holder.card_id,
    )
    return _token(request, caller)


def _token(request: Request, caller: Caller) -> Response:
    tokens = request.app.state.tokens
    token = TokenModel(
        access_token=tokens.issue(caller),
        token_type="Bearer",  # noqa: S106  a kind of token, no password
        expires_in=tokens.seconds,
        scope=caller.role,
    )
    return Response(token.model_dump_json(), headers=_no_store, media_type="application/json")


def _basic(header: str) -> tuple[str, str] | None:
    scheme, _, encoded = header.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        name, colon, secret = base64.b64decode(encoded, validate=True).decode().partition(":")
    except ValueError:  # Not base64, not ASCII before decoding, or not UTF-8 after it.
        return ("", "")
    return (unquote_plus(name), unquote_plus(secret)) if colon else ("", "")


def _token_error(status: int, error: str, description: str) -> Response:
    headers = {**_no_store, "WWW-Authenticate": 'Basic realm="love-bank"'} if status == 401 else _no_store
    body = f'{{"error":"{error}","error_description":"{description}"}}'
    return Response(body, status, headers, "application/json")


@public.get(
    "/.well-known/oauth-authorization-server",
    response_model=MetadataModel,
    **operation(roles=ANYONE, summary="Describe the token endpoint"),
)
async def get_authorization_server(context: ContextDep) -> MetadataModel:
    """Metadata of the authorization server (RFC 8414)."""
    issuer = context.settings.issuer
    return MetadataModel(
        issuer=issuer,
        token_endpoint=f"{issuer}/oauth2/token",
        jwks_uri=f"{issuer}/.well-known/jwks.json",
        grant_types_supported=[_client_grant, _card_grant],
        token_endpoint_auth_methods_supported=["client_secret_basic", "client_secret_post", "none"],
        scopes_supported=list(ROLES),
        response_types_supported=[],
    )


@public.get(
    "/.well-known/jwks.json", response_model=KeySetModel, **operation(roles=ANYONE, summary="List the public keys")
)
async def get_keys(request: Request) -> Any:
    """The public keys that tokens are signed with."""
    return request.app.state.tokens.public_keys()


def _created(request: Request, client: service.Client) -> Answer:
    model = ClientCreatedModel.model_validate(client)
    return created(request, client.client_id, model, once=frozenset({"client_secret"}))


@router.post(
    "",
    status_code=201,
    response_model=ClientCreatedModel,
    **operation(
        roles=MANAGERS,
        summary="Create a client",
        keyed=True,
        example={"name": "前台一号窗口", "role": "front_desk"},
    ),
)
async def create_client(request: Request, body: ClientNew, admitted: AdmittedDep) -> Response:
    """Create a client of the community and show its secret, this once."""
    return await submit(
        request,
        admitted,
        body=body,
        item=service.NewClient(admitted.community, body.name, body.role),
        run=service.create_clients,
        render=partial(_created, request),
    )


@router.get(
    "",
    response_model=ClientPage,
    **operation(roles=CLIENT_READERS, summary="List clients", problems=["invalid-cursor"]),
)
async def list_clients(listing: ListingDep, admitted: AdmittedDep) -> ClientPage:
    """Clients that are not revoked, newest first."""
    page = await listing.page("clients", admitted.community, service.list_clients, place=lambda numbered: numbered[0])
    return ClientPage.of(page, lambda numbered: ClientModel.model_validate(numbered[1]))


@router.delete(
    "/{client_id}",
    status_code=204,
    **operation(roles=MANAGERS, summary="Revoke a client"),
)
async def revoke_client(client_id: str, context: ContextDep, admitted: AdmittedDep) -> Response:
    """Revoke a client: it gets no more tokens."""
    async with context.database.write(admitted.community) as session:
        await confirm(session, admitted)
        refusal = await service.revoke_client(session, admitted.community, client_id)
    if refusal is not None:
        raise Refused(refusal)
    return Response(status_code=204)
