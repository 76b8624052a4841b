"""The catalogue: what an article needs, the code it gets, and who may see and change it."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import uuid4

from tests.bank import done, refused

if TYPE_CHECKING:
    from tests.bank import Bank

EMPTY = {"shelf": 0, "reserved": 0, "handed_out": 0, "written_off": 0}


async def test_an_article_keeps_what_it_was_made_of_and_begins_with_an_empty_shelf(bank: Bank) -> None:
    body = {
        "code": "G01",
        "name": "食用油",
        "specification": "1.8L/瓶",
        "points_price": 120,
        "limit_per_person": 1,
        "limit_period": "quarter",
    }
    answer = await bank.manager.post("goods", body)
    made = done(answer, 201)
    assert {name: made[name] for name in body} == body
    assert made["stock"] == EMPTY
    assert answer.headers["location"].rsplit("/", 1)[1] == made["id"]
    plain = done(await bank.manager.post("goods", {"name": "毛巾", "points_price": 10}), 201)
    assert (plain["limit_per_person"], plain["limit_period"], plain["specification"]) == (None, "month", None)
    for api in bank.roles.values():
        assert done(await api.get(answer.headers["location"]), 200) == made
        assert done(await api.get("goods"), 200) == {"items": [plain, made], "next_cursor": None}


async def test_a_code_is_made_when_none_is_given_and_taken_once_when_one_is(bank: Bank) -> None:
    article = {"name": "毛巾", "points_price": 10}
    made = {done(await bank.manager.post("goods", article), 201)["code"] for _ in range(3)}
    assert len(made) == 3
    done(await bank.manager.post("goods", {**article, "code": "G01"}), 201)
    for code in ("G01", *made):
        refused(await bank.manager.post("goods", {**article, "code": code}), "already-exists", status=409)
    # Codes are the community's own.
    await bank.open_community()
    done(await bank.manager.post("goods", {**article, "code": "G01"}), 201)
    assert len(done(await bank.desk.get("goods"), 200)["items"]) == 1


async def test_what_no_article_can_be_is_refused(bank: Bank) -> None:
    article: dict[str, object] = {"name": "毛巾", "points_price": 10}
    changes: list[tuple[dict[str, object], str]] = [
        ({"name": None}, "/name"),
        ({"name": " "}, "/name"),
        ({"name": "长" * 101}, "/name"),
        ({"points_price": 0}, "/points_price"),
        ({"points_price": -5}, "/points_price"),
        ({"points_price": 9.5}, "/points_price"),
        ({"points_price": "10"}, "/points_price"),
        ({"points_price": 1_000_001}, "/points_price"),
        ({"limit_per_person": 0}, "/limit_per_person"),
        ({"limit_period": "week"}, "/limit_period"),
        ({"code": "no spaces"}, "/code"),
        ({"code": ""}, "/code"),
        ({"stock": 5}, "/stock"),
    ]
    for change, pointer in changes:
        problem = refused(await bank.manager.post("goods", {**article, **change}), "invalid-request", status=422)
        assert [fault["pointer"] for fault in problem["errors"]] == [pointer], change
    for name in article:
        without = {other: value for other, value in article.items() if other != name}
        problem = refused(await bank.manager.post("goods", without), "invalid-request")
        assert [fault["pointer"] for fault in problem["errors"]] == [f"/{name}"]
    assert done(await bank.desk.get("goods"), 200)["items"] == []


async def test_the_catalogue_is_listed_in_pages_that_stay_while_articles_come_in(bank: Bank) -> None:
    made = [(await bank.goods(pieces=number))["id"] for number in range(1, 5)]
    page = done(await bank.desk.get("goods", limit=3), 200)
    await bank.goods()
    rest = done(await bank.desk.get("goods", limit=3, cursor=page["next_cursor"]), 200)
    listed = page["items"] + rest["items"]
    assert [article["id"] for article in listed] == made[::-1]
    assert [article["stock"]["shelf"] for article in listed] == [4, 3, 2, 1]
    assert rest["next_cursor"] is None
    refused(await bank.desk.get("redemptions", cursor=page["next_cursor"]), "invalid-cursor", status=422)


async def test_only_managers_change_the_catalogue_and_only_in_their_community(bank: Bank) -> None:
    article = await bank.goods()
    movement = {"kind": "received", "quantity": 1, "note": "进货"}
    for role in ("front_desk", "verifier", "auditor", "integrator"):
        api = bank.roles[role]
        refused(await api.post("goods", {"name": "毛巾", "points_price": 10}), "role-missing", status=403)
        refused(await api.post(f"goods/{article['id']}/stock-movements", movement), "role-missing")
    here = bank.manager
    await bank.open_community()
    refused(await bank.desk.get(f"goods/{article['id']}"), "not-found", status=404)
    refused(await bank.manager.post(f"goods/{article['id']}/stock-movements", movement), "not-found")
    refused(await bank.manager.get(f"goods/{article['id']}/stock-movements"), "not-found")
    refused(await here.get(f"goods/{uuid4()}"), "not-found")
    assert done(await here.get(f"goods/{article['id']}"), 200)["stock"]["shelf"] == 10
