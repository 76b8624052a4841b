"""All SQL of hours."""

from __future__ import annotations

from functools import cache
from operator import attrgetter
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any
from uuid import UUID

import sqlalchemy as sa

from app import ledger
from app.hours.rules import (
    APPROVED,
    LIVE,
    Award,
    Clip,
    Correction,
    Days,
    EarningRule,
    Known,
    ServiceFacts,
    ServiceRecord,
)
from app.hours.tables import corrections, earning_rules, service_kinds, service_records, verifications
from app.kernel.rows import Read, insert_rows, looked_up, rows_of, update_rows

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Collection, Mapping, Sequence

    from app.kernel.database import Session
    from app.kernel.paging import Paging
    from app.kernel.rows import AnyRow, Query, Row
    from app.ledger import Stretch

RecordKey = tuple[int, UUID]
"""A record: the community's small number and the record's id."""

_v, _r, _c = verifications.c, service_records.c, corrections.c

_not_approved = _r.status != sa.literal_column(f"'{APPROVED}'")
"""The condition of the index by status, which SQLite uses only where a statement repeats it word for word."""

_decision = (_v.community_id == _r.community_id) & (_v.service_record_id == _r.service_record_id)
_correction = (_c.community_id == _r.community_id) & (_c.service_record_id == _r.service_record_id)
_decided = service_records.outerjoin(verifications, _decision).outerjoin(corrections, _correction)
"""Service records beside what was decided about each."""

_whole = sa.select(
    service_records,
    _v.note,
    _v.verified_by,
    _v.verified_at,
    _v.earning_rule_id,
    _v.points,
    _v.minutes_counted,
    _v.clipped,
    _v.transaction_number,
    _c.reason,
    _c.corrected_by,
    _c.corrected_at,
    _c.transaction_number.label("correction_number"),
    _c.replacement_id,
)


_names = [column.name for column in _whole.selected_columns]


def _records(rows: list[Sequence[Any]]) -> list[ServiceRecord]:
    return [_record(SimpleNamespace(**dict(zip(_names, row, strict=True)))) for row in rows]


def _award(row: AnyRow | SimpleNamespace) -> Award | None:
    """What an approval gave; None also where somebody took it away."""
    if row.transaction_number is None or row.points is None or row.minutes_counted is None:
        return None
    try:
        clipped = tuple(Clip(**clip) for clip in row.clipped)
    except TypeError:
        # Somebody wrote something else there, which no rule makes: an audit is to say so.
        clipped = (Clip(repr(row.clipped), 0),)
    return Award(row.earning_rule_id, row.points, row.minutes_counted, clipped)


def _record(row: AnyRow | SimpleNamespace) -> ServiceRecord:
    award = _award(row)
    correction = None
    if row.correction_number is not None:
        correction = Correction(
            row.reason, row.corrected_by, row.corrected_at, row.correction_number, row.replacement_id
        )
    return ServiceRecord(
        id=row.service_record_id,
        community=row.community_id,
        number=row.number,
        volunteer_id=row.volunteer_id,
        facts=ServiceFacts(
            row.service_kind,
            row.activity_name,
            row.place,
            row.content,
            row.organiser,
            row.started_at,
            row.ended_at,
            row.minutes,
            row.recorder_name,
            tuple(sorted(row.external_ids.items())),
            row.beneficiary_id,
            row.shift_id,
        ),
        service_date=row.service_date,
        late=row.late,
        manager_required=row.manager_required,
        recorded_by=row.recorded_by,
        recorded_at=row.recorded_at,
        status=row.status,
        note=row.note,
        verified_by=row.verified_by,
        verified_at=row.verified_at,
        award=award,
        transaction_id=row.transaction_number,
        correction=correction,
    )


async def insert_kinds(session: Session, rows: Sequence[Row]) -> None:
    """Insert service kinds."""
    await insert_rows(session, service_kinds, rows)


async def insert_rules(session: Session, rows: Sequence[Row]) -> None:
    """Insert versions of earning rules."""
    await insert_rows(session, earning_rules, rows)


