"""Calendar feeds: an address that is shown once, open to whoever has it, until it is revoked."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from app.main import create_app
from tests.bank import Bank, TestClock, done, refused
from tests.contract.stored import everything_stored
from tests.feeds.acts import events, feed, fetched, path_of, token_of
from tests.signups.acts import opened, signed_up

if TYPE_CHECKING:
    from app.settings import Settings

on_one_engine = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


async def test_address_is_shown_once_and_only_a_keyed_hash_of_it_is_stored(bank: Bank, settings: Settings) -> None:
    body = {"subject": "volunteer", "subject_id": (await bank.volunteer())["id"]}
    answer = await bank.desk.post("calendar-feeds", body, key="feed-1")
    made = done(answer, 201)
    assert answer.headers["location"] == f"{bank.desk.base}/calendar-feeds/{made['id']}"
    token = token_of(made)
    assert re.fullmatch(rf"{bank.number}-[\w-]{{43}}", token), "256 bits in base64, behind the community's number"
    again = await bank.desk.post("calendar-feeds", body, key="feed-1")
    shown = {name: value for name, value in made.items() if name != "address"}
    assert done(again, 201) == shown
    assert again.headers["idempotency-replayed"] == "true"
    assert done(await bank.desk.get("calendar-feeds"), 200)["items"] == [shown]
    stored = everything_stored(settings)
    assert made["id"] in stored
    secret = token.partition("-")[2]
    assert secret not in stored
    for text in (token, secret):
        assert hashlib.sha256(text.encode()).hexdigest() not in stored
    happened = done(await bank.auditor.get("events", limit=200), 200)["items"]
    assert (happened[-1]["type"], happened[-1]["data"]) == ("calendar_feed.created", {"feed_id": made["id"], **body})


async def test_nothing_is_at_an_address_that_is_unknown_broken_or_revoked(bank: Bank) -> None:
    who = await bank.volunteer()
    made, other = await feed(bank.desk, who["id"]), await feed(bank.desk, who["id"])
    token = token_of(made)
    number, _, secret = token.partition("-")
    swapped = ("A" if secret[0] != "A" else "B") + secret[1:]
    wrong = (
        f"{number}-{swapped}",
        f"{bank.number + 1}-{secret}",
        f"999999999-{secret}",
        f"0-{secret}",
        f"{number}-{secret}A",
        f"{number}-{secret[:-1]}",
        secret,
        f"0{token}",
        "x",
        "一",
    )
    for one in wrong:
        refused(await bank.http.get(f"/v1/calendars/{one}.ics"), "not-found", status=404, resource="calendar")
    done(await bank.desk.post(f"calendar-feeds/{made['id']}/revocation"), 200)
    refused(await fetched(bank, made), "not-found", status=404)
    assert (await fetched(bank, other)).status_code == 200


async def test_feed_is_revoked_once_and_by_its_own_community(bank: Bank) -> None:
    made = await feed(bank.desk, (await bank.volunteer())["id"])
    path = f"calendar-feeds/{made['id']}/revocation"
    home = bank.desk
    await bank.open_community()
    refused(await bank.desk.post(path), "not-found")
    revoked = done(await home.post(path), 200)
    assert revoked["revoked_at"] == "2026-03-02T04:00:00Z"
    assert revoked["revoked_by"] == home.client_id
    refused(await home.post(path), "feed-revoked", status=409, revoked_at="2026-03-02T04:00:00+00:00")
    refused(await home.post(f"calendar-feeds/{uuid4()}/revocation"), "not-found")
    assert done(await home.get("calendar-feeds"), 200)["items"] == [revoked]


async def test_volunteers_have_feeds_of_their_own_shifts_alone(bank: Bank) -> None:
    who, stranger = await bank.volunteer(), await bank.volunteer()
    shift = await opened(bank)
    await signed_up(bank, shift, who)
    own, others = await bank.volunteer_api(who["id"]), await bank.volunteer_api(stranger["id"])
    made = done(await own.post("calendar-feeds"), 201)
    assert (made["subject"], made["subject_id"]) == ("volunteer", who["id"])
    assert [str(event["UID"]).partition("@")[0] for event in await events(bank, made)] == [shift.id]
    at_desk = await feed(bank.desk, who["id"])
    listed = done(await own.get("calendar-feeds"), 200)["items"]
    assert [one["id"] for one in listed] == [at_desk["id"], made["id"]]
    assert done(await others.get("calendar-feeds"), 200)["items"] == []
    refused(await others.post(f"calendar-feeds/{made['id']}/revocation"), "not-found")
    for one in (made, at_desk):
        done(await own.post(f"calendar-feeds/{one['id']}/revocation"), 200)
        refused(await fetched(bank, one), "not-found")
    refused(await own.post(f"calendar-feeds/{made['id']}/revocation"), "feed-revoked")


async def test_desk_finds_feeds_by_whose_they_are(bank: Bank) -> None:
    one, other = await bank.volunteer(), await bank.volunteer()
    first = await feed(bank.desk, one["id"])
    await feed(bank.desk, other["id"])
    for filters, count in (({"subject_id": one["id"]}, 1), ({"subject": "volunteer"}, 2), ({"subject": "team"}, 0)):
        found = done(await bank.desk.get("calendar-feeds", **filters), 200)["items"]
        assert len(found) == count
    assert done(await bank.desk.get("calendar-feeds", subject_id=one["id"]), 200)["items"][0]["id"] == first["id"]


async def test_feed_of_who_was_erased_ends_and_nobody_makes_another(bank: Bank) -> None:
    who = await bank.volunteer()
    made = await feed(bank.desk, who["id"])
    assert (await fetched(bank, made)).status_code == 200
    done(await bank.manager.post(f"volunteers/{who['id']}/erasure", {"reason": "本人申请"}), 200)
    refused(await fetched(bank, made), "not-found", status=404)
    for unknown in (who["id"], str(uuid4())):
        body = {"subject": "volunteer", "subject_id": unknown}
        refused(await bank.desk.post("calendar-feeds", body), "unknown-subject", status=422, **body)


async def test_subject_has_ten_live_feeds_at_most(bank: Bank) -> None:
    who = await bank.volunteer()
    made = [await feed(bank.desk, who["id"]) for _ in range(10)]
    own = await bank.volunteer_api(who["id"])
    refused(await own.post("calendar-feeds"), "too-many-feeds", status=409, feeds_max=10)
    await feed(bank.desk, (await bank.volunteer())["id"])
    done(await own.post(f"calendar-feeds/{made[0]['id']}/revocation"), 200)
    done(await own.post("calendar-feeds"), 201)


@on_one_engine
async def test_calendar_that_did_not_change_is_not_sent_again(bank: Bank) -> None:
    who = await bank.volunteer()
    made = await feed(bank.desk, who["id"])
    answer = await fetched(bank, made)
    tag = answer.headers["etag"]
    assert tag.startswith('W/"')
    assert "private" in answer.headers["cache-control"]
    bank.clock.move(minutes=5)
    for given in (tag, tag.removeprefix("W/"), f'"x", {tag}'):
        same = await fetched(bank, made, **{"If-None-Match": given})
        assert (same.status_code, same.content, same.headers["etag"]) == (304, b"", tag)
    await signed_up(bank, await opened(bank), who)
    changed = await fetched(bank, made, **{"If-None-Match": tag})
    assert changed.status_code == 200
    assert changed.headers["etag"] != tag


@on_one_engine
async def test_addresses_cannot_be_tried_without_end(settings: Settings, clock: TestClock) -> None:
    app = create_app(settings.model_copy(update={"rate_limit": 3}), clock=clock)
    async with Bank(app, clock) as bank:
        made = await feed(bank.desk, (await bank.volunteer())["id"])
        # A token in the header lets nobody by: none is looked at there.
        header = {"Authorization": f"Bearer {bank.desk.token}"}
        answers = [await bank.http.get(path_of(made)[:-5] + f"{last}.ics", headers=header) for last in "AEIM"]
        assert [answer.status_code for answer in answers][-1] == 429
    await app.state.context.database.close()
