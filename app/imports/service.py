"""The import: rows in the files' order, in batches of one commit each, through the same services as the API."""

from __future__ import annotations

import gc
from collections import Counter
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar
from zoneinfo import ZoneInfo

from app.communities.service import NewCommunity, create_communities, find_community
from app.goods.errors import GoodsExist
from app.goods.rules import RECEIVED
from app.goods.service import NewStockMovement, create_goods, find_goods, move_stock
from app.hours.catalogue import NewServiceKind, create_earning_rules, create_service_kinds, list_earning_rules
from app.hours.errors import RuleExists, ServiceKindExists
from app.hours.service import NewServiceRecord, record_hours
from app.imports import paper
from app.imports.totals import Totals, totals_of
from app.kernel.errors import InvalidRequest, Refusal, Refused
from app.kernel.heads import CITY
from app.kernel.paging import Paging
from app.kernel.references import Told
from app.redemptions.rules import COLLECTED, Redemption
from app.redemptions.service import Closing, NewRedemption, Wanted, close_redemptions, reserve_goods
from app.volunteers.service import find_by_phone, register_volunteers

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
    from pathlib import Path
    from uuid import UUID

    from pydantic import BaseModel

    from app.communities.rules import Community
    from app.hours.catalogue import NewEarningRule
    from app.hours.rules import EarningRule, ServiceRecord
    from app.imports.paper import (
        CommunityPaper,
        GoodsPaper,
        PaperRow,
        RecordPaper,
        RedemptionPaper,
        VolunteerPaper,
    )
    from app.kernel.database import Database, Session
    from app.kernel.deciding import Decided

AnyT = TypeVar("AnyT")
RowT = TypeVar("RowT", bound="BaseModel")

IMPORT = "import"
"""Who records, posts and takes consent in an import."""

rows_per_commit = 1000
"""Few commits wait for the disk, and a community's other writers wait for a fraction of a second."""


@dataclass(frozen=True, slots=True)
class RefusedRow:
    """A row that was refused: where it stands and why."""

    file: str
    line: int
    code: str
    reason: str


@dataclass(slots=True)
class Report:
    """How the rows of each kind ended, what was refused, and what the community holds afterwards."""

    volunteers: Counter[str] = field(default_factory=Counter)
    service_records: Counter[str] = field(default_factory=Counter)
    redemptions: Counter[str] = field(default_factory=Counter)
    refused: list[RefusedRow] = field(default_factory=list)
    totals: Totals | None = None


Step = tuple[str, int, int]
"""A step of the import for a progress bar: the file, how many of its rows were just done, and how many it has."""


class _Batches:
    """Opens a transaction for each batch, or for a dry run hands out one that will be abandoned."""

    def __init__(self, database: Database, whole: Session | None) -> None:
        self._database = database
        self._whole = whole

    @asynccontextmanager
    async def open(self, *communities: int) -> AsyncIterator[Session]:
        if self._whole is not None:
            yield self._whole
        else:
            async with self._database.write(*communities) as session:
                yield session


async def import_folder(
    database: Database, folder: Path, *, dry_run: bool = False, demo: bool = False, progress: Callable[[Step], None]
) -> Report:
    """Import a community's paper trail. Raises `UnreadablePaperError` before anything is stored.

    Importing a folder again replays what was decided. A dry run does everything in one transaction and abandons it.
    """
    with _uncollected():
        community = paper.read_community(folder)
        zone = ZoneInfo(community.timezone)
        files = _Files(
            community,
            paper.read_volunteers(folder, zone),
            paper.read_records(folder, zone),
            paper.read_goods(folder),
            paper.read_redemptions(folder, zone),
        )
        return await _import_files(database, files, dry_run=dry_run, demo=demo, progress=progress)


