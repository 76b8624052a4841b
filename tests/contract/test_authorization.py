"""Who may call what: every operation of the document, called by every role, in its own community and in another."""

from __future__ import annotations

import base64
import hashlib
import hmac
import time
from collections import Counter
from typing import TYPE_CHECKING, Any

import httpx
import orjson
import pytest
from joserfc import jwt
from joserfc.jwk import OKPKey
from joserfc.jws import JWSRegistry

from app.http.operations import CITY_ADMIN, COMMUNITY_ROLES, VOLUNTEER
from app.kernel.heads import head_numbers
from app.kernel.keys import new_signing_key
from tests.bank import refused
from tests.contract.furnished import ANOTHER_VOLUNTEER, NO_TOKEN, Furnished, send
from tests.contract.spec import ANYONE

if TYPE_CHECKING:
    from app.settings import Settings
    from tests.bank import Bank
    from tests.contract.spec import Operation

CALLERS = (CITY_ADMIN, *COMMUNITY_ROLES, VOLUNTEER, ANOTHER_VOLUNTEER, NO_TOKEN)
# What volunteers are told who name in a body what is another's.
OF_THE_FIRST = {
    "create_dispute": "unknown-volunteer",
    "create_own_dispute": "unknown-service-record",
    "create_own_check_in": "place-code-invalid",
    "create_own_check_out": "place-code-invalid",
}

# One engine is enough: what is decided here is decided before the database is asked for anything of the feature.
on_one_engine = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def expected(operation: Operation, caller: str, *, own: bool) -> str:
    """What has to become of the caller: the code of a refusal, or `admitted`."""
    if operation.is_public:
        return "admitted"
    if caller == NO_TOKEN:
        return "invalid-token"
    if operation.of_community and not own and caller != CITY_ADMIN:
        return "not-found"
    if caller == ANOTHER_VOLUNTEER and VOLUNTEER in operation.roles:
        # What is named there, in path or body, belongs to the first one, all but the community's checkpoints.
        named = set(operation.path_parameters) - {"community_id", "tree_size"}
        return "not-found" if named else OF_THE_FIRST.get(operation.id, "admitted")
    return "admitted" if role_of(caller) in operation.roles else "role-missing"


def role_of(caller: str) -> str:
    """The role in which one calls."""
    return VOLUNTEER if caller == ANOTHER_VOLUNTEER else caller


@on_one_engine
async def test_every_operation_admits_its_roles_in_their_community_and_nobody_else(
    bank: Bank, operations: list[Operation], capsys: pytest.CaptureFixture[str]
) -> None:
    other = await Furnished.of(bank)
    await bank.open_community()
    own = await Furnished.of(bank)
    assert {role for operation in operations for role in operation.roles} <= {*CALLERS, ANYONE}
    cells = [
        (operation, caller, place)
        for operation in operations
        for caller in CALLERS
        for place in ((own, other) if operation.of_community else (own,))
    ]
    # The refused ones first: with the heads' numbers it shows that not one of them changed anything.
    cells.sort(key=lambda cell: expected(cell[0], cell[1], own=cell[2] is own) == "admitted")
    before = await numbers(bank, own, other)
    outcomes: Counter[str] = Counter()
    for operation, caller, place in cells:
        wanted = expected(operation, caller, own=place is own)
        if wanted == "admitted" and not outcomes["admitted"]:
            assert await numbers(bank, own, other) == before
        path, body = await place.path_and_body(operation, fresh=wanted == "admitted" and operation.method != "GET")
        answer = await send(bank.http, operation, path, body, own.callers()[caller])
        assert outcome(answer) == wanted, (operation.id, caller, place is own, answer.status_code, answer.text)
        assert operation.departures(answer) == [], operation.id
        outcomes[wanted] += 1
    of_community = sum(operation.of_community for operation in operations)
    assert outcomes.total() == len(CALLERS) * (2 * of_community + len(operations) - of_community)
    with capsys.disabled():
        print(f"\n{len(operations)} operations, {outcomes.total()} cells: {dict(outcomes)}")  # noqa: T201  told, not hidden


def outcome(answer: httpx.Response) -> str:
    """`admitted` for what was carried out, else the problem's code."""
    return "admitted" if answer.is_success else str(answer.json()["code"])


async def numbers(bank: Bank, *places: Furnished) -> list[tuple[int, int]]:
    """The last transaction and event of each community."""
    found = []
    for place in places:
        async with bank.database.read(place.number) as session:
            found.append(await head_numbers(session, place.number))
    return found