async def insert_records(session: Session, records: Sequence[ServiceRecord]) -> None:
    """Insert service records."""
    rows = [
        {
            "service_kind": record.facts.service_kind,
            "activity_name": record.facts.activity_name,
            "place": record.facts.place,
            "content": record.facts.content,
            "organiser": record.facts.organiser,
            "recorder_name": record.facts.recorder_name,
            "external_ids": dict(record.facts.external_ids),
            "beneficiary_id": record.facts.beneficiary_id,
            "shift_id": record.facts.shift_id,
            "started_at": record.facts.started_at,
            "ended_at": record.facts.ended_at,
            "minutes": record.facts.minutes,
            "community_id": record.community,
            "service_record_id": record.id,
            "number": record.number,
            "volunteer_id": record.volunteer_id,
            "service_date": record.service_date,
            "late": record.late,
            "manager_required": record.manager_required,
            "recorded_by": record.recorded_by,
            "recorded_at": record.recorded_at,
            "status": record.status,
        }
        for record in records
    ]
    await insert_rows(session, service_records, rows)


async def insert_verifications(session: Session, records: Sequence[ServiceRecord]) -> None:
    """Insert the decisions about records that have been decided."""
    rows = [
        {
            "community_id": record.community,
            "service_record_id": record.id,
            "decision": "approve" if record.award else "reject",
            "note": record.note,
            "verified_by": record.verified_by,
            "verified_at": record.verified_at,
            "earning_rule_id": record.award and record.award.earning_rule_id,
            "points": record.award and record.award.points,
            "minutes_counted": record.award and record.award.minutes_counted,
            "clipped": record.award and record.award.clipped,
            "transaction_number": record.transaction_id,
        }
        for record in records
    ]
    await insert_rows(session, verifications, rows)


async def insert_corrections(session: Session, corrected: Sequence[tuple[ServiceRecord, Correction]]) -> None:
    """Insert the corrections of records."""
    rows = [
        {
            "community_id": record.community,
            "service_record_id": record.id,
            "reason": correction.reason,
            "corrected_by": correction.corrected_by,
            "corrected_at": correction.corrected_at,
            "transaction_number": correction.transaction_id,
            "replacement_id": correction.replacement_id,
        }
        for record, correction in corrected
    ]
    await insert_rows(session, corrections, rows)


@cache
def _of_communities(dialect: str, table: sa.Table, *columns: sa.Column[Any]) -> Query:
    asked = rows_of(dialect, "rows", [table.c.community_id])
    return looked_up(dialect, asked, sa.select(*columns), table.c.community_id == asked.c.community_id)


def load_kinds(dialect: str, communities: Collection[int]) -> Read[set[tuple[int, str]]]:
    """Ask for the codes of these communities' service kinds."""
    statement = _of_communities(dialect, service_kinds, service_kinds.c.community_id, service_kinds.c.code)
    return Read(statement, _numbered(communities), lambda rows: {(row[0], row[1]) for row in rows})


def _numbered(communities: Collection[int]) -> list[Row]:
    return [{"community_id": community} for community in sorted(communities)]


async def page_of_kinds(session: Session, community: int, paging: Paging) -> list[AnyRow]:
    """Load service kinds, newest first."""
    statement = sa.select(service_kinds).where(service_kinds.c.community_id == community)
    return list(await session.execute(paging.newest_first(statement, service_kinds.c.number)))


_g = earning_rules.c
# In the order of the fields of an `EarningRule`, after the community.
_rule_columns = (
    _g.community_id,
    _g.earning_rule_id,
    _g.number,
    _g.version,
    _g.service_kind,
    _g.points_per_hour,
    _g.effective_from,
    _g.minutes_per_record_max,
    _g.minutes_per_day_max,
    _g.created_at,
)


def load_rules(dialect: str, communities: Collection[int]) -> Read[dict[tuple[int, str], list[EarningRule]]]:
    """Ask for all versions of these communities' earning rules by (community, kind)."""

    def understand(rows: list[Sequence[Any]]) -> dict[tuple[int, str], list[EarningRule]]:
        rules: dict[tuple[int, str], list[EarningRule]] = {}
        for community, *fields in rows:
            rule = EarningRule(*fields)
            rules.setdefault((community, rule.service_kind), []).append(rule)
        return rules

    return Read(_of_communities(dialect, earning_rules, *_rule_columns), _numbered(communities), understand)


async def page_of_rules(session: Session, community: int, paging: Paging) -> list[EarningRule]:
    """Load versions of earning rules, newest first."""
    statement = sa.select(*_rule_columns).where(_g.community_id == community)
    return [EarningRule(*row[1:]) for row in await session.execute(paging.newest_first(statement, _g.number))]


