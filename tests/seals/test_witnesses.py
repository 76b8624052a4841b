"""Witnesses countersign checkpoints: those alone whom a manager, or the city, named with their keys."""

from __future__ import annotations

from base64 import b64encode
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from app.kernel.notes import SIGNATURES_MAX, PublicKey, cosign, read_note
from app.seals.offline import check
from app.seals.service import Sealer
from tests.bank import done, refused
from tests.seals.acts import audited, checked, checkpoint, keys_of, proof_of, seal

if TYPE_CHECKING:
    from tests.bank import Bank

NAME = "redcross.example"
NOW = 1_772_424_000
on_one_engine = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def vkey(key: Ed25519PrivateKey, name: str = NAME) -> PublicKey:
    """A witness's public key."""
    return PublicKey(name, key.public_key().public_bytes_raw(), is_witness=True)


def witness(key: Ed25519PrivateKey, name: str = NAME) -> dict[str, str]:
    """A witness as it is named."""
    return {"name": name, "public_key": str(vkey(key, name))}


def cosigned(note: str, key: Ed25519PrivateKey, name: str = NAME, time: int = NOW) -> str:
    """A witness's signature under a checkpoint, as it is handed in."""
    return str(cosign(key, name, read_note(note).text, time))


async def test_a_named_witness_signs_a_checkpoint_and_whoever_knows_the_witness_sees_it(bank: Bank) -> None:
    await bank.goods(pieces=1)
    await seal(bank)
    key, found = Ed25519PrivateKey.generate(), await checkpoint(bank)
    body = {"tree_size": 1, "signature": cosigned(found["note"], key)}
    refused(await bank.auditor.post("witness-signatures", body, key="k"), "unknown-witness", witness=NAME)
    named = done(await bank.manager.post("witnesses", witness(key)), 201)
    assert named == named | {**witness(key), "named_by": bank.manager.client_id}
    answer = await bank.auditor.post("witness-signatures", body, key="k")
    witnessed = done(answer, 201)
    assert answer.headers["location"] == f"{bank.auditor.base}/ledger/checkpoints/1"
    assert witnessed["note"] == found["note"] + body["signature"] + "\n"
    assert await checkpoint(bank) == await checkpoint(bank, 1) == witnessed
    keys = keys_of(bank)
    proof = await proof_of(bank, 1)
    assert checked(bank, proof).facts["witnesses"] == []
    (said,) = check(proof, keys._replace(given=(*keys.given, vkey(key))))
    assert said.facts["witnesses"] == [NAME]
    refused(await bank.auditor.post("witness-signatures", body), "already-witnessed", witness=NAME, tree_size=1)
    other = Ed25519PrivateKey.generate()
    done(await bank.city.post(f"{bank.manager.base}/witnesses", witness(other, "city.example")), 201)
    body["signature"] = cosigned(found["note"], other, "city.example")
    assert done(await bank.auditor.post("witness-signatures", body), 201)["note"].count("—") == 3
    listed = done(await bank.auditor.get("witnesses"), 200)["items"]
    assert [one["name"] for one in listed] == ["city.example", NAME]
    assert listed[1] == named
    assert await audited(bank) == []


async def test_a_name_stands_for_one_key_for_good_and_never_for_the_log_itself(bank: Bank) -> None:
    await bank.goods(pieces=1)
    await seal(bank)
    origin = (await checkpoint(bank))["origin"]
    done(await bank.manager.post("witnesses", witness(Ed25519PrivateKey.generate())), 201)
    for name in (NAME, origin):
        again = witness(Ed25519PrivateKey.generate(), name)
        refused(await bank.manager.post("witnesses", again), "already-exists", name=name)
    refused(await bank.auditor.post("witnesses", witness(Ed25519PrivateKey.generate())), "role-missing")


@on_one_engine
async def test_what_is_no_key_of_the_witness_is_not_named(bank: Bank) -> None:
    right = witness(Ed25519PrivateKey.generate())
    wrong = {
        "no key": "no key",
        "a log's key": str(vkey(Ed25519PrivateKey.generate())._replace(is_witness=False)),
        "another's name": witness(Ed25519PrivateKey.generate(), "else.example")["public_key"],
        "the identity": str(PublicKey(NAME, b"\x01" + bytes(31), is_witness=True)),
        "the identity, spelt otherwise": str(PublicKey(NAME, b"\xee" + b"\xff" * 31, is_witness=True)),
    }
    for name, key in wrong.items():
        answer = await bank.manager.post("witnesses", {**right, "public_key": key})
        assert [one["pointer"] for one in refused(answer, "invalid-request")["errors"]] == ["/public_key"], name
    done(await bank.manager.post("witnesses", right), 201)