def spoilt_tokens(signing_key: str, settings: Settings, own: Furnished) -> dict[str, str]:
    """Tokens that each have one fault, by what is wrong with them; `sound` has none."""
    key, now = OKPKey.import_key(signing_key), int(time.time())
    header = {"alg": "Ed25519", "typ": "at+jwt", "kid": key.thumbprint()}
    claims = {
        "iss": settings.issuer,
        "aud": settings.issuer,
        "sub": own.roles["manager"].client_id,
        "scope": "manager",
        "iat": now,
        "exp": now + 600,
        "community": own.number,
        "community_id": own.id,
    }

    def signed(changed: dict[str, Any] | None = None, *, by: OKPKey = key, without: str = "", **headers: object) -> str:
        content = {name: value for name, value in {**claims, **(changed or {})}.items() if name != without}
        return jwt.encode({**header, **headers}, content, by, registry=JWSRegistry(algorithms=["Ed25519"]))

    stranger = OKPKey.import_key(new_signing_key())
    public = key.as_pem(private=False)
    return {
        "sound": signed(),
        "expired": signed({"exp": now - 1}),
        "wrong issuer": signed({"iss": "https://elsewhere.example"}),
        "wrong audience": signed({"aud": "https://elsewhere.example"}),
        "an id token": signed(typ="JWT"),
        "alg none": by_hand({**header, "alg": "none"}, claims, None),
        "HS256 with the public key": by_hand({**header, "alg": "HS256"}, claims, public),
        "another key": signed(by=stranger),
        "its own key in the header": signed(by=stranger, jwk=stranger.as_dict(private=False)),
        "unknown role": signed({"scope": "superuser"}),
        "no role": signed(without="scope"),
        "no exp": signed(without="exp"),
        "no subject": signed(without="sub"),
        "garbage": "not.a.token",
        "half": signed().rpartition(".")[0],
        "too long": signed({"padding": "x" * 4096}),
        "other claims under the signature": spliced(signed(), {**claims, "scope": "city_admin"}),
    }


def by_hand(header: dict[str, Any], claims: dict[str, Any], secret: bytes | None) -> str:
    """A JWT that no decent library would make: unsigned, or signed with HMAC."""
    text = f"{encoded(orjson.dumps(header))}.{encoded(orjson.dumps(claims))}"
    signature = b"" if secret is None else hmac.new(secret, text.encode(), hashlib.sha256).digest()
    return f"{text}.{encoded(signature)}"


def spliced(token: str, claims: dict[str, Any]) -> str:
    """The token with other claims, its signature left as it is."""
    header, _, signature = token.split(".")
    return f"{header}.{encoded(orjson.dumps(claims))}.{signature}"


def encoded(content: bytes) -> str:
    """Base64 as JWTs use it."""
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


@on_one_engine
async def test_no_operation_takes_a_token_with_a_fault(
    bank: Bank,
    operations: list[Operation],
    signing_key: str,
    settings: Settings,
    capsys: pytest.CaptureFixture[str],
) -> None:
    own = await Furnished.of(bank)
    tokens = spoilt_tokens(signing_key, settings, own)
    sound = {"Authorization": f"Bearer {tokens.pop('sound')}"}
    assert (await bank.http.get(f"/v1/communities/{own.id}", headers=sound)).status_code == 200
    headers = {fault: f"Bearer {token}" for fault, token in tokens.items()}
    headers |= {"other scheme": f"Basic {own.roles['manager'].token}", "nothing after the scheme": "Bearer"}
    protected = [(one, *await own.path_and_body(one)) for one in operations if not one.is_public]
    cells = 0
    for host, (fault, header) in enumerate(headers.items(), 1):
        # From an address of its own: all of them together are more strangers than one address may send in a minute.
        transport = httpx.ASGITransport(bank.app, client=(f"192.0.2.{host}", 123))
        async with httpx.AsyncClient(transport=transport, base_url="http://bank.test") as http:
            for operation, path, body in protected:
                answer = await send(http, operation, path, body, {"Authorization": header})
                assert answer.status_code == 401, (operation.id, fault, answer.text)
                refused(answer, "invalid-token")
                assert answer.headers["www-authenticate"].startswith("Bearer")
                cells += 1
    assert cells == len(protected) * len(headers) > 0
    with capsys.disabled():
        print(f"\n{len(protected)} operations x {len(headers)} faults: {cells} cells")  # noqa: T201  told, not hidden


@on_one_engine
async def test_community_that_nobody_has_is_not_found_for_anybody(bank: Bank, operations: list[Operation]) -> None:
    own = await Furnished.of(bank)
    for unknown in ("01936f5e-7c1a-7bbd-9d2e-0a51b1e0a001", "not-an-id", "%00"):
        for operation in operations:
            if operation.of_community:
                path, body = await own.path_and_body(operation)
                for caller in (CITY_ADMIN, "manager"):
                    headers = {"Authorization": f"Bearer {own.roles[caller].token}"}
                    answer = await send(bank.http, operation, path.replace(own.id, unknown), body, headers)
                    assert answer.status_code == 404, (operation.id, caller, answer.text)
                    refused(answer, "not-found")
