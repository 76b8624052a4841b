"""Changing an article: on the revision that was read, from now on, and by managers alone."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from tests.bank import done, refused
from tests.redemptions.acts import collect, points, reserve, rich

if TYPE_CHECKING:
    from tests.bank import Bank


async def test_what_is_given_changes_what_is_null_is_cleared_and_the_rest_stays(bank: Bank) -> None:
    body = {"name": "毛巾", "specification": "大号", "points_price": 10, "limit_per_person": 1, "code": "G01"}
    made = done(await bank.manager.post("goods", body), 201)
    path = f"goods/{made['id']}"
    read = await bank.desk.get(path)
    changes: dict[str, Any] = {"points_price": 15, "limit_per_person": None, "limit_per_household": 4}
    answer = await bank.manager.patch(path, changes, etag=read.headers["etag"])
    assert done(answer, 200) == {**made, **changes}
    assert answer.headers["etag"] != read.headers["etag"]
    again = await bank.desk.get(path)
    assert (done(again, 200), again.headers["etag"]) == (answer.json(), answer.headers["etag"])
    rest = {"name": "浴巾", "specification": None, "limit_period": "year"}
    assert done(await bank.city.patch(f"{bank.manager.base}/{path}", rest), 200) == {**made, **changes, **rest}
    events = done(await bank.auditor.get("events", limit=200), 200)["items"]
    data = {"goods_id": made["id"]}
    assert [event["data"] for event in events if event["type"] == "goods.changed"] == [data, data]


async def test_change_without_a_difference_leaves_the_article_and_its_etag(bank: Bank) -> None:
    article = await bank.goods(pieces=0)
    path = f"goods/{article['id']}"
    before = (await bank.desk.get(path)).headers["etag"]
    for nothing in ({}, {"name": article["name"], "limit_per_person": None}):
        answer = await bank.manager.patch(path, nothing, etag=before)
        assert (done(answer, 200), answer.headers["etag"]) == (article, before)
    events = done(await bank.auditor.get("events", limit=200), 200)["items"]
    assert [event["type"] for event in events].count("goods.changed") == 0


async def test_change_needs_the_etag_of_the_article_as_it_is(bank: Bank) -> None:
    path = f"goods/{(await bank.goods(pieces=0))['id']}"
    first = (await bank.desk.get(path)).headers["etag"]
    refused(await bank.manager.patch(path, {"points_price": 11}, etag=None), "precondition-required", status=428)
    second = (await bank.manager.patch(path, {"points_price": 11}, etag=first)).headers["etag"]
    for stale in (first, '"0"', '"99"', f"W/{second}", second.strip('"'), '"x"', "x"):
        answer = await bank.manager.patch(path, {"points_price": 12}, etag=stale)
        refused(answer, "precondition-failed", status=412)
    assert done(await bank.desk.get(path), 200)["points_price"] == 11
    done(await bank.manager.patch(path, {"points_price": 12}, etag=f"{first}, {second}"), 200)


async def test_of_changes_that_meet_one_goes_through(bank: Bank) -> None:
    path = f"goods/{(await bank.goods(pieces=0))['id']}"
    etag = (await bank.desk.get(path)).headers["etag"]
    answers = await asyncio.gather(
        *(bank.manager.patch(path, {"points_price": 100 + number}, etag=etag) for number in range(8))
    )
    assert sorted(answer.status_code for answer in answers) == [200, *[412] * 7]
    (won,) = [answer.json() for answer in answers if answer.status_code == 200]
    assert done(await bank.desk.get(path), 200) == won


async def test_new_price_is_asked_of_new_orders_alone(bank: Bank) -> None:
    volunteer, article = await rich(bank, 100), await bank.goods(pieces=5, price=30)
    made = done(await reserve(bank.desk, volunteer, (article, 1)), 201)
    done(await bank.manager.patch(f"goods/{article['id']}", {"points_price": 40}), 200)
    collected = done(await collect(bank.desk, made), 200)
    assert (collected["points"], collected["lines"][0]["points_each"]) == (30, 30)
    assert done(await reserve(bank.desk, volunteer, (article, 1)), 201)["points"] == 40
    assert await points(bank, volunteer) == (30, 40)


async def test_what_no_article_can_become_is_refused(bank: Bank) -> None:
    article = await bank.goods(pieces=0)
    wrong: list[dict[str, Any]] = [
        {"name": None},
        {"name": " "},
        {"points_price": None},
        {"points_price": 0},
        {"points_price": "10"},
        {"points_price": 1_000_001},
        {"limit_per_person": 0},
        {"limit_per_household": 0},
        {"limit_period": None},
        {"limit_period": "week"},
        {"code": "G02"},
        {"stock": 5},
        {"revision": 7},
    ]
    for change in wrong:
        problem = refused(await bank.manager.patch(f"goods/{article['id']}", change), "invalid-request", status=422)
        assert [fault["pointer"] for fault in problem["errors"]] == [f"/{name}" for name in change]
    assert done(await bank.desk.get(f"goods/{article['id']}"), 200) == article


async def test_only_managers_change_an_article_of_their_community(bank: Bank) -> None:
    article, here = await bank.goods(pieces=0), bank.manager
    for role in ("front_desk", "verifier", "auditor", "integrator"):
        refused(await bank.roles[role].patch(f"goods/{article['id']}", {"name": "x"}), "role-missing", status=403)
    refused(await here.patch(f"goods/{uuid4()}", {"name": "x"}), "not-found", status=404)
    await bank.open_community()
    refused(await bank.manager.patch(f"goods/{article['id']}", {"name": "x"}), "not-found", status=404)
