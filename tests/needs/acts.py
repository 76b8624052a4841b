"""Needs and complaints to file, and what becomes of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.bank import done

if TYPE_CHECKING:
    from tests.bank import Api

PERSON = {"name": "王秀英", "phone": "13600001111"}
TEXT = "晚上十一点以后还有人叫卖"


def asked(**fields: Any) -> dict[str, Any]:
    """The body that files a complaint about the night market, without saying who asked."""
    return {"kind": "complaint", "category": "noise", "place": "祁连路夜市", "text": TEXT, **fields}


async def need(desk: Api, **fields: Any) -> Any:
    """File a complaint of 王秀英's at a desk, unless fields say otherwise."""
    return done(await desk.post("needs", asked(**{"person": PERSON, **fields})), 201)


async def answer(desk: Api, one: dict[str, Any], reason: str = "晚上十点收摊") -> Any:
    """Answer a need."""
    return done(await desk.post(f"needs/{one['id']}/answer", {"reason": reason}), 200)
