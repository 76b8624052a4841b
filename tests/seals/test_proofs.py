"""What is sealed can be proved to anybody with the public key, and nothing else can."""

from __future__ import annotations

from base64 import b64decode, b64encode
from typing import TYPE_CHECKING

import orjson
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from app.kernel.merkle import is_consistent
from app.kernel.receipts import receipt_for
from app.seals.offline import check
from app.seals.rules import read_proof
from tests.bank import done, refused
from tests.seals.acts import busy, checked, checkpoint, give, keys_of, proof_of, seal

if TYPE_CHECKING:
    from app.seals.offline import Checked
    from tests.bank import Bank


async def test_every_sealed_transaction_is_proved_with_what_it_stands_for(bank: Bank) -> None:
    await busy(bank)
    count = await seal(bank)
    shown = done(await bank.auditor.get("ledger/transactions", limit=200), 200)["items"]
    assert len(shown) == count
    for transaction in shown:
        said = checked(bank, await proof_of(bank, transaction["id"])).facts
        stands_for = said["stands_for"]
        assert said["number"] == stands_for["number"] == transaction["id"]
        assert stands_for["reference"] == transaction["reference"]
        assert sorted(stands_for["postings"]) == sorted(
            [one["account"], one["unit"], one["amount"], one["version"], one["balance_after"]]
            for one in transaction["entries"]
        )


async def test_what_is_not_sealed_yet_is_said_to_be_so_and_what_is_not_there_not_found(bank: Bank) -> None:
    refused(await bank.auditor.get("ledger/checkpoint"), "not-found")
    refused(await bank.auditor.get("ledger/city-proof"), "not-yet-sealed", tree_size=0)
    refused(await bank.http.get("/v1/ledger/checkpoint"), "not-found")
    towel = await bank.goods(pieces=1)
    refused(await bank.auditor.get("ledger/transactions/1/proof"), "not-yet-sealed", tree_size=0)
    refused(await bank.auditor.get("ledger/transactions/2/proof"), "not-found")
    await seal(bank)
    body = {"kind": "received", "quantity": 1, "note": "进货"}
    done(await bank.manager.post(f"goods/{towel['id']}/stock-movements", body), 201)
    refused(await bank.auditor.get("ledger/transactions/2/proof"), "not-yet-sealed", tree_size=1)
    refused(await bank.auditor.get("ledger/checkpoints/2"), "not-found")
    assert checked(bank, await proof_of(bank, 1)).facts["number"] == 1


async def test_each_checkpoint_is_consistent_with_every_one_before_it(bank: Bank) -> None:
    towel = await bank.goods(pieces=0)
    sizes = []
    for pieces in (1, 2, 1, 5):
        for _ in range(pieces):
            body = {"kind": "received", "quantity": 1, "note": "进货"}
            done(await bank.manager.post(f"goods/{towel['id']}/stock-movements", body), 201)
        await seal(bank)
        sizes.append((await checkpoint(bank))["tree_size"])
    assert sizes == [1, 3, 4, 9]
    listed = done(await bank.auditor.get("ledger/checkpoints", limit=3), 200)
    assert [one["tree_size"] for one in listed["items"]] == [9, 4, 3]
    rest = done(await bank.auditor.get("ledger/checkpoints", limit=3, cursor=listed["next_cursor"]), 200)
    assert ([one["tree_size"] for one in rest["items"]], rest["next_cursor"]) == ([1], None)
    for earlier in sizes:
        for later in (size for size in sizes if size >= earlier):
            answer = await bank.auditor.get("ledger/consistency", **{"from": earlier, "to": later})
            (said,) = check(answer.text, keys_of(bank))
            assert said.holds, said
            assert (said.facts["earlier"]["tree_size"], said.facts["later"]["tree_size"]) == (earlier, later)
    to_the_last = done(await bank.auditor.get("ledger/consistency", **{"from": 3}), 200)
    roots = [b64decode(to_the_last[name]["root_hash"]) for name in ("earlier", "later")]
    assert is_consistent(3, 9, [b64decode(one) for one in to_the_last["proof"]], *roots)
    refused(await bank.auditor.get("ledger/consistency", **{"from": 2}), "not-found")
    refused(await bank.auditor.get("ledger/consistency", **{"from": 9, "to": 4}), "invalid-request")


