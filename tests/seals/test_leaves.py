"""The golden example of `openapi/proofs.md`, read from there: those who build on the formats build on these bytes."""

from __future__ import annotations

import base64
import json
import re
from datetime import date, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from app.hours.rules import Award, ServiceFacts, ServiceRecord, evidence_of
from app.kernel.keys import private_key
from app.kernel.notes import Signer
from app.kernel.receipts import receipt_for
from app.ledger import Leaf, encoded, hash_of
from app.ledger.leaves import digest
from app.seals.offline import check, read_keys
from app.seals.rules import Checkpoint, proof_text

DOCUMENT = Path(__file__).parents[2] / "openapi" / "proofs.md"
EXAMPLES = dict(re.findall(r"<!-- ([\w-]+) -->\n```\w*\n(.*?\n)```\n", DOCUMENT.read_text(encoding="utf-8"), re.DOTALL))


def given(name: str) -> dict[str, Any]:
    """An example's facts."""
    facts: dict[str, Any] = json.loads(EXAMPLES[name])
    return facts


def leaf() -> Leaf:
    """The example's transaction."""
    facts, salt = given("transaction"), bytes.fromhex(given("transaction")["salt"])
    return Leaf(
        facts["community"],
        facts["number"],
        facts["kind"],
        datetime.fromisoformat(facts["posted_at"]),
        facts["posted_by"],
        facts["reference"],
        facts["reverses"],
        digest(salt, facts["reason"].encode()),
        digest(salt, EXAMPLES["evidence"].rstrip("\n").encode()),
        [(address, unit, amount, version, after) for address, unit, amount, version, after in facts["postings"]],
    )


def record() -> ServiceRecord:
    """The example's service record."""
    facts = given("record")
    return ServiceRecord(
        UUID(facts["id"]),
        given("transaction")["community"],
        facts["number"],
        UUID(facts["volunteer_id"]),
        ServiceFacts(
            **{name: facts[name] for name in ("service_kind", "activity_name", "place", "content", "organiser")},
            started_at=datetime.fromisoformat(facts["started_at"]),
            ended_at=datetime.fromisoformat(facts["ended_at"]),
            minutes=facts["minutes"],
            recorder_name=facts["recorder_name"],
            external_ids=tuple(facts["external_ids"].items()),
        ),
        date.fromisoformat(facts["service_date"]),
        facts["late"],
        manager_required=False,
        recorded_by=facts["recorded_by"],
        recorded_at=datetime.fromisoformat(facts["recorded_at"]),
        status="approved",
        verified_by=facts["verified_by"],
        award=Award(UUID(facts["earning_rule_id"]), facts["points"], facts["minutes_counted"]),
    )


def test_record_is_written_as_in_the_document() -> None:
    assert evidence_of(record()).decode() + "\n" == EXAMPLES["evidence"]


def test_record_with_its_origin_is_written_as_in_the_document() -> None:
    whole = record()
    written = json.loads(EXAMPLES["evidence-with-origin"])
    beneficiary_id, shift_id = UUID(written["beneficiary_id"]), UUID(written["shift_id"])
    whole.facts = whole.facts._replace(beneficiary_id=beneficiary_id, shift_id=shift_id)
    assert evidence_of(whole).decode() == EXAMPLES["evidence-with-origin"].rstrip("\n")


def test_leaf_is_written_and_hashed_as_in_the_document() -> None:
    assert encoded(leaf()).decode() + "\n" == EXAMPLES["encoding"]
    assert base64.b64encode(hash_of(leaf())).decode() + "\n" == EXAMPLES["leaf"]


def test_receipt_checkpoint_and_proof_are_written_as_in_the_document() -> None:
    signer = Signer(private_key(EXAMPLES["private-key"], "LEDGER_KEY"), "points.example")
    note = signer.sign(7, Checkpoint(signer.origin_of(7), 1, hash_of(leaf())).text)
    assert str(signer.key_of(7)) + "\n" == EXAMPLES["key"]
    assert receipt_for(signer, 7, [(1, hash_of(leaf()))]) == EXAMPLES["receipt"]
    assert note == EXAMPLES["checkpoint"]
    assert proof_text(0, [], note, extra=encoded(leaf())) == EXAMPLES["proof"]


@pytest.mark.parametrize("name", ["receipt", "checkpoint", "proof"])
def test_what_the_document_shows_holds(name: str) -> None:
    assert [one.holds for one in check(EXAMPLES[name], read_keys([EXAMPLES["key"]]))] == [True]
