"""Service kinds and the versions of their earning rules: what hours are of, and what they earn."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from app.hours import store
from app.hours.errors import RuleExists, ServiceKindExists, UnknownServiceKind
from app.hours.rules import EarningRule
from app.kernel.events import Event, append
from app.kernel.ids import new_id

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Collection, Sequence
    from datetime import datetime

    from app.kernel.database import Session
    from app.kernel.errors import Refusal
    from app.kernel.paging import Paging
    from app.kernel.rows import Read


@dataclass(frozen=True, slots=True)
class NewServiceKind:
    """A service kind to create."""

    community: int
    code: str
    name: str


@dataclass(frozen=True, slots=True)
class NewEarningRule:
    """A version of an earning rule to set in force from a local date on, past or future."""

    community: int
    service_kind: str
    points_per_hour: int
    effective_from: dt.date
    minutes_per_record_max: int | None = None
    minutes_per_day_max: int | None = None


@dataclass(frozen=True, slots=True)
class ServiceKind:
    """A service kind of a community."""

    code: str
    number: int
    name: str
    created_at: datetime


async def create_service_kinds(session: Session, new: Sequence[NewServiceKind]) -> list[ServiceKind | Refusal]:
    """Create service kinds; a code once per community."""
    taken = await session.ask(store.load_kinds(session.dialect, {item.community for item in new}))
    results: list[ServiceKind | Refusal] = []
    rows = []
    for item in new:
        if (item.community, item.code) in taken:
            results.append(ServiceKindExists(resource=item.code))
            continue
        taken.add((item.community, item.code))
        announced = Event(item.community, "service_kind.created", {"service_kind": item.code})
        (number,) = await append(session, [announced])
        kind = ServiceKind(item.code, number, item.name, session.now(item.community))
        results.append(kind)
        rows.append({"community_id": item.community, **asdict(kind)})
    await store.insert_kinds(session, rows)
    return results


async def create_earning_rules(session: Session, new: Sequence[NewEarningRule]) -> list[EarningRule | Refusal]:
    """Set versions of earning rules in force; they change no award that was made."""
    communities = {item.community for item in new}
    kinds, versions = await session.load(
        store.load_kinds(session.dialect, communities), store.load_rules(session.dialect, communities)
    )
    results: list[EarningRule | Refusal] = []
    rows = []
    for item in new:
        before = versions.setdefault((item.community, item.service_kind), [])
        if (item.community, item.service_kind) not in kinds:
            results.append(UnknownServiceKind(service_kind=item.service_kind))
            continue
        if any(rule.effective_from == item.effective_from for rule in before):
            results.append(RuleExists(service_kind=item.service_kind, effective_from=item.effective_from))
            continue
        rule_id = new_id()
        announced = Event(item.community, "earning_rule.created", {"earning_rule_id": str(rule_id)})
        (number,) = await append(session, [announced])
        fields = {name: value for name, value in asdict(item).items() if name != "community"}
        rule = EarningRule(
            id=rule_id, number=number, version=len(before) + 1, created_at=session.now(item.community), **fields
        )
        before.append(rule)
        results.append(rule)
        row = {**asdict(rule), "community_id": item.community, "earning_rule_id": rule.id}
        del row["id"]
        rows.append(row)
    await store.insert_rules(session, rows)
    return results


def known_kinds(dialect: str, communities: Collection[int]) -> Read[set[tuple[int, str]]]:
    """Ask which service kinds communities have: (community, code)."""
    return store.load_kinds(dialect, communities)


async def list_service_kinds(session: Session, community: int, paging: Paging) -> list[ServiceKind]:
    """Service kinds, newest first."""
    rows = await store.page_of_kinds(session, community, paging)
    return [ServiceKind(row.code, row.number, row.name, row.created_at) for row in rows]


async def list_earning_rules(session: Session, community: int, paging: Paging) -> list[EarningRule]:
    """Versions of earning rules, newest first."""
    return await store.page_of_rules(session, community, paging)
