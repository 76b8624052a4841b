"""Whoever changes what was posted, sealed, signed or answered is found, and the row is named."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from app import ledger
from app.goods.service import NewStockMovement, move_stock
from app.goods.tables import stock_movements
from app.kernel.heads import CITY, ledger_heads
from app.kernel.idempotency import idempotency_answers
from app.kernel.jobs import due_work
from app.kernel.keys import new_signing_key, pem_of, private_key
from app.kernel.notes import PublicKey, Signer, cosign, read_note
from app.ledger.tables import ledger_postings, ledger_transactions
from app.redemptions.tables import redemptions
from app.reports.service import audit_community
from app.seals.audit import audit_city
from app.seals.service import Sealer
from app.seals.tables import checkpoints, city_leaves, tree_nodes, witness_signatures
from app.transfers.tables import transfers
from tests.bank import NOW, done
from tests.conftest import run_cli
from tests.seals.acts import audited, busy, checkpoint, seal
from tests.tampering import Statement, tampered

if TYPE_CHECKING:
    from app.settings import Settings
    from tests.bank import Bank

_t, _p, _c, _n = ledger_transactions.c, ledger_postings.c, checkpoints.c, tree_nodes.c
HASH = bytes(32)


def change(table: sa.Table, values: dict[str, Any], **key: object) -> Statement:
    """Change the rows of a table with this key."""
    return sa.update(table).where(*(table.c[name] == value for name, value in key.items())).values(values)


@pytest.fixture
async def sealed(bank: Bank) -> Bank:
    """A bank with a history of more than 256 transactions, sealed in steps and witnessed; then one that is not."""
    volunteer, friend = await busy(bank)
    towel = await bank.goods(pieces=0)
    for pieces in (120, 130):
        await seal(bank)
        new = [NewStockMovement(bank.number, UUID(towel["id"]), "received", 1, "manager") for _ in range(pieces)]
        async with bank.database.write(bank.number) as session:
            await move_stock(session, new)
    await seal(bank)
    key, found = Ed25519PrivateKey.generate(), await checkpoint(bank)
    public = PublicKey("witness.example", key.public_key().public_bytes_raw(), is_witness=True)
    signature = cosign(key, public.name, read_note(found["note"]).text, 1)
    done(await bank.manager.post("witnesses", {"name": public.name, "public_key": str(public)}), 201)
    signed = {"tree_size": found["tree_size"], "signature": str(signature)}
    done(await bank.auditor.post("witness-signatures", signed), 201)
    await bank.goods(pieces=1)
    assert await Sealer(bank.database).seal_city()
    assert volunteer
    assert friend
    return bank


async def noticed(bank: Bank, settings: Settings, *statements: Statement) -> set[tuple[str, str]]:
    """The checks that notice what these statements do, each with the row that it names."""
    async with tampered(bank.database, settings, *statements) as session:
        found = await audit_community(session, bank.number)
        found += await audit_city(session)
    return {(one.check, one.subject) for one in found if one.cause == "tampering"}


async def test_a_changed_transaction_is_named_whatever_of_it_was_changed(sealed: Bank, settings: Settings) -> None:
    assert await audited(sealed) == []
    where: dict[str, Any] = {"community_id": sealed.number, "transaction_number": 3}
    for values in (
        {"kind": "deposit"},
        {"posted_at": NOW + timedelta(microseconds=1)},
        {"posted_by": "nobody"},
        {"reference": "nothing"},
        {"reverses": 1},
        {"reason": "words"},
        {"evidence": HASH},
        {"evidence": None},
        {"leaf": HASH},
    ):
        assert ("leaf-differs", "transaction/3") in await noticed(
            sealed, settings, change(ledger_transactions, values, **where)
        ), values
    bare = change(ledger_transactions, {"leaf": None, "salt": None, "evidence": None}, **where)
    assert ("leaf-missing", "transaction/3") in await noticed(sealed, settings, bare)
    postings = change(ledger_postings, {"amount": _p.amount * 2, "balance_after": _p.balance_after * 2}, **where)
    assert ("leaf-differs", "transaction/3") in await noticed(sealed, settings, postings)


async def test_neither_a_new_salt_nor_none_hides_new_words(sealed: Bank, settings: Settings) -> None:
    for salt in (bytes(16), None):
        reservation = change(ledger_transactions, {"salt": salt}, community_id=sealed.number, kind="reservation")
        found = await noticed(sealed, settings, reservation)
        assert {check for check, _ in found} == {"evidence-differs"}


async def test_whoever_writes_a_leaf_that_fits_is_found_by_the_tree(sealed: Bank, settings: Settings) -> None:
    async with sealed.database.read(sealed.number) as session:
        bound = (await ledger.bound(session, sealed.number, [3]))[3]
    forged = bound._replace(posted_by="nobody")
    values = {"posted_by": "nobody", "leaf": ledger.hash_of(forged)}
    found = await noticed(
        sealed, settings, change(ledger_transactions, values, community_id=sealed.number, transaction_number=3)
    )
    first = (await checkpoints_of(sealed))[0]
    assert ("checkpoint-differs", f"checkpoint/{first}") in found
    assert ("node-differs", "node/8/0") in found


async def checkpoints_of(bank: Bank) -> list[int]:
    listed = done(await bank.auditor.get("ledger/checkpoints", limit=200), 200)["items"]
    return sorted(one["tree_size"] for one in listed)


async def test_what_was_sealed_and_signed_is_found_when_it_is_touched(sealed: Bank, settings: Settings) -> None:
    number, sizes = sealed.number, await checkpoints_of(sealed)
    last = sizes[-1]
    own = {"community_id": number}
    note = (await checkpoint(sealed, sizes[0]))["note"]
    strange = Signer(private_key(new_signing_key(), "LEDGER_KEY"), "love-bank.local").sign(number, read_note(note).text)
    for expected, statement in (
        (("node-differs", "node/8/0"), change(tree_nodes, {"hash": HASH}, **own, level=8, place=0)),
        (("node-missing", "node/8/0"), sa.delete(tree_nodes).where(_n.community_id == number, _n.level == 8)),
        (("node-differs", "node/8/9"), change(tree_nodes, {"place": 9}, **own, level=8)),
        (
            ("checkpoint-unsigned", f"checkpoint/{sizes[0]}"),
            change(checkpoints, {"note": "x"}, **own, tree_size=sizes[0]),
        ),
        (
            ("checkpoint-unsigned", f"checkpoint/{sizes[0]}"),
            change(checkpoints, {"note": strange}, **own, tree_size=sizes[0]),
        ),
        (
            ("checkpoint-differs", f"checkpoint/{sizes[1]}"),
            change(checkpoints, {"note": note}, **own, tree_size=sizes[1]),
        ),
        (
            ("checkpoint-differs", f"checkpoint/{last + 9}"),
            change(checkpoints, {"tree_size": last + 9}, **own, tree_size=last),
        ),
        (
            ("checkpoint-missing", f"checkpoint/{last}"),
            sa.delete(checkpoints).where(_c.community_id == number, _c.tree_size == last),
        ),
        (
            ("checkpoint-missing", f"checkpoint/{sizes[0]}"),
            sa.delete(checkpoints).where(_c.community_id == number, _c.tree_size == sizes[0]),
        ),
        (
            ("checkpoint-unlinked", f"checkpoint/{sizes[1]}"),
            change(checkpoints, {"previous_size": 0}, **own, tree_size=sizes[1]),
        ),
        (
            ("witness-unsigned", f"checkpoint/{last}"),
            change(witness_signatures, {"witness": "city.example"}, **own, tree_size=last),
        ),
        (("city-leaf-differs", "city-leaf/1"), change(city_leaves, {"leaf": HASH}, number=1)),
        (("checkpoint-differs", "checkpoint/1"), change(city_leaves, {"leaf": HASH}, number=1)),
        (("checkpoint-unsigned", "checkpoint/1"), change(checkpoints, {"note": "x"}, community_id=CITY)),
    ):
        assert expected in await noticed(sealed, settings, statement), (expected, str(statement))


async def test_what_the_transactions_stand_for_is_found_when_it_is_touched(sealed: Bank, settings: Settings) -> None:
    own = {"community_id": sealed.number}
    for table, values, key, name in (
        (redemptions, {"occurred_at": NOW - timedelta(days=1)}, "redemption_id", "redemption"),
        (redemptions, {"lapses_at": NOW + timedelta(days=99)}, "redemption_id", "redemption"),
        (transfers, {"note": "别的"}, "transfer_id", "transfer"),
        (stock_movements, {"note": "别的"}, "stock_movement_id", "stock-movement"),
    ):
        async with sealed.database.read(sealed.number) as session:
            found = await session.execute(sa.select(table.c[key]).where(table.c.community_id == sealed.number).limit(1))
            one = found.scalar()
        changed = change(table, values, **own, **{key: one})
        assert ("evidence-differs", f"{name}/{one}") in await noticed(sealed, settings, changed), table.name


async def test_an_answer_that_promises_what_was_not_posted_is_found(sealed: Bank, settings: Settings) -> None:
    a = idempotency_answers.c
    body = sa.func.replace(a.body, "\\n3 ", "\\n4 ")
    found = await noticed(sealed, settings, sa.update(idempotency_answers).values(body=body))
    assert {check for check, _ in found} == {"answer-differs"}
    assert len(found) == 1
    (subject,) = {subject for _, subject in found}
    assert subject.startswith("answer/")


async def test_a_seal_that_nobody_is_told_to_make_is_a_fault_of_the_service(sealed: Bank, settings: Settings) -> None:
    forgotten = sa.update(due_work).values(unsealed_since=None)
    async with tampered(sealed.database, settings, forgotten) as session:
        (found,) = await audit_community(session, sealed.number)
    assert (found.check, found.subject, found.cause) == ("seal-not-due", "community", "tampering-or-bug")
    back = change(ledger_heads, {"sealed_number": 1}, community_id=sealed.number)
    async with tampered(sealed.database, settings, back) as session:
        found_again = await audit_community(session, sealed.number)
    assert {one.check for one in found_again} & {"checkpoint-missing", "node-differs"}


async def test_the_command_says_what_is_tampering_and_checks_the_city_too(sealed: Bank, settings: Settings) -> None:
    assert settings.secret_pepper
    environment = {
        "LOVEBANK_DATABASE_URL": settings.database_url,
        "LOVEBANK_SECRET_PEPPER": settings.secret_pepper.get_secret_value(),
        "LOVEBANK_LEDGER_KEYS_OLD": old_keys(sealed),
    }
    assert run_cli("audit", **environment).returncode == 0
    changed = change(ledger_transactions, {"posted_by": "nobody"}, community_id=sealed.number, transaction_number=3)
    async with tampered(sealed.database, settings, changed, change(city_leaves, {"leaf": HASH}, number=1)) as session:
        await session.connection.commit()
    answer = run_cli("audit", **environment)
    assert answer.returncode == 1
    assert '"check": "leaf-differs", "subject": "transaction/3"' in answer.stdout
    assert '{"community": null, "check": "city-leaf-differs"' in answer.stdout
    assert answer.stdout.count('"cause": "tampering"') == len(answer.stdout.splitlines())


def old_keys(bank: Bank) -> str:
    """The public key that signed until now, as a setting holds it: the command has another of its own."""
    return pem_of(Ed25519PublicKey.from_public_bytes(bank.database.signer.public))
