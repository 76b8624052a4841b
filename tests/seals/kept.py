"""Receipts, proofs and checkpoints that are held against what somebody kept."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from app.seals.offline import check, hold_against
from tests.seals.cases import CHECKPOINT, CITY, ITEM, LOG, PROOF, RECEIPT, WITNESSED, Case, Log, flipped

if TYPE_CHECKING:
    from app.seals.offline import Checked, Keys

_fork = Log([b"another", *LOG.entries[1:]])
KEPT: dict[str, Case] = {
    "the same checkpoint": Case(CHECKPOINT, kept=WITNESSED),
    "a proof": Case(PROOF, kept=json.dumps(LOG.shown())),
    "one's own receipts": Case(json.dumps({"items": [ITEM, ITEM]}), kept=PROOF),
    "consistency with the earlier one": Case(json.dumps(LOG.consistency(3, 7)), kept=LOG.checkpoint(3)),
    "consistency with the later one": Case(json.dumps(LOG.consistency(3, 7)), kept=CHECKPOINT),
    "consistency with both": Case(json.dumps(LOG.consistency(3, 7)), kept=json.dumps(LOG.consistency(3, 7))),
}
NOT_KEPT: dict[str, Case] = {
    "a proof against a fork": Case(PROOF, kept=_fork.checkpoint()),
    "a checkpoint against a fork": Case(_fork.checkpoint(), kept=CHECKPOINT),
    "consistency of a fork against a checkpoint": Case(json.dumps(_fork.consistency(3, 7)), kept=LOG.checkpoint(3)),
    "consistency of others": Case(json.dumps(LOG.consistency(4, 7)), kept=LOG.checkpoint(3)),
    "a later checkpoint against an earlier one": Case(CHECKPOINT, kept=LOG.checkpoint(3)),
    "an earlier checkpoint against a later one": Case(LOG.checkpoint(3), kept=CHECKPOINT),
    "a receipt against a checkpoint": Case(RECEIPT, kept=CHECKPOINT),
    "another log's checkpoint": Case(CITY.checkpoint(2), kept=CHECKPOINT),
    "a checkpoint against a receipt": Case(CHECKPOINT, kept=RECEIPT),
    "a checkpoint against what does not hold": Case(CHECKPOINT, kept=flipped(CHECKPOINT)),
    "a checkpoint against nothing": Case(CHECKPOINT, kept="{}"),
    "a wrong checkpoint against itself": Case(flipped(CHECKPOINT), kept=CHECKPOINT),
}


def seen(case: Case, keys: Keys) -> list[Checked]:
    """What the command line finds in a case."""
    found = check(case.text, keys)
    return found if case.kept is None else [*found, *hold_against(found, check(case.kept, keys))]