@cache
def _near(dialect: str) -> Query:
    names = ("community_id", "volunteer_id", "service_date")
    asked = rows_of(dialect, "rows", [_r[name] for name in names])
    matches = sa.and_(*(asked.c[name] == _r[name] for name in names))
    live = sa.or_(*(_r.status == status for status in LIVE))
    found = sa.select(
        _r.community_id,
        _r.volunteer_id,
        _r.service_record_id,
        _r.service_kind,
        _r.service_date,
        _r.started_at,
        _r.ended_at,
        _r.minutes,
        sa.func.coalesce(_v.minutes_counted, 0).label("minutes_counted"),
    )
    return looked_up(
        dialect, asked, found.select_from(service_records.outerjoin(verifications, _decision)).where(live), matches
    )


def load_days(
    dialect: str, dates: Mapping[tuple[int, UUID], Collection[dt.date]]
) -> Read[dict[tuple[int, UUID], Days]]:
    """Ask for the live records of these (community, volunteer) on these local dates, by volunteer: all are named."""
    asked = [
        {"community_id": community, "volunteer_id": volunteer_id, "service_date": date}
        for (community, volunteer_id), dates_asked in dates.items()
        for date in sorted(dates_asked)
    ]

    def understand(rows: list[Sequence[Any]]) -> dict[tuple[int, UUID], Days]:
        days = {volunteer: Days() for volunteer in dates}
        for row in rows:
            days[row[0], row[1]].add(Known(*row[2:]))
        return days

    return Read(_near(dialect), asked, understand)


@cache
def _by_id(dialect: str) -> Query:
    asked = rows_of(dialect, "rows", [_r.community_id, _r.service_record_id])
    matches = (_r.community_id == asked.c.community_id) & (_r.service_record_id == asked.c.service_record_id)
    return looked_up(dialect, asked, _whole.select_from(_decided), matches)


async def load_records(session: Session, keys: Collection[RecordKey]) -> dict[RecordKey, ServiceRecord]:
    """Load records with their decisions; unknown ones are missing."""
    if not keys:
        return {}
    asked = [{"community_id": community, "service_record_id": record_id} for community, record_id in set(keys)]
    found = await session.execute_rows(_by_id(session.dialect), asked)
    return {(row.community_id, row.service_record_id): _record(row) for row in found}


async def page_of_records(session: Session, community: int, paging: Paging) -> list[ServiceRecord]:
    """Load records, newest first; filters: `status`, `volunteer_id`."""
    statement = _whole.select_from(_decided).where(_r.community_id == community)
    if status := paging.filters.get("status"):
        statement = statement.where(_r.status == status)
        if status != APPROVED:
            statement = statement.where(_not_approved)
    if volunteer_id := paging.filtered_id("volunteer_id"):
        statement = statement.where(_r.volunteer_id == volunteer_id)
    return [_record(row) for row in await session.execute(paging.newest_first(statement, _r.number))]


async def move_status(session: Session, records: Sequence[ServiceRecord]) -> None:
    """Move records on to the status that was decided."""
    rows = [
        {"community_id": record.community, "service_record_id": record.id, "status": record.status}
        for record in records
    ]
    await update_rows(session, service_records, ("community_id", "service_record_id"), rows)


async def undecided(session: Session, community: int) -> list[tuple[UUID, str, str | None]]:
    """Find records whose status does not go with their decision: (record, status, decision)."""
    expected = sa.case(
        (_c.corrected_at.is_not(None) & (_v.decision == "approve"), "corrected"),
        (_v.decision == "approve", "approved"),
        (_v.decision == "reject", "rejected"),
        else_="pending",
    )
    found = await session.execute(
        sa.select(_r.service_record_id, _r.status, _v.decision)
        .select_from(_decided)
        .where(_r.community_id == community, _r.status != expected)
    )
    return [(row[0], row[1], row[2]) for row in found]


@cache
def _decided_in(dialect: str, number: sa.Column[Any]) -> Query:
    decided = service_records.join(verifications, _decision).outerjoin(corrections, _correction)
    return ledger.between(dialect, _whole.select_from(decided), number)


async def approved_in(session: Session, stretch: Stretch) -> list[ServiceRecord]:
    """Load the records that were approved with a stretch's transactions, in the order of approval."""
    read = Read(_decided_in(session.dialect, _v.transaction_number), stretch.asked, _records)
    return sorted(await session.ask_once(read), key=attrgetter("transaction_id"))


async def corrected_in(session: Session, stretch: Stretch) -> list[ServiceRecord]:
    """Load the records that were corrected with a stretch's transactions."""
    return await session.ask_once(Read(_decided_in(session.dialect, _c.transaction_number), stretch.asked, _records))
