"""One free clinic with the Red Cross: a doctor and a nurse whose qualifications were checked, and appointments."""

from __future__ import annotations

import datetime as dt
from functools import partial
from typing import TYPE_CHECKING

from app.activities.rules import BENEFICIARIES
from app.activities.service import NewPosition
from app.beneficiaries.rules import Particulars
from app.clinics.partners import NewPartner, create_partners
from app.clinics.service import NewClinic, NewHeadCount, count_heads, create_clinics
from app.demo.stage import Scene, accepted, close_shift, enrol, last_day, seat, shifts_of, take_in, verify
from app.demo.visits import DENG, ESTATE, LI, ZHANG
from app.qualifications.service import NewQualification, check_qualifications
from app.worker import EFFECTS

if TYPE_CHECKING:
    from uuid import UUID

    from app.clinics.rules import Clinic, Partner
    from app.demo.stage import Stage
    from app.kernel.database import Session

_doctor, _nurse = "冶晓梅", "韩春兰"
_phones = {_doctor: "13900000003", _nurse: "13900000004"}
_residents = ("王奶奶", "马爷爷")
_saturday = 5
_weeks_ago = dt.timedelta(weeks=9)
_heads = {"served": 58, "blood_pressure": 41, "blood_glucose": 36, "consultation": 23}


def scenes(stage: Stage) -> list[Scene]:
    """The preparation ten days before, the morning itself, and the verification in the evening."""
    day = last_day(stage.today, _saturday) - _weeks_ago
    return [
        Scene(stage.at(day - dt.timedelta(days=10), 10), partial(_prepare, stage, day)),
        Scene(stage.at(day, 13), partial(_end, stage, day)),
        Scene(stage.at(day, 20), partial(verify, stage)),
    ]


async def _prepare(stage: Stage, day: dt.date) -> None:
    desk = stage.clients["front_desk"]
    async with stage.write() as session:
        await _check_in(stage, session)
        old = [
            Particulars(name, None, f"{ESTATE} {place} 号楼 1 单元 101 室") for place, name in enumerate(_residents, 2)
        ]
        await take_in(stage, session, old, ("blood_pressure",))
        red_cross = NewPartner(stage.number, "西宁市红十字会", "red_cross", None, desk)
        (partner,) = accepted(await create_partners(session, [red_cross]))
        (clinic,) = accepted(await create_clinics(session, [_clinic(stage, partner, day)], effects=EFFECTS))
        ((shift, _),) = clinic.shifts
        for place, who in _seats(stage, clinic).items():
            await seat(stage, session, shift.id, place, who)


async def _check_in(stage: Stage, session: Session) -> None:
    """Register the doctor and the nurse, and check what they showed."""
    await enrol(stage, session, _phones, ESTATE)
    since = stage.community.local_date(session.now(stage.number))
    checked = [
        NewQualification(stage.number, stage.volunteers[name], code, None, since, None, stage.clients["manager"])
        for name, code in ((_doctor, "doctor"), (_nurse, "nurse"))
    ]
    accepted(await check_qualifications(session, checked))


def _clinic(stage: Stage, partner: Partner, day: dt.date) -> NewClinic:
    return NewClinic(
        community=stage.number,
        partner_id=partner.id,
        name="红十字义诊",
        place="党群服务中心",
        content="量血压、测血糖、用药咨询",
        organiser=f"{stage.community.name}居委会",
        service_kind="free_clinic",
        created_by=stage.clients["front_desk"],
        positions=(
            NewPosition("医生", 1, required_qualification="doctor"),
            NewPosition("护士", 1, required_qualification="nurse"),
            NewPosition("引导", 4),
            NewPosition("居民预约", 60, participants=BENEFICIARIES),
        ),
        starts_at=stage.at(day, 9),
        ends_at=stage.at(day, 12),
    )


def _seats(stage: Stage, clinic: Clinic) -> dict[UUID, list[UUID]]:
    """Who takes which position."""
    doctor, nurse, guides, appointments = (position.id for position in clinic.activity.positions)
    return {
        doctor: [stage.volunteers[_doctor]],
        nurse: [stage.volunteers[_nurse]],
        guides: [stage.volunteers[LI], stage.volunteers[ZHANG]],
        appointments: [stage.beneficiaries[name] for name in (DENG, *_residents)],
    }


async def _end(stage: Stage, day: dt.date) -> None:
    async with stage.write() as session:
        (shift,) = await shifts_of(stage, session, day)
        counted = NewHeadCount(stage.number, shift.id, _heads, stage.clients["front_desk"])
        accepted(await count_heads(session, [counted]))
        await close_shift(stage, session, shift.id)
