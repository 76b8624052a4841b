"""What clients and tokens look like on the wire."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from app.http.fields import Name, RequestModel
from app.http.pages import PageModel

ClientRole = Literal["manager", "front_desk", "verifier", "auditor", "integrator"]


class ClientNew(RequestModel):
    """A client to make."""

    name: Name = Field(description="what the client is, for the people who manage clients", examples=["前台一号窗口"])
    role: ClientRole


class ClientModel(BaseModel):
    """A client of the community."""

    model_config = ConfigDict(title="Client", from_attributes=True)

    client_id: str
    name: str
    role: ClientRole
    created_at: datetime


class ClientCreatedModel(ClientModel):
    """A client just made. Its secret is shown this once."""

    model_config = ConfigDict(title="ClientCreated", from_attributes=True)

    client_secret: str | None = Field(None, description="absent in a replayed answer: it is shown once")


class ClientPage(PageModel[ClientModel]):
    """A page of clients."""


class TokenModel(BaseModel):
    """An access token (RFC 6749, section 5.1)."""

    model_config = ConfigDict(title="Token")

    access_token: str
    token_type: Literal["Bearer"]
    expires_in: int = Field(description="seconds")
    scope: str = Field(description="the caller's role")


class TokenErrorModel(BaseModel):
    """Why there is no token (RFC 6749, section 5.2)."""

    model_config = ConfigDict(title="TokenError")

    error: Literal["invalid_request", "invalid_client", "invalid_grant", "unsupported_grant_type"]
    error_description: str


class MetadataModel(BaseModel):
    """What clients need to know about the token endpoint (RFC 8414)."""

    model_config = ConfigDict(title="AuthorizationServer")

    issuer: str
    token_endpoint: str
    jwks_uri: str
    grant_types_supported: list[str]
    token_endpoint_auth_methods_supported: list[str]
    scopes_supported: list[str]
    response_types_supported: list[str]


class KeyModel(BaseModel):
    """A public key (RFC 7517; of an Ed25519 key, RFC 8037)."""

    model_config = ConfigDict(title="Key")

    kid: str
    kty: str
    crv: str
    x: str
    alg: str
    use: str


class KeySetModel(BaseModel):
    """The public keys that tokens are signed with (RFC 7517)."""

    model_config = ConfigDict(title="KeySet")

    keys: list[KeyModel]
