"""What the desk does with partners and clinics, as tests do it most."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.bank import done

if TYPE_CHECKING:
    from tests.bank import Api

BEGUN = {"starts_at": "2026-03-02T09:00:00+08:00", "ends_at": "2026-03-02T12:30:00+08:00"}
"""A shift of the morning of the tests' present, which is noon."""


async def partner(desk: Api, **fields: Any) -> Any:
    """A partner without an identifier."""
    return done(await desk.post("partners", {"name": "青海省红十字会", "kind": "red_cross", **fields}), 201)


async def clinic_body(desk: Api, **fields: Any) -> dict[str, Any]:
    """The body of a clinic of this morning, with a partner of its own unless one is given."""
    body = {
        "partner_id": fields.pop("partner_id", None) or (await partner(desk))["id"],
        "name": "春季义诊",
        "place": "党群服务中心",
        "content": "量血压、测血糖、用药咨询",
        "organiser": "祁连路西社区居委会",
        "service_kind": "free_clinic",
        "shift": BEGUN,
        "positions": [
            {"name": "医生", "capacity": 2, "required_qualification": "doctor"},
            {"name": "居民预约", "participants": "beneficiary", "capacity": 60},
        ],
    }
    return {**body, **fields}


async def clinic(desk: Api, **fields: Any) -> Any:
    """A clinic of this morning."""
    return done(await desk.post("clinics", await clinic_body(desk, **fields)), 201)


def shift_of(made: Any) -> str:
    """The id of a clinic's newest shift."""
    return str(made["shifts"][0]["shift"]["id"])


async def count(desk: Api, made: Any, **counts: int) -> Any:
    """Count heads on a clinic's newest shift."""
    body = {"counts": counts or {"served": 58}}
    return done(await desk.post(f"shifts/{shift_of(made)}/head-counts", body), 201)
