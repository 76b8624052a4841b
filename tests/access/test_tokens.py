"""The token endpoint (RFC 6749), its metadata (RFC 8414), and the tokens it gives (RFC 9068)."""

from __future__ import annotations

import base64
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import quote_plus

import pytest
from joserfc import jwt
from joserfc.jwk import KeySet, OKPKey
from joserfc.jws import JWSRegistry

from app.access.rules import Caller
from app.access.tokens import Tokens
from app.kernel.errors import Refused
from app.kernel.keys import new_signing_key
from tests.bank import done, refused

if TYPE_CHECKING:
    import httpx

    from tests.bank import Bank

GRANT = {"grant_type": "client_credentials"}
# The engines differ in nothing here but the look-up of a client, which a test for each of them covers.
on_one_engine = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


async def new_client(bank: Bank, role: str = "front_desk") -> tuple[str, str]:
    """A client's id and secret."""
    made = done(await bank.manager.post("clients", {"name": "窗口", "role": role}), 201)
    return made["client_id"], made["client_secret"]


async def ask(bank: Bank, headers: dict[str, str] | None = None, **form: str) -> httpx.Response:
    """Ask for a token."""
    return await bank.http.post("/oauth2/token", data={**GRANT, **form}, headers=headers)


def basic(client_id: str, client_secret: str) -> dict[str, str]:
    """HTTP Basic as RFC 6749 wants it: both parts form-encoded first."""
    pair = f"{quote_plus(client_id)}:{quote_plus(client_secret)}"
    return {"Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}


def never_stored(answer: httpx.Response) -> bool:
    """Whether no cache on the way may keep the answer (RFC 6749, section 5.1)."""
    return (answer.headers.get("cache-control"), answer.headers.get("pragma")) == ("no-store", "no-cache")


async def test_secret_in_the_body_or_in_basic_gives_a_token_that_works(bank: Bank) -> None:
    client_id, secret = await new_client(bank)
    for answer in (
        await ask(bank, client_id=client_id, client_secret=secret),
        await ask(bank, basic(client_id, secret)),
        await ask(bank, basic(client_id, secret), client_id=client_id),
    ):
        token = done(answer, 200)
        assert never_stored(answer)
        assert (token["token_type"], token["expires_in"], token["scope"]) == ("Bearer", 600, "front_desk")
        for scheme in ("Bearer", "bearer", "BEARER"):
            headers = {"Authorization": f"{scheme} {token['access_token']}"}
            assert (await bank.http.get(f"{bank.desk.base}/volunteers", headers=headers)).status_code == 200


async def test_nobody_learns_why_a_client_is_not_authenticated(bank: Bank) -> None:
    client_id, secret = await new_client(bank)
    other_id, other_secret = await new_client(bank)
    revoked_id, revoked_secret = await new_client(bank)
    assert (await bank.manager.delete(f"clients/{revoked_id}")).status_code == 204
    pairs = {
        "wrong secret": (client_id, secret[:-1] + ("A" if secret[-1] != "A" else "B")),
        "another client's secret": (client_id, other_secret),
        "another client's id": (other_id, secret),
        "revoked": (revoked_id, revoked_secret),
        "unknown client": (f"{bank.number}-0123456789abcdef", secret),
        "unknown community": ("999999-0123456789abcdef", secret),
        "the city's number": ("0" + client_id[1:], secret),
        "no id": ("", secret),
        "no secret": (client_id, ""),
        "no form of an id": ("前台", secret),
        "secret in capitals": (client_id, secret.swapcase()),
    }
    for fault, (tried_id, tried_secret) in pairs.items():
        for answer in (
            await ask(bank, client_id=tried_id, client_secret=tried_secret),
            await ask(bank, basic(tried_id, tried_secret)),
        ):
            assert answer.status_code == 401, fault
            assert answer.json() == {
                "error": "invalid_client",
                "error_description": "unknown client or wrong secret",
            }, fault
            assert answer.headers["www-authenticate"].startswith("Basic ")
            assert never_stored(answer)


@on_one_engine
@pytest.mark.parametrize(
    "header",
    ["Basic", "Basic ", "Basic !!!", "Basic YQ", "Basic YQ==", "basic 4pyT", "Basic /w==", "Basic " + "QUFB" * 2000],
)
async def test_broken_basic_is_no_authentication(bank: Bank, header: str) -> None:
    answer = await ask(bank, {"Authorization": header})
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")


@on_one_engine
async def test_basic_of_other_bytes_than_ascii_is_no_authentication(bank: Bank) -> None:
    answer = await bank.http.post("/oauth2/token", data=GRANT, headers={b"Authorization": b"Basic \xe9\xe9"})
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")


@on_one_engine
@pytest.mark.parametrize("name", ["grant_type", "client_id", "client_secret"])
async def test_file_in_place_of_a_parameter_is_an_invalid_request_as_the_rfc_has_it(bank: Bank, name: str) -> None:
    form = {key: value for key, value in GRANT.items() if key != name}
    answer = await bank.http.post("/oauth2/token", data=form, files={name: ("file.txt", b"client_credentials")})
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


@on_one_engine
async def test_request_that_is_not_of_this_grant_is_told_so(bank: Bank) -> None:
    client_id, secret = await new_client(bank)
    credentials = {"client_id": client_id, "client_secret": secret}
    cases: list[tuple[Any, str]] = [
        ({"grant_type": "password", **credentials}, "unsupported_grant_type"),
        ({"grant_type": "authorization_code", **credentials}, "unsupported_grant_type"),
        (credentials, "invalid_request"),
        ({}, "invalid_request"),
        ({**GRANT, **credentials, "client_id": [client_id, client_id]}, "invalid_request"),
    ]
    for form, error in cases:
        answer = await bank.http.post("/oauth2/token", data=form)
        assert (answer.status_code, answer.json()["error"]) == (400, error), form
        assert never_stored(answer)
    answer = await ask(bank, basic(client_id, secret), client_secret=secret)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")
    as_json = await bank.http.post("/oauth2/token", json={**GRANT, **credentials})
    assert (as_json.status_code, as_json.json()["error"]) == (400, "invalid_request")


@on_one_engine
async def test_token_endpoint_takes_nothing_in_its_address(bank: Bank) -> None:
    """A secret in a URL would stand in logs."""
    client_id, secret = await new_client(bank)
    query = {**GRANT, "client_id": client_id, "client_secret": secret}
    refused(await bank.http.get("/oauth2/token", params=query), "method-not-allowed")
    assert (await bank.http.post("/oauth2/token", params=query)).status_code == 400


@on_one_engine
async def test_token_is_what_rfc_9068_says_and_the_published_key_verifies_it(bank: Bank) -> None:
    client_id, secret = await new_client(bank, "auditor")
    published = done(await bank.http.get("/.well-known/jwks.json"), 200)
    metadata = done(await bank.http.get("/.well-known/oauth-authorization-server"), 200)
    registry = JWSRegistry(algorithms=["Ed25519"])
    seen = set()
    for _ in range(2):
        token = done(await ask(bank, client_id=client_id, client_secret=secret), 200)["access_token"]
        decoded = jwt.decode(token, KeySet.import_key_set(published), registry=registry)
        assert decoded.header == {"alg": "Ed25519", "typ": "at+jwt", "kid": published["keys"][0]["kid"]}
        claims = decoded.claims
        assert (claims["iss"], claims["aud"]) == (metadata["issuer"], metadata["issuer"])
        assert (claims["sub"], claims["client_id"], claims["scope"]) == (client_id, client_id, "auditor")
        assert claims["exp"] - claims["iat"] == 600
        assert (claims["community"], claims["community_id"]) == (bank.number, bank.community["id"])
        seen.add(claims["jti"])
    assert len(seen) == 2


@on_one_engine
async def test_published_keys_have_nothing_private(bank: Bank) -> None:
    (key,) = done(await bank.http.get("/.well-known/jwks.json"), 200)["keys"]
    assert set(key) == {"kty", "crv", "x", "kid", "alg", "use"}
    assert (key["kty"], key["crv"], key["alg"], key["use"]) == ("OKP", "Ed25519", "Ed25519", "sig")
    assert key["kid"] == OKPKey.import_key({name: key[name] for name in ("kty", "crv", "x")}).thumbprint()


@on_one_engine
async def test_metadata_leads_to_the_endpoints(bank: Bank) -> None:
    metadata = done(await bank.http.get("/.well-known/oauth-authorization-server"), 200)
    assert metadata["issuer"] == "http://127.0.0.1:8000"
    assert metadata["grant_types_supported"] == ["client_credentials", "urn:love-bank:grant-type:card"]
    assert metadata["token_endpoint_auth_methods_supported"] == ["client_secret_basic", "client_secret_post", "none"]
    assert metadata["response_types_supported"] == []
    assert "manager" in metadata["scopes_supported"]
    token_path = metadata["token_endpoint"].removeprefix(metadata["issuer"])
    assert (await bank.http.post(token_path, data=GRANT)).status_code == 401
    assert (await bank.http.get(metadata["jwks_uri"].removeprefix(metadata["issuer"]))).status_code == 200


@on_one_engine
async def test_token_in_any_other_place_than_the_header_is_none(bank: Bank) -> None:
    url = f"{bank.manager.base}/goods"
    for query in ({"access_token": bank.manager.token}, {"token": bank.manager.token}):
        refused(await bank.http.get(url, params=query), "invalid-token")
    refused(await bank.http.get(url, headers={"Cookie": f"access_token={bank.manager.token}"}), "invalid-token")
    for header in (
        b"Bearer \xff",
        f"Bearer  {bank.manager.token} x".encode(),
        f"Bearer {bank.manager.token},x".encode(),
    ):
        refused(await bank.http.get(url, headers={b"Authorization": header}), "invalid-token")


def test_a_token_that_was_checked_is_good_no_longer_than_it_says(monkeypatch: pytest.MonkeyPatch) -> None:
    tokens = Tokens(new_signing_key(), issuer="http://bank.test", seconds=60)
    token = tokens.issue(Caller("1-desk", "front_desk", 1, None))
    assert [tokens.check(token, roles=["front_desk"]).id for _ in range(2)] == ["1-desk"] * 2
    later = time.time() + 62
    monkeypatch.setattr(time, "time", lambda: later)
    with pytest.raises(Refused):
        tokens.check(token, roles=["front_desk"])


def test_checked_tokens_are_remembered_up_to_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.access.tokens.CHECKED_MAX", 2)
    tokens = Tokens(new_signing_key(), issuer="http://bank.test", seconds=60)
    issued = [tokens.issue(Caller(f"1-{n}", "front_desk", 1, None)) for n in range(4)]
    for _ in range(2):
        assert [tokens.check(token, roles=["front_desk"]).id for token in issued] == [f"1-{n}" for n in range(4)]
    assert len(tokens._checked) == 2  # noqa: SLF001  what is remembered shows nowhere else
