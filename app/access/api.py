"""Routes of tokens and clients."""

from __future__ import annotations

import base64
from dataclasses import replace
from functools import partial
from typing import Annotated, Any
from urllib.parse import unquote_plus

from fastapi import APIRouter, Form, Request, Response
from pydantic import BeforeValidator

from app.access import service
from app.access.guard import ROLES, AdmittedDep
from app.access.rules import Caller, community_of
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
from app.http.context import ContextDep
from app.http.lists import ListingDep
from app.http.operations import ANYONE, CLIENT_READERS, MANAGERS, operation
from app.http.problems import MEDIA_TYPE
from app.kernel.errors import Refused
from app.kernel.heads import CITY
from app.kernel.idempotency import Answer

router = APIRouter(prefix="/v1/communities/{community_id}/clients", tags=["clients"])
public = APIRouter(tags=["tokens"])


def _text_or_nothing(value: object) -> object:
    """Read a file in place of a parameter as none: RFC 6749 has its own answer for what is missing."""
    return value if isinstance(value, str) else ""


_Parameter = Annotated[str, BeforeValidator(_text_or_nothing), Form()]
_no_store = {"Cache-Control": "no-store", "Pragma": "no-cache"}
_token_errors: dict[int | str, dict[str, Any]] = {
    400: {
        "model": TokenErrorModel,
        "description": "`invalid_request` or `unsupported_grant_type`; a problem document when the form is broken",
        "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
        "x-problems": ["unmapped"],
    },
    401: {"model": TokenErrorModel, "description": "`invalid_client`: unknown client or wrong secret"},
}


def _token_operation(summary: str) -> dict[str, Any]:
    arguments = operation(roles=ANYONE, summary=summary, problems=["body-too-large"])
    example = {"grant_type": "client_credentials", "client_id": "1-0123456789abcdef", "client_secret": "shown once"}
    body = {"content": {"application/x-www-form-urlencoded": {"example": example}}}
    return {
        **arguments,
        "openapi_extra": {**arguments["openapi_extra"], "requestBody": body},
        "responses": {**arguments["responses"], **_token_errors},
    }


@public.post("/oauth2/token", response_model=TokenModel, **_token_operation("Get an access token"))
async def get_token(
    request: Request,
    context: ContextDep,
    grant_type: _Parameter = "",
    client_id: _Parameter = "",
    client_secret: _Parameter = "",
) -> Response:
    """Client credentials (RFC 6749, section 4.4), with the secret in the body or in HTTP Basic."""
    if grant_type != "client_credentials":
        error = "unsupported_grant_type" if grant_type else "invalid_request"
        return _token_error(400, error, "grant_type has to be client_credentials")
    basic = _basic(request.headers.get("authorization", ""))
    form = await request.form()
    if len(form.multi_items()) > len(form) or (basic and client_secret):
        return _token_error(400, "invalid_request", "a parameter stands twice, or the secret is in two places")
    if not all(isinstance(value, str) for value in form.values()):
        return _token_error(400, "invalid_request", "a parameter is a file")
    credentials = basic or (client_id, client_secret)
    async with context.database.read(community_of(credentials[0]) or CITY) as session:
        client = await service.authenticate(session, *credentials)
    if client is None:
        return _token_error(401, "invalid_client", "unknown client or wrong secret")
    community_id = await request.app.state.directory.id_of(client.community) if client.community else None
    tokens = request.app.state.tokens
    token = TokenModel(
        access_token=tokens.issue(Caller(client.client_id, client.role, client.community, community_id)),
        token_type="Bearer",  # noqa: S106  a kind of token, no password
        expires_in=tokens.seconds,
        scope=client.role,
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
        grant_types_supported=["client_credentials"],
        token_endpoint_auth_methods_supported=["client_secret_basic", "client_secret_post"],
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
    answer = created(request, client.client_id, model)
    return replace(answer, kept_body=model.model_dump_json(exclude={"client_secret"}).encode())


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
        await admitted.confirm(session)
        refusal = await service.revoke_client(session, admitted.community, client_id)
    if refusal is not None:
        raise Refused(refusal)
    return Response(status_code=204)