async def test_a_volunteer_checks_their_own_and_sees_nothing_of_another(bank: Bank) -> None:
    volunteer, friend = await busy(bank)
    await seal(bank)
    gift = await give(bank.desk, volunteer, friend, points=1)
    own, others = await bank.volunteer_api(volunteer["id"]), await bank.volunteer_api(friend["id"])
    page = done(await own.get("/v1/me/receipts", limit=2), 200)
    assert page["items"][0] | {"proof": None} == page["items"][0]
    assert page["items"][0]["transaction_id"] == gift["transaction_id"]
    items = list(page["items"])
    while page["next_cursor"]:
        page = done(await own.get("/v1/me/receipts", limit=2, cursor=page["next_cursor"]), 200)
        items += page["items"]
    said = [one for item in items for one in check(orjson.dumps(item).decode(), keys_of(bank))]
    assert [one for one in said if not one.holds] == []
    assert [item["kind"] for item in items] == ["gift", "gift", "reservation", "collection", "reservation", "deposit"]
    shown = [read_proof(item["proof"]).extra is not None for item in items[1:]]
    assert shown == [False, True, True, True, True]
    theirs = done(await others.get("/v1/me/receipts"), 200)["items"]
    assert [item["kind"] for item in theirs] == ["gift", "gift"]
    assert volunteer["id"] not in orjson.dumps(theirs).decode()


async def test_the_notice_shows_the_checkpoint_in_words_and_as_a_code(bank: Bank) -> None:
    await bank.goods(pieces=1)
    await seal(bank)
    found = await checkpoint(bank)
    answer = await bank.desk.get("ledger/checkpoint/notice")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")
    page = answer.text
    for text in (bank.community["name"], found["root_hash"], found["origin"], "<svg", "2026-03-02 12:00:00"):
        assert text in page
    assert str(bank.database.signer.key_of(bank.number)) in page


def spoilt(checked_text: str, bank: Bank) -> Checked:
    (one,) = check(checked_text, keys_of(bank))
    return one


async def test_what_was_changed_by_a_letter_does_not_hold(bank: Bank) -> None:
    await busy(bank)
    await seal(bank)
    proof = await proof_of(bank, 3)
    note = (await checkpoint(bank))["note"]
    async with bank.database.read(bank.number) as session:
        receipt = receipt_for(session.signer, bank.number, [(3, b64decode(checked(bank, proof).facts["leaf"]))])
    extra = next(line for line in proof.split("\n") if line.startswith("extra ")).removeprefix("extra ")
    richer = b64encode(b64decode(extra).replace(b'"number":3', b'"number":4')).decode()
    for text in (
        proof.replace("index 2", "index 1"),
        proof.replace(extra, richer),
        proof.replace("\n7\n", "\n8\n") if "\n7\n" in proof else proof.replace("communities/", "communities/9"),
        note.replace("communities/", "communities/1", 1),
        note.replace("love-bank.local", "love-bank.locaI"),
        receipt.replace("\n3 ", "\n4 "),
        receipt.replace("v1", "v2"),
        note.partition("\n\n")[0] + "\n",
    ):
        assert text not in (proof, note, receipt)
        assert not spoilt(text, bank).holds
    stranger = keys_of(bank)._replace(given=(Ed25519PrivateKey.generate().public_key().public_bytes_raw(),))
    for text in (proof, note, receipt):
        assert checked(bank, text)
        assert [one.holds for one in check(text, stranger)] == [False]
