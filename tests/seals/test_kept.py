"""The audit holds a ledger against checkpoints that somebody kept, whatever the database says of itself."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from app.kernel.heads import CITY
from app.kernel.keys import pem_of
from app.kernel.notes import NoteError, Signer, read_note
from app.seals.kept import contradictions, read_kept
from app.seals.rules import Checkpoint
from app.seals.service import Sealer
from tests.bank import done
from tests.conftest import run_cli
from tests.seals.acts import checkpoint, seal

if TYPE_CHECKING:
    from pathlib import Path

    from app.settings import Settings
    from tests.bank import Bank


async def sealed(bank: Bank) -> list[str]:
    """Answers with checkpoints of the community at sizes 1 and 2, and of the city."""
    answers = []
    for _ in range(2):
        await bank.goods(pieces=1)
        await seal(bank)
        answers.append(json.dumps(await checkpoint(bank)))
    bank.clock.move(minutes=1)
    await Sealer(bank.database).seal_city()
    return [*answers, json.dumps(done(await bank.http.get("/v1/ledger/checkpoint"), 200))]


async def test_what_was_kept_of_a_community_and_of_the_city_is_what_the_leaves_make(bank: Bank) -> None:
    for answer, number in zip(await sealed(bank), (bank.number, bank.number, CITY), strict=True):
        (kept,) = read_kept(answer, bank.database.signer, [CITY, bank.number]).items()
        assert kept[0] == number
        async with bank.database.read(number) as session:
            assert await contradictions(session, *kept) == []


async def test_another_root_and_a_longer_log_are_found_and_told_as_tampering(bank: Bank) -> None:
    *_, answer, _ = await sealed(bank)
    signer = bank.database.signer
    root = json.loads(answer)["root_hash"]
    other = signer.sign(bank.number, Checkpoint(signer.origin_of(bank.number), 2, bytes(32)).text)
    longer = signer.sign(bank.number, Checkpoint(signer.origin_of(bank.number), 3, bytes(32)).text)
    found = []
    for note in (other, longer):
        kept = read_kept(note, signer, [bank.number])
        assert (2, root) not in kept[bank.number]
        async with bank.database.read(bank.number) as session:
            found += await contradictions(session, bank.number, kept[bank.number])
    assert [(one.check, one.subject, one.cause) for one in found] == [
        ("checkpoint-contradicts", "checkpoint/2", "tampering"),
        ("checkpoint-contradicts", "checkpoint/3", "tampering"),
    ]
    assert found[1].detail == "the log has not all the leaves that it had"


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_what_holds_no_checkpoint_of_this_service_is_not_audited_against(bank: Bank) -> None:
    *_, answer, _ = await sealed(bank)
    signer = bank.database.signer
    stranger = Signer(Ed25519PrivateKey.generate(), "love-bank.local")
    for text, communities in (
        ("any words", [bank.number]),
        ("{}", [bank.number]),
        (stranger.sign(bank.number, read_note(json.loads(answer)["note"]).text), [bank.number]),
        (answer, [CITY]),
    ):
        with pytest.raises(NoteError):
            read_kept(text, signer, communities)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_the_command_audits_against_files(bank: Bank, settings: Settings, tmp_path: Path) -> None:
    *_, answer, of_city = await sealed(bank)
    signer = bank.database.signer
    assert settings.secret_pepper
    environment = {
        "LOVEBANK_DATABASE_URL": settings.database_url,
        "LOVEBANK_SECRET_PEPPER": settings.secret_pepper.get_secret_value(),
        "LOVEBANK_LEDGER_KEYS_OLD": pem_of(Ed25519PublicKey.from_public_bytes(signer.public)),
    }
    files = [tmp_path / name for name in ("kept", "city", "other", "words")]
    other = signer.sign(bank.number, Checkpoint(signer.origin_of(bank.number), 2, bytes(32)).text)
    for file, text in zip(files, (answer, of_city, other, "any words"), strict=True):
        file.write_text(text, encoding="utf-8")
    kept, city, contradicted, words = map(str, files)
    assert run_cli("audit", "--against", kept, "--against", city, **environment).returncode == 0
    found = run_cli("audit", "--against", contradicted, **environment)
    assert (found.returncode, json.loads(found.stdout)["check"]) == (1, "checkpoint-contradicts")
    refused = run_cli("audit", "--against", words, **environment)
    assert (refused.returncode, refused.stdout) == (2, "")
    assert refused.stderr.startswith(f"{words} is no checkpoint to audit against: ")
