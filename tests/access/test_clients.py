"""Clients: the apps that call for a community, each with a secret that is shown once."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING

import pytest

from tests.bank import done, refused
from tests.contract.stored import everything_stored

if TYPE_CHECKING:
    from app.settings import Settings
    from tests.bank import Bank

NEW = {"name": "前台一号窗口", "role": "front_desk"}
on_one_engine = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


async def test_secret_is_shown_once_and_only_a_keyed_hash_of_it_is_stored(bank: Bank, settings: Settings) -> None:
    answer = await bank.manager.post("clients", NEW)
    made = done(answer, 201)
    assert answer.headers["location"] == f"{bank.manager.base}/clients/{made['client_id']}"
    assert made["client_id"].startswith(f"{bank.number}-")
    secret = made["client_secret"]
    assert re.fullmatch(r"[\w-]{43}", secret), "256 bits in base64"
    listed = done(await bank.manager.get("clients"), 200)["items"]
    assert listed[0] == {name: value for name, value in made.items() if name != "client_secret"}
    stored = everything_stored(settings)
    assert made["client_id"] in stored
    assert secret not in stored
    # Not any hash that could be tried without the service's own key either.
    for text in (secret, f"{made['client_id']}{secret}", f"{made['client_id']}:{secret}"):
        assert hashlib.sha256(text.encode()).hexdigest() not in stored


async def test_revoked_client_is_gone_from_the_list_and_cannot_be_revoked_again(bank: Bank) -> None:
    made = done(await bank.manager.post("clients", NEW), 201)
    assert (await bank.manager.delete(f"clients/{made['client_id']}")).status_code == 204
    refused(await bank.manager.delete(f"clients/{made['client_id']}"), "not-found", resource="client")
    names = [client["client_id"] for client in done(await bank.auditor.get("clients"), 200)["items"]]
    assert made["client_id"] not in names
    assert len(names) == 5
    form = {"grant_type": "client_credentials", "client_id": made["client_id"], "client_secret": made["client_secret"]}
    assert (await bank.http.post("/oauth2/token", data=form)).status_code == 401


async def test_client_of_another_community_cannot_be_revoked(bank: Bank) -> None:
    first, stranger = bank.manager, bank.desk.client_id
    await bank.open_community()
    refused(await bank.manager.delete(f"clients/{stranger}"), "not-found")
    refused(await bank.manager.delete(f"clients/{bank.city.client_id}"), "not-found")
    listed = done(await first.get("clients"), 200)["items"]
    assert stranger in {client["client_id"] for client in listed}
    assert len(listed) == 5


async def test_client_made_and_revoked_is_announced_by_its_id_alone(bank: Bank) -> None:
    made = done(await bank.manager.post("clients", NEW), 201)
    await bank.manager.delete(f"clients/{made['client_id']}")
    events = done(await bank.auditor.get("events"), 200)["items"]
    assert [(event["type"], event["data"]) for event in events[-2:]] == [
        ("client.created", {"client_id": made["client_id"]}),
        ("client.revoked", {"client_id": made["client_id"]}),
    ]


@on_one_engine
async def test_client_of_the_city_or_of_no_role_is_not_made_here(bank: Bank) -> None:
    for role in ("city_admin", "volunteer", "anyone", "", "Manager", None, ["manager"]):
        for api in (bank.manager, bank.city):
            answer = await api.post(f"{bank.manager.base}/clients", {"name": "x", "role": role})
            problem = refused(answer, "invalid-request")
            assert [error["pointer"] for error in problem["errors"]] == ["/role"]
    for name in ("", "   ", "x" * 101, "a\0", 7, None):
        refused(await bank.manager.post("clients", {**NEW, "name": name}), "invalid-request")