@contextmanager
def _uncollected() -> Iterator[None]:
    """Leave the garbage collector off: it would go through all rows again and again, and find next to nothing."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


async def _import_files(
    database: Database, files: _Files, *, dry_run: bool, demo: bool, progress: Callable[[Step], None]
) -> Report:
    async with database.read() as session:
        existing = await find_community(session, files.community.code)
    first = (CITY, existing.number) if existing else (CITY,)
    if not dry_run:
        return await _import(_Batches(database, None), first, files, demo=demo, progress=progress)
    async with database.write(*first) as session:
        session.abandon()
        return await _import(_Batches(database, session), first, files, demo=demo, progress=progress)


@dataclass(frozen=True, slots=True)
class _Files:
    community: CommunityPaper
    volunteers: list[PaperRow[VolunteerPaper]]
    records: list[PaperRow[RecordPaper]]
    goods: list[PaperRow[GoodsPaper]]
    redemptions: list[PaperRow[RedemptionPaper]]

    def totals(self) -> dict[str, int]:
        """How many rows each file has."""
        return {
            "volunteers.csv": len(self.volunteers),
            "service-records.csv": len(self.records),
            "goods.csv": len(self.goods),
            "redemptions.csv": len(self.redemptions),
        }


async def _import(
    batches: _Batches, first: tuple[int, ...], files: _Files, *, demo: bool, progress: Callable[[Step], None]
) -> Report:
    """Import in batches; `first` are the heads that the community and its rules need, which stand or fall together."""
    report = Report()
    totals = files.totals()

    def step(file: str, done: int) -> None:
        progress((file, done, totals[file]))

    for file in totals:
        step(file, 0)
    async with batches.open(*first) as session:
        community = await open_community(session, files.community, demo=demo)
    for volunteers in _chunks(files.volunteers):
        async with batches.open(community.number) as session:
            await _volunteers(session, community, volunteers, report)
        step("volunteers.csv", len(volunteers))
    for records in _chunks(files.records):
        async with batches.open(community.number) as session:
            await _records(session, community, records, report)
        step("service-records.csv", len(records))
    async with batches.open(community.number) as session:
        await _goods(session, community, files.goods, report)
    step("goods.csv", len(files.goods))
    for redemptions in _chunks(files.redemptions):
        async with batches.open(community.number) as session:
            await _redemptions(session, community, redemptions, report)
        step("redemptions.csv", len(redemptions))
    async with batches.open(community.number) as session:
        report.totals = await totals_of(session, community.number)
    return report


def _chunks(rows: Sequence[AnyT]) -> Iterator[Sequence[AnyT]]:
    for start in range(0, len(rows), rows_per_commit):
        yield rows[start : start + rows_per_commit]


async def open_community(session: Session, new: CommunityPaper, *, demo: bool) -> Community:
    """Find or create a paper trail's community, with its service kinds and rules. Raises `UnreadablePaperError`."""
    community = await _community(session, new, demo=demo)
    await _rules(session, community, new)
    return community


async def _community(session: Session, new: CommunityPaper, *, demo: bool) -> Community:
    """Find the community by its code, or create it; the settings of an existing one stay as they are."""
    existing = await find_community(session, new.code)
    if existing is not None:
        return existing
    fields = new.model_dump(exclude={"service_kinds", "earning_rules"})
    (made,) = await create_communities(session, [NewCommunity(**fields, demo=demo)])
    if isinstance(made, Refusal):
        raise Refused(made)
    return made


async def _rules(session: Session, community: Community, new: CommunityPaper) -> None:
    """Create the service kinds and rules that are not there yet. Raises `UnreadablePaperError`.

    Rules are never edited, so that a paper with another rule of the same date would be awarded other points than it
    says: that stops the import.
    """
    kinds = [NewServiceKind(community.number, kind.code, kind.name) for kind in new.service_kinds]
    for kind in await create_service_kinds(session, kinds):
        if isinstance(kind, Refusal) and not isinstance(kind, ServiceKindExists):
            raise _unusable(kind)
    rules = [rule.command(community.number) for rule in new.earning_rules]
    made = await create_earning_rules(session, rules)
    there = await _contents_of_rules(session, community) if any(isinstance(one, RuleExists) for one in made) else set()
    for rule, outcome in zip(rules, made, strict=True):
        identical = isinstance(outcome, RuleExists) and _content(rule) in there
        if isinstance(outcome, Refusal) and not identical:
            raise _unusable(outcome)


def _unusable(refusal: Refusal) -> paper.UnreadablePaperError:
    return paper.UnreadablePaperError(f"community.json: {refusal.detail}")


async def _contents_of_rules(session: Session, community: Community) -> set[tuple[object, ...]]:
    contents: set[tuple[object, ...]] = set()
    paging = Paging(limit=rows_per_commit)
    while page := await list_earning_rules(session, community.number, paging):
        contents |= {_content(rule) for rule in page}
        paging = Paging(limit=rows_per_commit, position=page[-1].number)
    return contents


def _content(rule: EarningRule | NewEarningRule) -> tuple[object, ...]:
    """What a rule says and from when on, without what it got when it was made."""
    caps = (rule.minutes_per_record_max, rule.minutes_per_day_max)
    return rule.service_kind, rule.effective_from, rule.points_per_hour, *caps