async def test_a_signature_that_is_none_of_the_witness_is_not_taken(bank: Bank) -> None:
    await bank.goods(pieces=1)
    await seal(bank)
    note, key = (await checkpoint(bank))["note"], Ed25519PrivateKey.generate()
    done(await bank.manager.post("witnesses", witness(key)), 201)
    plain = PublicKey(NAME, key.public_key().public_bytes_raw())
    wrong = [
        cosigned(note, Ed25519PrivateKey.generate()),
        cosigned(note.replace("\n1\n", "\n2\n"), key),
        "no signature",
        f"— {NAME} {b64encode(plain.id + key.sign(read_note(note).text.encode())).decode()}",
        cosigned(note, key, time=NOW + 61),
    ]
    for signature in wrong:
        body: dict[str, Any] = {"tree_size": 1, "signature": signature}
        refused(await bank.auditor.post("witness-signatures", body), "invalid-signature")
    right = cosigned(note, key, time=NOW + 60)
    refused(await bank.auditor.post("witness-signatures", {"tree_size": 2, "signature": right}), "not-found")
    done(await bank.auditor.post("witness-signatures", {"tree_size": 1, "signature": right}), 201)


async def test_a_checkpoint_takes_as_many_witnesses_as_a_note_can_be_read_with_and_no_more(bank: Bank) -> None:
    await bank.goods(pieces=1)
    await seal(bank)
    found = await checkpoint(bank)
    keys = {f"{number}.example": Ed25519PrivateKey.generate() for number in range(SIGNATURES_MAX)}
    *within, beyond = keys
    for name, key in keys.items():
        done(await bank.manager.post("witnesses", witness(key, name)), 201)
    for name in within:
        body = {"tree_size": 1, "signature": cosigned(found["note"], keys[name], name)}
        done(await bank.auditor.post("witness-signatures", body), 201)
    full = await checkpoint(bank)
    body = {"tree_size": 1, "signature": cosigned(found["note"], keys[beyond], beyond)}
    problem = refused(await bank.auditor.post("witness-signatures", body), "invalid-signature", status=422)
    assert f"{len(within)} witnesses" in problem["detail"]
    assert await checkpoint(bank) == full
    known = keys_of(bank)
    given = (*known.given, *(vkey(key, name) for name, key in keys.items()))
    for text in (full["note"], await proof_of(bank, 1)):
        (said,) = check(text, known._replace(given=given))
        assert said.holds
        assert sorted(said.facts["witnesses"]) == sorted(within)
    # The next checkpoint is open to whoever came too late for this one.
    await bank.goods(pieces=1)
    await seal(bank)
    later = await checkpoint(bank)
    body = {"tree_size": later["tree_size"], "signature": cosigned(later["note"], keys[beyond], beyond)}
    done(await bank.auditor.post("witness-signatures", body), 201)
    assert await audited(bank) == []


async def test_the_citys_log_is_for_anyone_and_the_city_hands_in_what_its_witnesses_sign(bank: Bank) -> None:
    sizes = []
    for _ in range(2):
        await bank.goods(pieces=1)
        await seal(bank)
        bank.clock.move(minutes=1)
        assert await Sealer(bank.database).seal_city()
        sizes.append(done(await bank.http.get("/v1/ledger/checkpoint"), 200)["tree_size"])
    assert sizes == [1, 2]
    listed = done(await bank.http.get("/v1/ledger/checkpoints"), 200)["items"]
    assert [one["tree_size"] for one in listed] == [2, 1]
    assert done(await bank.http.get("/v1/ledger/checkpoints/1"), 200) == listed[1]
    answer = await bank.http.get("/v1/ledger/consistency", params={"from": 1})
    (said,) = check(answer.text, keys_of(bank))
    assert (said.holds, said.facts["later"]["tree_size"]) == (True, 2)
    key = Ed25519PrivateKey.generate()
    body = {"tree_size": 2, "signature": cosigned(listed[0]["note"], key)}
    refused(await bank.city.post("/v1/witness-signatures", body), "unknown-witness")
    done(await bank.city.post("/v1/witnesses", witness(key)), 201)
    for api in (bank.auditor, bank.manager):
        refused(await api.post("/v1/witness-signatures", body), "role-missing")
    answer = await bank.city.post("/v1/witness-signatures", body)
    assert answer.headers["location"] == "/v1/ledger/checkpoints/2"
    assert done(answer, 201) == done(await bank.http.get("/v1/ledger/checkpoint"), 200)
    (said,) = check(done(answer, 201)["note"], keys_of(bank)._replace(given=(*keys_of(bank).given, vkey(key))))
    assert said.facts["witnesses"] == [NAME]


async def test_account_holders_hold_their_own_community_to_its_checkpoints(bank: Bank) -> None:
    volunteer = await bank.volunteer()
    await bank.goods(pieces=1)
    await seal(bank)
    own = await bank.volunteer_api(volunteer["id"])
    base = f"{bank.manager.base}/ledger"
    (listed,) = done(await own.get(f"{base}/checkpoints"), 200)["items"]
    for path in ("checkpoint", "checkpoints/1"):
        assert done(await own.get(f"{base}/{path}"), 200) == listed
    (said,) = check((await own.get(f"{base}/consistency")).text, keys_of(bank))
    assert said.holds
    key = done(await bank.http.get("/v1/ledger/key"), 200)
    assert f"{key['origin_prefix']}/communities/{bank.number}" == listed["origin"]
    assert key["public_key"] == b64encode(bank.database.signer.public).decode()
    assert key["pem"].startswith("-----BEGIN PUBLIC KEY-----")
    await bank.open_community()
    refused(await own.get(f"{bank.manager.base}/ledger/checkpoint"), "not-found")
