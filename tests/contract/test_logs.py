"""The log of the service as it runs: one line of JSON for each request, with nobody's data and no secret in it."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from tests.bank import done, refused
from tests.conftest import run_cli
from tests.feeds.acts import path_of
from tests.postgres import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
START_SECONDS_MAX = 20
NAME, PHONE, ID_NUMBER = "张文静", "13911112222", "11010519491231002X"


@contextlib.contextmanager
def serving(environment: dict[str, str], log: Path) -> Iterator[str]:
    """`python -m app serve` with its output in a file; gives its address, and ends it in the end."""
    port = free_port()
    command = [sys.executable, "-m", "app", "serve", "--port", str(port)]
    with (
        log.open("wb") as output,
        subprocess.Popen(
            command, env={**os.environ, **environment}, cwd=ROOT, stdout=output, stderr=subprocess.STDOUT
        ) as server,
    ):
        try:
            url = f"http://127.0.0.1:{port}"
            deadline = time.monotonic() + START_SECONDS_MAX
            while not is_up(url):
                assert server.poll() is None, log.read_text()
                assert time.monotonic() < deadline, log.read_text()
                time.sleep(0.05)
            yield url
        finally:
            server.send_signal(signal.SIGTERM)


def is_up(url: str) -> bool:
    with contextlib.suppress(httpx.TransportError):
        return httpx.get(f"{url}/livez").is_success
    return False


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_each_request_is_one_line_of_json_and_nobody_is_in_it(
    database_url: str, tmp_path: Path, signing_key: str
) -> None:
    environment = {
        "LOVEBANK_DATABASE_URL": database_url,
        "LOVEBANK_SECRET_PEPPER": "p" * 40,
        "LOVEBANK_SIGNING_KEY": signing_key,
    }
    city = json.loads(run_cli("bootstrap", "--name", "city", **environment).stdout)
    log = tmp_path / "log"
    with serving(environment, log) as url, httpx.Client(base_url=url) as http:
        secrets, sent = act(http, city)
    lines = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
    requests = {line["request_id"]: line for line in lines if line["event"] == "request"}
    for request_id, (method, path, status) in sent.items():
        line = requests[request_id]
        assert (line["method"], line["path"], line["status"]) == (method, path, status)
        assert line["milliseconds"] >= 0
        assert line["level"] == "info"
        assert line["timestamp"]
    assert sum(line["event"] == "request" and line["path"] != "/livez" for line in lines) == len(sent)
    written = log.read_text(encoding="utf-8") + json.dumps(lines, ensure_ascii=False)
    assert [word for word in secrets if word in written] == []
    volunteer = next(
        line for line in requests.values() if line["path"].endswith("/volunteers") and line["status"] == 201
    )
    assert volunteer["caller"] == city["client_id"]


def act(http: httpx.Client, city: dict[str, str]) -> tuple[list[str], dict[str, tuple[str, str, int]]]:
    """Call the service in ways that have something to hide; give what stays hidden, and each request by its id."""
    sent: dict[str, tuple[str, str, int]] = {}

    def noted(answer: httpx.Response) -> httpx.Response:
        request = answer.request
        sent[answer.headers["x-request-id"]] = (request.method, request.url.path, answer.status_code)
        return answer

    form = {"grant_type": "client_credentials", **city}
    token = done(noted(http.post("/oauth2/token", data=form)), 200)["access_token"]
    noted(http.post("/oauth2/token", data={**form, "client_secret": "a wrong secret"}))
    noted(http.post("/oauth2/token", data={"grant_type": "client_credentials"}, auth=tuple(city.values())))  # type: ignore[arg-type]

    def post(path: str, body: Any, key: str) -> httpx.Response:
        headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": key}
        return noted(http.post(path, json=body, headers=headers))

    community = {"code": "x", "name": "社区", "district": "城北区", "subdistrict": "朝阳街道"}
    base = "/v1/communities/" + done(post("/v1/communities", community, "key-0"), 201)["id"]
    client = done(post(f"{base}/clients", {"name": "窗口", "role": "front_desk"}, "key-1"), 201)
    consent = {"version": "2024-09", "given_at": "2025-01-01T09:00:00+08:00"}
    person = {"name": NAME, "phone": PHONE, "id_number": ID_NUMBER, "consent": consent}
    volunteer = done(post(f"{base}/volunteers", person, "key-2"), 201)
    card = done(post(f"{base}/volunteers/{volunteer['id']}/cards", {}, "key-2a"), 201)
    card_form = {"grant_type": "urn:love-bank:grant-type:card", "card_number": card["card_number"], "pin": card["pin"]}
    own_token = done(noted(http.post("/oauth2/token", data=card_form)), 200)["access_token"]
    noted(http.post("/oauth2/token", data={**card_form, "pin": "a wrong PIN"}))
    refused(post(f"{base}/volunteers", person, "key-3"), "already-registered")
    refused(post(f"{base}/volunteers", {**person, "phone": f"{PHONE}0"}, "key-4"), "invalid-request")
    headers = {"Authorization": f"Bearer {token}"}
    found = noted(http.get(f"{base}/volunteers", params={"phone": PHONE}, headers=headers))
    assert len(done(found, 200)["items"]) == 1
    noted(http.get(f"{base}/volunteers", headers={"Authorization": f"Bearer {token[:-4]}AAAA"}))
    noted(http.get("/nowhere", params={"name": NAME}))
    whose = {"subject": "volunteer", "subject_id": volunteer["id"]}
    address = path_of(done(post(f"{base}/calendar-feeds", whose, "key-5"), 201))
    calendar = http.get(address)
    sent[calendar.headers["x-request-id"]] = ("GET", "/v1/calendars/***", calendar.status_code)
    hidden = [
        NAME,
        PHONE,
        ID_NUMBER,
        token,
        token[:-4],
        city["client_secret"],
        client["client_secret"],
        "a wrong secret",
        card["card_number"],
        own_token,
        "a wrong PIN",
        address,
        address.rpartition("-")[2],
    ]
    return hidden, sent