def _sort(
    rows: Iterable[PaperRow[RowT]], counts: Counter[str], report: Report
) -> tuple[list[PaperRow[RowT]], list[RowT]]:
    """Keep the rows that could be read, with what was read; report the others."""
    good, parsed = [], []
    for row in rows:
        if isinstance(row.parsed, InvalidRequest):
            _refuse(row, row.parsed, counts, report)
        else:
            good.append(row)
            parsed.append(row.parsed)
    return good, parsed


def _refuse(row: PaperRow[RowT], refusal: Refusal, counts: Counter[str], report: Report) -> None:
    counts[refusal.code] += 1
    report.refused.append(RefusedRow(row.file, row.line, refusal.code, refusal.detail))


async def _volunteers(
    session: Session, community: Community, rows: Sequence[PaperRow[VolunteerPaper]], report: Report
) -> None:
    good, parsed = _sort(rows, report.volunteers, report)
    new = [row.volunteer.registration(community.number, IMPORT, registered_on=row.registered_on) for row in parsed]
    for row, outcome in zip(good, await register_volunteers(session, new), strict=True):
        if isinstance(outcome, Refusal):
            _refuse(row, outcome, report.volunteers, report)
        else:
            report.volunteers["created"] += 1


async def _records(
    session: Session, community: Community, rows: Sequence[PaperRow[RecordPaper]], report: Report
) -> None:
    good, parsed = _sort(rows, report.service_records, report)
    holders = await find_by_phone(session, community.number, {row.phone for row in parsed})
    new = []
    for read in parsed:
        who = holders[read.phone]
        new.append(
            NewServiceRecord(community.number, who.volunteer_id, read.facts(), IMPORT, read.reference, who.phone_hash)
        )
    for row, recorded in zip(good, await record_hours(session, new), strict=True):
        _count(row, recorded, report.service_records, report)


async def _goods(session: Session, community: Community, rows: Sequence[PaperRow[GoodsPaper]], report: Report) -> None:
    """Create the articles that are not there yet, with their stock; the stock of others has moved on since.

    A code that stands in the file twice is refused the second time: its pieces would be lost without a word.
    """
    good, parsed = _sort(rows, Counter(), report)
    made = await create_goods(session, [row.goods.command(community.number) for row in parsed])
    codes: set[str | None] = set()
    for row, paper_row, article in zip(good, parsed, made, strict=True):
        if isinstance(article, Refusal) and (paper_row.goods.code in codes or not isinstance(article, GoodsExist)):
            _refuse(row, article, Counter(), report)
        codes.add(paper_row.goods.code)
    received = [
        NewStockMovement(community.number, article.id, RECEIVED, row.pieces, IMPORT)
        for row, article in zip(parsed, made, strict=True)
        if not isinstance(article, Refusal) and row.pieces
    ]
    await move_stock(session, received)


async def _redemptions(
    session: Session, community: Community, rows: Sequence[PaperRow[RedemptionPaper]], report: Report
) -> None:
    """Reserve and collect at once, as it was done over the counter."""
    good, parsed = _sort(rows, report.redemptions, report)
    holders = await find_by_phone(session, community.number, {row.phone for row in parsed})
    articles = await find_goods(session, community.number, {row.goods for row in parsed})
    new = [
        NewRedemption(
            community.number,
            holders[row.phone].volunteer_id,
            (Wanted(articles[row.goods].id if row.goods in articles else None, row.quantity, row.goods),),
            IMPORT,
            row.occurred_at,
            row.reference,
            holders[row.phone].phone_hash,
        )
        for row in parsed
    ]
    reserved = await reserve_goods(session, new)
    collected = await close_redemptions(
        session,
        [
            Closing(community.number, one.outcome.id, COLLECTED, IMPORT, one.outcome.pickup_code)
            for one in reserved
            if isinstance(one.outcome, Redemption) and not one.replayed
        ],
    )
    by_id = {one.id: one for one in collected if isinstance(one, Redemption)}
    for row, one in zip(good, reserved, strict=True):
        _count(row, one, report.redemptions, report, by_id)


def _count(
    row: PaperRow[RowT],
    decided: Decided[ServiceRecord] | Decided[Redemption],
    counts: Counter[str],
    report: Report,
    closed: dict[UUID, Redemption] | None = None,
) -> None:
    """Count how a row ended: replayed, refused, or with the status that it has now."""
    outcome = decided.outcome
    if decided.replayed or isinstance(outcome, Told):
        counts["replayed"] += 1
    elif isinstance(outcome, Refusal):
        _refuse(row, outcome, counts, report)
    else:
        counts[(closed or {}).get(outcome.id, outcome).status] += 1
