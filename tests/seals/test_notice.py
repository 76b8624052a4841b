"""The notice for the board: what it says, and a code that a telephone reads."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import segno
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from app.kernel.notes import Signer
from app.seals.notice import notice_page
from app.seals.rules import Sealed
from tests.seals.cases import CHECKPOINT, COMMUNITY, KEY, LOG, SIGNER, SIZE, STRANGE_LINES, WITNESSED, with_lines


def notice(note: str, *, signer: Signer = SIGNER) -> str:
    """The notice of a checkpoint."""
    community: Any = SimpleNamespace(name="祁连路西社区", timezone="Asia/Shanghai")
    sealed = Sealed(SIZE, datetime(2026, 3, 2, 4, tzinfo=UTC), note, 0)
    return notice_page(community, sealed, signer.keys_of(COMMUNITY))


def test_code_holds_the_checkpoint_and_the_banks_signature_however_many_witnesses_there_are() -> None:
    code = segno.make(CHECKPOINT, encoding="utf-8", micro=False).svg_inline(scale=4, omitsize=True, title="封账凭证")
    for note in (CHECKPOINT, WITNESSED, with_lines(CHECKPOINT, *STRANGE_LINES[:31])):
        assert code in notice(note)


def test_code_of_the_longest_name_can_still_be_photographed() -> None:
    signer = Signer(KEY, "a" * 200)
    page = notice(LOG.checkpoint(signer=signer), signer=signer)
    box = re.search(r'viewBox="0 0 (\d+) \1"', page)
    assert box is not None
    # Of four dots to a module, with the margin: at 11 cm a module is a millimetre.
    assert int(box[1]) / 4 <= 110


def test_notice_says_when_and_how_far_the_ledger_was_sealed() -> None:
    page = notice(WITNESSED)
    for told in ("祁连路西社区", "2026-03-02 12:00:00", "points.example/communities/7", "— witness.example"):
        assert told in page


def test_notice_shows_the_key_that_signed_also_when_the_service_has_another_one_since() -> None:
    new = Ed25519PrivateKey.from_private_bytes(b"\x04" * 32)
    old = str(SIGNER.key_of(COMMUNITY))
    assert old in notice(CHECKPOINT)
    rotated = notice(CHECKPOINT, signer=Signer(new, "points.example", old=[KEY.public_key()]))
    assert old in rotated
    forgotten = notice(CHECKPOINT, signer=Signer(new, "points.example"))
    assert old not in forgotten
    assert "更早的公钥" in forgotten
    for page in (rotated, forgotten):
        assert str(Signer(new, "points.example").key_of(COMMUNITY)) not in page
