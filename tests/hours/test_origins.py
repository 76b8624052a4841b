"""A service record may say whom it was for and in which shift it was given; one that does not is as it always was."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

from app.hours.rules import ServiceFacts, content_of
from app.kernel.references import content_hash

AT = datetime(2026, 3, 1, 1, tzinfo=UTC)
FACTS = ServiceFacts("home_visit", "入户探访", "祁连家园", "陪伴", "居委会", AT, AT.replace(hour=2), 60)
SOMEBODY, SHIFT = UUID(int=1), UUID(int=2)


def test_content_without_an_origin_hashes_as_it_did_before_records_could_have_one() -> None:
    """Hashes are stored for good: one that came out differently would make every old reference a reused one."""
    written = (
        "service_kind activity_name place content organiser started_at ended_at minutes recorder_name external_ids"
    )
    of_before = {name: getattr(FACTS, name) for name in written.split()}
    assert content_hash(content_of(FACTS)) == content_hash(of_before)


def test_records_for_others_or_of_other_shifts_are_not_the_same() -> None:
    others = [
        FACTS._replace(beneficiary_id=SOMEBODY),
        FACTS._replace(shift_id=SOMEBODY),
        FACTS._replace(beneficiary_id=SOMEBODY, shift_id=SHIFT),
        FACTS._replace(beneficiary_id=SHIFT, shift_id=SHIFT),
    ]
    assert len({content_hash(content_of(facts)) for facts in [FACTS, *others]}) == 5
