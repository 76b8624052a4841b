"""Access tokens: JWTs of RFC 9068 (`typ: at+jwt`), signed with Ed25519 and nothing else."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import UUID, uuid4

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet, OKPKey
from joserfc.jws import JWSRegistry

from app.access.errors import InvalidToken
from app.access.rules import Caller
from app.kernel.errors import Refused
from app.kernel.keys import pem_of, private_key, public_keys

if TYPE_CHECKING:
    from collections.abc import Sequence

    from joserfc.jwt import ClaimsOption

_algorithm = "Ed25519"
_type = "at+jwt"
CHECKED_MAX = 10_000
"""How many tokens are remembered, so that not every request costs a check of a signature."""

_token_length_max = 4096
_ids = ("community_id", "volunteer_id", "card_id")
_registry = JWSRegistry(algorithms=[_algorithm])


class _Checked(NamedTuple):
    """A token that held: whose it is, and until when (seconds since 1970)."""

    caller: Caller
    expires_at: int


class Tokens:
    """Signs and checks access tokens. Tokens use the real time, whatever clock the communities have."""

    def __init__(self, signing_key: str, *, old_keys: str = "", issuer: str, seconds: int) -> None:
        """Load the key that signs and those that did; their thumbprints (RFC 7638) are their ids.

        Raises `SigningKeyError`.
        """
        self._key = OKPKey.import_key(pem_of(private_key(signing_key, "SIGNING_KEY")))
        old = [OKPKey.import_key(pem_of(key)) for key in public_keys(old_keys, "SIGNING_KEYS_OLD")]
        by_id = {key.thumbprint(): key for key in (*old, self._key)}
        for key in by_id.values():
            key.ensure_kid()
        # The one that signs stands first.
        self._keys = KeySet(list(reversed(by_id.values())))
        # Only what was checked to the end stands here. Revocation is looked up at each command, so it is not lost.
        self._checked: dict[str, _Checked] = {}
        self._issuer = issuer
        self.seconds = seconds

    def issue(self, caller: Caller) -> str:
        """Sign a token for a caller, good for `seconds`."""
        now = int(time.time())
        claims: dict[str, Any] = {
            "iss": self._issuer,
            "aud": self._issuer,
            "sub": caller.id,
            "client_id": caller.id,
            "scope": caller.role,
            "iat": now,
            "exp": now + self.seconds,
            "jti": str(uuid4()),
            "community": caller.community,
        }
        claims |= {name: str(value) for name in _ids if (value := getattr(caller, name)) is not None}
        header = {"alg": _algorithm, "typ": _type, "kid": self._key.kid}
        return jwt.encode(header, claims, self._key, registry=_registry)

    def check(self, token: str, *, roles: Sequence[str]) -> Caller:
        """Read the caller out of a token. Raises `Refused(InvalidToken)` with the part that does not hold."""
        known = self._checked.get(token)
        if known is not None and known.expires_at >= time.time() and known.caller.role in roles:
            return known.caller
        if len(token) > _token_length_max:
            raise Refused(InvalidToken(reason="it is too long"))
        try:
            decoded = jwt.decode(token, self._keys, registry=_registry)
        except (JoseError, ValueError):
            raise Refused(InvalidToken(reason="it is not signed by this service")) from None
        if decoded.header.get("typ") != _type:
            raise Refused(InvalidToken(reason="it is not an access token"))
        claims = decoded.claims
        must: ClaimsOption = {"essential": True, "value": self._issuer}
        try:
            jwt.JWTClaimsRegistry(
                iss=must, aud=must, exp={"essential": True}, iat={"essential": True}, sub={"essential": True}
            ).validate(claims)
        except JoseError as error:
            raise Refused(InvalidToken(reason=f"a claim does not hold ({error.error})")) from None
        if claims.get("scope") not in roles:
            raise Refused(InvalidToken(reason="its role is unknown"))
        ids = {name: UUID(claims[name]) for name in _ids if name in claims}
        caller = Caller(claims["sub"], claims["scope"], claims["community"], **{"community_id": None, **ids})
        if len(self._checked) >= CHECKED_MAX:
            # The oldest goes: a dict keeps the order in which its keys came.
            del self._checked[next(iter(self._checked))]
        self._checked[token] = _Checked(caller, claims["exp"])
        return caller

    def public_keys(self) -> dict[str, Any]:
        """The public keys as a JWK set (RFC 7517)."""
        return {"keys": [{**key.as_dict(private=False), "alg": _algorithm, "use": "sig"} for key in self._keys]}
